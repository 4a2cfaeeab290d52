"""A recommender's state at one moment."""

from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from models.neighbours.arrays import Index
from models.neighbours.snapshot import list_events
from models.state import Arrays, nested, pack


@dataclass(frozen=True, slots=True)
class RecommenderCopy:
    """A recommender's state at one moment; `arrays` turns it into columns at leisure, in any
    thread.
    """

    index: Index
    names: list[str]
    catalogue: Arrays
    trending: Arrays
    facts: Arrays
    learned: Arrays

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Columns from which `Recommender.restore` makes the same state."""
        neighbours = list_events(self.index)._asdict() | pack(self.names, "names", "name_starts")
        return nested(
            neighbours=neighbours,
            catalogue=self.catalogue,
            trending=self.trending,
            facts=self.facts,
            learned=self.learned,
        )
