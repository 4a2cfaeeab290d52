"""Which log a source partition is, remembered beside the profiles that count its offsets."""

from collections.abc import Callable
from dataclasses import dataclass, field

from app.retry import Retry
from app.store.commands import execute
from app.store.keys import Keys
from app.store.packed import Command, PackedRedis
from app.store.scripts import Script
from models.contract.events import RawBatch

MILLISECONDS = 1000


# A name that arrives late must not replace that of a log which was made after it.
REPLACE = Script(
    """
local stored = redis.call('GET', KEYS[1]) or ''
if stored ~= ARGV[1] and stored ~= ARGV[2] then return 0 end
redis.call('SET', KEYS[1], ARGV[2])
return 1
""",
    keys=1,
)


@dataclass(frozen=True, slots=True)
class RedisSources:
    """The `Sources` port on Redis.

    A topic that is made again begins at offset 0 again, and profiles would take its events for
    repeats. The broker's time of a partition's first record tells one log from the next; it is kept
    for when that record is no longer read. A batch of a log that lost its first record, and is
    known to be another one, has the name already.
    """

    redis: PackedRedis
    keys: Keys
    retry: Retry
    _known: dict[str, str] = field(default_factory=dict)

    def forget(self) -> None:
        """Another worker may have begun to read a new log meanwhile."""
        self._known.clear()

    async def restore(self) -> None:
        """Write what is known here into a Redis that lost it: the worker that takes over must find
        the same names.
        """
        commands: list[Command] = [
            ("SET", self.keys.source(place), log, "NX") for place, log in self._known.items() if log
        ]
        await self.retry(lambda: execute(self.redis, commands))

    async def log_of(self, batch: RawBatch, learned: Callable[[], str]) -> str:
        """The name of the log that the batch is from; empty when its beginning was never seen.

        Where Redis lost the name, it is the one that `learned` gives.
        """
        place = f"{batch.topic}-{batch.partition}"
        if batch.offsets[0] == 0 or batch.log:
            log = batch.log or str(round(batch.times[0] * MILLISECONDS))
            if self._known.get(place) != log:
                self._known[place] = await self._remember(place, log)
        elif place not in self._known:
            self._known[place] = await self._load(place) or await self._remember(place, learned())
        return self._known[place]

    async def _load(self, place: str) -> str:
        [stored] = await self.retry(lambda: execute(self.redis, [("GET", self.keys.source(place))]))
        return "" if stored is None else str(stored, "utf-8")  # another text could never be replaced

    async def _remember(self, place: str, log: str) -> str:
        refused = False
        while log:
            before = await self._load(place)
            if before == log or (refused and _age(before) > _age(log)):
                break
            if await self._replace(place, before, log):
                break
            refused = True  # by who wrote meanwhile: the newer log of the two stays
        return log

    async def _replace(self, place: str, before: str, log: str) -> bool:
        call = REPLACE.call(self.keys.source(place), before, log)
        [replaced] = await self.retry(lambda: REPLACE.run(self.redis, [call]))
        return bool(replaced)


def _age(log: str) -> tuple[int, str]:
    """Orders names, which are times in milliseconds."""
    return len(log), log
