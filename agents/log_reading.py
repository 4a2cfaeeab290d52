"""Reads profiles from the log, as many as fit into memory."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from agents.upkeep_ports import InteractionLog
from models.users.rebuilding import Rebuilding, Users
from models.users.share import Share

USERS_AT_ONCE = 100_000  # 0.5 to 2 kB each
LOADED_AT_ONCE = 500


class ReadProfiles(NamedTuple):
    """Profiles out of the log, the users for whom there was no room, and how many records were
    read.
    """

    rebuilt: Rebuilding
    rest: list[Users]
    records: int


async def read_profiles(log: InteractionLog, rebuilt: Rebuilding, most: int = USERS_AT_ONCE) -> ReadProfiles:
    """Read the whole log into `rebuilt`, of which at most `most` users are kept.

    Users that were chosen one by one are all kept.
    """
    rest, count = list[Users](), 0
    log.rewind()
    async for batch in log.read():
        rebuilt.apply(batch)
        count += len(batch)
        while len(rebuilt) > most and isinstance(rebuilt.users, Share):
            share, other = rebuilt.users.halves()
            rebuilt.narrow(share)
            rest.append(other)
    return ReadProfiles(rebuilt, rest, count)


async def read_on(log: InteractionLog, rebuilt: Rebuilding) -> None:
    """Read what was appended since."""
    async for batch in log.read():
        rebuilt.apply(batch)


def portions(user_ids: Sequence[str]) -> Iterator[Sequence[str]]:
    """The users, as many at a time as are loaded at once."""
    for start in range(0, len(user_ids), LOADED_AT_ONCE):
        yield user_ids[start : start + LOADED_AT_ONCE]
