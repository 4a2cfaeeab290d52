"""Many Redis commands in one round trip, where an error reply is an error."""

from collections.abc import Sequence
from typing import Any

from app.store.packed import Command, PackedRedis


async def execute(redis: PackedRedis, commands: Sequence[Command]) -> list[Any]:
    """The reply to each command. Raises RedisError at the first error reply; others may have been
    carried out.
    """
    replies = await redis.exchange(commands)
    for reply in replies:
        if isinstance(reply, Exception):
            raise reply
    return replies
