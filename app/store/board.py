"""What look-ups and the console read besides lists: trending items and the worker's live
figures.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import orjson

from app.store.commands import execute
from app.store.keys import Keys
from app.store.packed import Command, PackedRedis

FIGURES_EXPIRE_SECONDS = 10
TRENDING_EXPIRE_SECONDS = 30 * 86_400
RECENT_USERS = 50


@dataclass(frozen=True, slots=True)
class Board:
    """Writes the keys that are replaced whole, so that writing them twice changes nothing."""

    redis: PackedRedis
    keys: Keys

    async def trending(
        self, overall: Mapping[str, float], by_category: Mapping[str, Mapping[str, float]], *, known_only: bool
    ) -> None:
        """Replace the trending lists: popularity by item id, overall and per category.

        `known_only` tells look-ups to leave out what the catalogue lacks, also of lists that were
        written before.
        """
        named = {self.keys.trending(): overall}
        named |= {self.keys.trending(category): popular for category, popular in by_category.items()}
        # A transaction each, so that no reader finds a list empty while it is replaced.
        commands: list[Command] = [
            ("SET", self.keys.known_only(), int(known_only), "EX", TRENDING_EXPIRE_SECONDS),
        ]
        for key, popular in named.items():
            commands += [("MULTI",), ("DEL", key)]
            if popular:
                entries = [part for item_id, share in popular.items() for part in (share, item_id)]
                commands += [("ZADD", key, *entries), ("EXPIRE", key, TRENDING_EXPIRE_SECONDS)]
            commands.append(("EXEC",))
        await execute(self.redis, commands)

    async def figures(self, worker_id: str, figures: Mapping[str, object], now: float) -> None:
        """Replace one worker's live figures; they vanish when the worker falls silent."""
        commands: list[Command] = [
            ("SET", self.keys.worker(worker_id), orjson.dumps(figures), "EX", FIGURES_EXPIRE_SECONDS),
            ("ZADD", self.keys.workers(), now, worker_id),
            ("ZREMRANGEBYSCORE", self.keys.workers(), "-inf", now - FIGURES_EXPIRE_SECONDS),
        ]
        await execute(self.redis, commands)

    async def recent_users(self, user_ids: Sequence[str], now: float) -> None:
        """Add users whose lists were just written, oldest first; the newest few are kept, for the
        console to offer.
        """
        # A microsecond apart, so that equal scores do not sort them by id.
        newest_first = dict.fromkeys(reversed(user_ids))
        entries = [part for age, user in enumerate(newest_first) for part in (now - 1e-6 * age, user)]
        commands: list[Command] = [("ZADD", self.keys.recent_users(), *entries)] if entries else []
        commands.append(("ZREMRANGEBYRANK", self.keys.recent_users(), 0, -RECENT_USERS - 1))
        await execute(self.redis, commands)
