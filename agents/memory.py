"""All that a worker has learned from the log, as columns: what a snapshot holds."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agents.learn import Learn
from models.duplicates import DuplicateFilter
from models.neighbours.copy import Room
from models.neighbours.recommender_copy import RecommenderCopy
from models.ranker.relations import ItemRelations
from models.recommender import Recommender
from models.state import Arrays, columns, join, nested, pack, part, require, unpack


class MemoryCopy:
    """A worker's memory as it was when this was made; may be listed later, and in any thread.

    What the worker learned of its own events before they came back from the log is in it, and so is
    the knowledge that it did (`Learn.applied`): both are taken in the same moment.
    """

    def __init__(self, learn: Learn, room: Room) -> None:
        """`room` comes from `learn.recommender.index.room`."""
        self._recommender: RecommenderCopy = learn.recommender.copy(room)
        self._applied = learn.applied.copy()
        self._seen = learn.seen
        self._pieces: list[Arrays] = []

    def gather(self) -> Iterator[None]:
        """Copy the event ids, a piece at each step, in the thread that learns; it may learn between
        two steps.
        """
        for piece in self._seen.copy():
            self._pieces.append(piece)
            yield

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Columns that `restore` takes, once all is gathered."""
        return nested(
            recommender=self._recommender.arrays(), seen=join(self._pieces), applied=_list_applied(self._applied)
        )


def check(arrays: Arrays) -> None:
    """Raises ValueError when `restore` could not take the columns."""
    recommender = part(arrays, "recommender")
    names = Recommender.check(recommender)
    if learned := part(recommender, "learned"):
        require(ItemRelations.check(learned) <= names, "an item of a relation has no name")
    DuplicateFilter.check(part(arrays, "seen"))
    _read_applied(part(arrays, "applied"))


def restore(learn: Learn, arrays: Arrays) -> None:
    """Remember what the columns hold, having learned nothing yet. Raises ValueError, before it
    changes anything.
    """
    check(arrays)
    learn.recommender.restore(part(arrays, "recommender"))
    learn.seen.restore(part(arrays, "seen"))
    learn.applied.update(_read_applied(part(arrays, "applied")))
    learn.metrics.index_bytes.set(learn.recommender.index.memory_bytes)


def _list_applied(applied: Mapping[tuple[int, str], int]) -> dict[str, NDArray[Any]]:
    names = list(dict.fromkeys(source for _, source in applied))
    number = {name: at for at, name in enumerate(names)}
    rows = [(partition, number[source], offset) for (partition, source), offset in applied.items()]
    table = np.array(rows, np.int64).reshape(-1, 3)
    listed = {"partitions": table[:, 0], "numbers": table[:, 1], "offsets": table[:, 2]}
    return listed | pack(names, "sources", "source_starts")


def _read_applied(arrays: Arrays) -> dict[tuple[int, str], int]:
    names = unpack(arrays, "sources", "source_starts")
    partitions, numbers, offsets = columns(arrays, partitions=np.int64, numbers=np.int64, offsets=np.int64)
    require(len(partitions) == len(numbers) == len(offsets), "columns of applied offsets differ in length")
    require(not len(numbers) or (numbers.min() >= 0 and numbers.max() < len(names)), "an offset has no source")
    rows = zip(partitions.tolist(), numbers.tolist(), offsets.tolist(), strict=True)
    return {(partition, names[source]): offset for partition, source, offset in rows}
