"""A store of lists of similar items in memory."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass
class MemorySimilar:
    """The `SimilarStore` port in memory."""

    lists: dict[str, bytes | None] = field(default_factory=dict)
    made_at: dict[str, int] = field(default_factory=dict)
    moments: int = 0

    async def moment(self) -> int:
        self.moments += 1
        return self.moments

    async def write(self, lists: Mapping[str, bytes | None], moment: int) -> None:
        for item_id, encoded in lists.items():
            if moment > self.made_at.get(item_id, -1):
                self.lists[item_id], self.made_at[item_id] = encoded, moment

    async def missing(self, item_ids: Sequence[str]) -> list[str]:
        return [item_id for item_id in item_ids if self.lists.get(item_id) is None]
