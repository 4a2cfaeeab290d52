"""Which log a source partition is, remembered beside the profiles that count its offsets."""

from dataclasses import dataclass, field

from app.retry import Retry
from app.store.commands import execute
from app.store.keys import Keys
from app.store.packed import Command, PackedRedis
from models.contract.events import RawBatch

MILLISECONDS = 1000


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

    async def log_of(self, batch: RawBatch) -> str:
        """The name of the log that the batch is from; empty when its beginning was never seen."""
        place = f"{batch.topic}-{batch.partition}"
        if batch.offsets[0] == 0 or batch.log:
            log = batch.log or str(round(batch.times[0] * MILLISECONDS))
            if self._known.get(place) != log:
                await self.retry(lambda: self.redis.set(self.keys.source(place), log))
                self._known[place] = log
        elif place not in self._known:
            [stored] = await self.retry(lambda: execute(self.redis, [("GET", self.keys.source(place))]))
            self._known[place] = "" if stored is None else stored.decode()
        return self._known[place]
