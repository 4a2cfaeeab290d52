"""Which workers live, in one hash of Redis: by worker, when it first and last announced itself, and
its terms.

Times are those of Redis in microseconds, so that no two clocks are compared. A script reads,
removes the silent ones and writes in one step: of two workers that start at the same moment, one is
the first.
"""

from dataclasses import dataclass

from agents.members import Announced, Member
from app.store.commands import execute
from app.store.keys import Keys
from app.store.packed import PackedRedis

SILENT_SECONDS = 10.0
# ARGV: the worker, its terms, after how many microseconds a worker is gone. Replies with the time
# of its first announcement, then id and entry of each other worker.
ANNOUNCE = """
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local found, since, others = redis.call('HGETALL', KEYS[1]), string.format('%.0f', now), {}
for i = 1, #found, 2 do
  local first, last = string.match(found[i + 1], '^(%d+) (%d+) ')
  local lives = first and now - last <= tonumber(ARGV[3])
  if not lives then
    if ARGV[1] ~= '' then redis.call('HDEL', KEYS[1], found[i]) end
  elseif found[i] == ARGV[1] then since = first
  else others[#others + 1] = found[i]; others[#others + 1] = found[i + 1] end
end
if ARGV[1] ~= '' then
  redis.call('HSET', KEYS[1], ARGV[1], since .. ' ' .. string.format('%.0f', now) .. ' ' .. ARGV[2])
  redis.call('PEXPIRE', KEYS[1], math.floor(ARGV[3] / 1000) * 2)
end
return {since, others}
"""
NOBODY = ""


@dataclass(frozen=True, slots=True)
class RedisMembers:
    """The `Members` port on Redis. Its calls are not repeated: the next announcement comes soon."""

    redis: PackedRedis
    keys: Keys
    silent_seconds: float = SILENT_SECONDS

    async def announce(self, worker_id: str, terms: bytes) -> Announced:
        """Say that this worker lives, and return the others. Raises RedisError and OSError."""
        since, others = await self._run(worker_id, terms)
        earlier = [member for first, member in others if (first, member.worker_id) < (since, worker_id)]
        later = [member for first, member in others if (first, member.worker_id) > (since, worker_id)]
        return Announced(earlier, later)

    async def living(self) -> list[Member]:
        """Return all workers that live, the earliest first. Raises RedisError and OSError."""
        _, others = await self._run(NOBODY, b"")
        return [member for _, member in others]

    async def leave(self, worker_id: str) -> None:
        """Take this worker out. Raises RedisError and OSError."""
        await execute(self.redis, [("HDEL", self.keys.members(), worker_id)])

    async def _run(self, worker_id: str, terms: bytes) -> tuple[int, list[tuple[int, Member]]]:
        silent = int(self.silent_seconds * 1e6)
        [(since, flat)] = await execute(
            self.redis, [("EVAL", ANNOUNCE, 1, self.keys.members(), worker_id, terms, silent)]
        )
        others = []
        for name, entry in zip(flat[::2], flat[1::2], strict=True):
            first, beat, found = entry.split(b" ", 2)
            others.append((int(first), Member(name.decode(), int(beat), found)))
        return int(since), sorted(others)
