"""A batch that a worker began to process, as it is noted beside what the batch changes."""

from collections.abc import Iterable
from typing import NamedTuple

import orjson
import xxhash

from models.contract.events import RawBatch


class Begun(NamedTuple):
    """The records of one batch: from offset `first` to `last`, both included.

    `fingerprint` is that of the record at `last`: another log of the same topic has another record
    there, or none.
    """

    topic: str
    log: str
    first: int
    last: int
    fingerprint: str

    @classmethod
    def of(cls, batch: RawBatch) -> "Begun":
        """Of this batch, which has at least one record."""
        return cls(batch.topic, batch.log, int(batch.offsets[0]), int(batch.offsets[-1]), _fingerprint(batch))

    def ends(self, batch: RawBatch) -> bool:
        """Whether the batch ends with the record that this one ended with."""
        return len(batch) > 0 and int(batch.offsets[-1]) == self.last and _fingerprint(batch) == self.fingerprint


class Claim(NamedTuple):
    """A claim to begin batches of a partition number: `now` takes the place of `before`, both by
    chance; `before` is empty where there was none.
    """

    before: str
    now: str


def encode_begun(begun: Iterable[Begun]) -> bytes:
    """Batches, in the order in which they were begun, as JSON."""
    return orjson.dumps([list(each) for each in begun])


def decode_begun(text: bytes | None) -> list[Begun]:
    """What `encode_begun` wrote; nothing for None. Raises ValueError for anything else."""
    rows = orjson.loads(text) if text else []
    if not isinstance(rows, list) or not all(isinstance(row, list) and len(row) == len(Begun._fields) for row in rows):
        raise ValueError(f"not a list of batches that were begun: {text!r}")
    return [Begun(*row) for row in rows]


def _fingerprint(batch: RawBatch) -> str:
    return xxhash.xxh3_64_hexdigest(batch.values[-1] or b"")
