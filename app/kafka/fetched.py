"""What the thread that talks to Kafka tells the consumer: records, where reading begins, and where
it stands.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from faust.types import TP


@dataclass(frozen=True, slots=True, eq=False)
class Fetched:
    """Records of one partition, the assignment and the number of the seek under which they were
    read, and the end.
    """

    tp: TP
    records: Sequence[Any]
    assignment: object
    seek: int
    end: int | None


@dataclass(frozen=True, slots=True)
class Start:
    """Where reading of a partition begins, and the committed offset that says so; None when nothing
    is committed.

    Where no broker leads the partition, nobody knows yet where it begins.
    """

    offset: int | None
    committed: int | None


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """The next offset that will be fetched of a partition, None when that is open, and the
    partition's end.

    The end is `fetched` once a fetch told it; before, it may be too low. `handed` is behind the
    last record that was handed over. `beginning` is asked for where the position is further than
    the reader knows.
    """

    tp: TP
    position: int | None
    end: int
    fetched: bool
    handed: int | None
    assignment: object
    seek: int
    beginning: int | None = None
