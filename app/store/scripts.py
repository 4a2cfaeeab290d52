"""Scripts that Redis runs as one step: they compare what is stored with what a write supersedes.

A script names only keys of one user or of one item, which have one hash tag, so that it works on a
Redis Cluster. The first arguments are the value that is expected and the one that is written.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha1
from typing import Any

from redis.exceptions import NoScriptError

from app.store.packed import Command, PackedRedis

Value = str | bytes | int | float


@dataclass(frozen=True, slots=True)
class Script:
    """A script in Lua for commands with `keys` keys each."""

    text: str
    keys: int
    _sha: str = field(init=False)

    def __post_init__(self) -> None:
        # Redis names a script by this hash; it protects nothing.
        object.__setattr__(self, "_sha", sha1(self.text.encode(), usedforsecurity=False).hexdigest())

    def call(self, *arguments: Value) -> Command:
        """One call by the script's name, for `run`: the keys, then what else the script takes."""
        return ("EVALSHA", self._sha, self.keys, *arguments)

    async def run(self, redis: PackedRedis, calls: Sequence[Command]) -> list[Any]:
        """The reply to each call, in one round trip; in two where the server does not know the
        script, as after its restart.

        Raises RedisError at the first error reply; other calls may have been carried out.
        """
        replies = await redis.exchange(calls)
        unknown = [row for row, reply in enumerate(replies) if isinstance(reply, NoScriptError)]
        if unknown:
            whole: list[Command] = [("EVAL", self.text, *calls[row][2:]) for row in unknown]
            for row, reply in zip(unknown, await redis.exchange(whole), strict=True):
                replies[row] = reply
        for reply in replies:
            if isinstance(reply, Exception):
                raise reply
        return replies
