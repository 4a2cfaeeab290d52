"""The `Members` port in memory, with a clock that the test moves."""

from dataclasses import dataclass, field

from agents.members import Announced, Member

SILENT = 10


@dataclass
class MemoryMembers:
    """Who announced itself when, in seconds of the test's clock."""

    now: int = 0
    since: dict[str, int] = field(default_factory=dict)
    members: dict[str, Member] = field(default_factory=dict)
    away: bool = False

    async def announce(self, worker_id: str, terms: bytes) -> Announced:
        if self.away:
            raise OSError("away")
        self.now += 1
        self._remove_silent()
        self.since.setdefault(worker_id, self.now)
        self.members[worker_id] = Member(worker_id, self.now, terms)
        mine = self.since[worker_id]
        others = [each for each in await self.living() if each.worker_id != worker_id]
        return Announced(
            [each for each in others if self.since[each.worker_id] < mine],
            [each for each in others if self.since[each.worker_id] > mine],
        )

    async def living(self) -> list[Member]:
        living = [each for each in self.members.values() if self.now - each.beat <= SILENT]
        return sorted(living, key=lambda each: self.since[each.worker_id])

    async def leave(self, worker_id: str) -> None:
        self.members.pop(worker_id, None)
        self.since.pop(worker_id, None)

    def _remove_silent(self) -> None:
        for name in [name for name, each in self.members.items() if self.now - each.beat > SILENT]:
            del self.members[name], self.since[name]
