"""What look-ups remember for a moment: the items of lists, and the trending list.

Lists themselves are never remembered: each look-up reads the user's own.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from headrace.lists import KnownItem

# An item takes about 700 bytes; a shop with more items than this is asked for the rare ones more
# often.
CAPACITY = 100_000

DEFAULT_RECALL_SECONDS = 1.0

Ranked = tuple[tuple[str, float], ...]


@dataclass(slots=True)
class Recall:
    """Values no older than `seconds`. Threads may share it. `clock` gives seconds, and never goes
    back.
    """

    seconds: float
    clock: Callable[[], float]
    _items: dict[str, tuple[float, KnownItem]] = field(default_factory=dict)
    _trending: tuple[float, Ranked] | None = None

    def items(self, item_ids: Collection[str]) -> tuple[dict[str, KnownItem], list[str]]:
        """Return the remembered items, and the ids of the others without repeats."""
        oldest = self.clock() - self.seconds
        known: dict[str, KnownItem] = {}
        missing = []
        for item_id in item_ids:
            found = self._items.get(item_id)
            if found is not None and found[0] > oldest:
                known[item_id] = found[1]
            else:
                missing.append(item_id)
        return known, list(dict.fromkeys(missing)) if missing else missing

    def keep_items(self, items: dict[str, KnownItem], read_at: float) -> None:
        """Remember items; `read_at` is the clock when they were asked for."""
        if len(self._items) + len(items) > CAPACITY:
            self._items = {}
        self._items.update({item_id: (read_at, item) for item_id, item in items.items()})

    def trending(self) -> Ranked | None:
        """The trending items, or None when they have to be read."""
        found = self._trending
        return found[1] if found is not None and found[0] > self.clock() - self.seconds else None

    def keep_trending(self, ranked: Ranked, read_at: float) -> None:
        """Remember the trending items; `read_at` is the clock when they were asked for."""
        self._trending = (read_at, ranked)
