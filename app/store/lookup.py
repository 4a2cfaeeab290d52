"""The look-ups of the HTTP process: asynchronous, pooled, and never longer than the timeout."""

import asyncio
from collections.abc import Sequence
from time import monotonic
from typing import Any, Self

from redis.exceptions import ConnectionError, RedisError

from app.concerns import RedisSettings
from app.store import questions
from app.store.answers import AllowedEntry, HiddenEntries, LiveFigures, RecentUser
from app.store.catalogue_map import Located, read_located
from app.store.catalogue_pages import CatalogueChoice, CataloguePage, read_catalogue
from app.store.clustered import Place
from app.store.connection import connect
from app.store.packed import PackedRedis
from headrace.answers import UserHistory
from headrace.conversations import Command, Question
from headrace.keys import Keys
from headrace.lookups import AsyncLookups
from headrace.questions import ask_history
from headrace.recall import Recall
from headrace.refusals import translate


class Lookups(AsyncLookups):
    """The look-ups of shops, and those of the console page, on packed connections."""

    def __init__(self, redis: PackedRedis, keys: Keys, recall: Recall, timeout_seconds: float) -> None:
        super().__init__(self._twice, keys, recall, timeout_seconds)
        self._redis = redis

    @classmethod
    def connect(cls, settings: RedisSettings, recall_seconds: float) -> Self:
        """Look-ups on the configured Redis; the first one opens the connection. Raises
        HeadraceError.
        """
        recall = Recall(recall_seconds, monotonic)
        return cls(connect(settings), Keys(settings.prefix), recall, settings.timeout_seconds)

    async def close(self) -> None:
        """Close the pooled connections."""
        await self._redis.aclose()

    async def profile(self, user_id: str) -> UserHistory | None:
        """What the user did lately, or None for an unknown user."""
        return await self.ask(ask_history(self._keys, self._recall, user_id))

    async def recent_users(self, count: int) -> tuple[RecentUser, ...]:
        """The users whose lists were written last."""
        return await self.ask(questions.ask_recent_users(self._keys, count))

    async def catalogue(self, choice: CatalogueChoice, place: Place, k: int) -> CataloguePage:
        """The items of the catalogue from `place` on."""
        try:
            async with asyncio.timeout(self._timeout_seconds):
                return await read_catalogue(self._redis, self._keys, choice, place, k)
        except (RedisError, OSError) as error:
            raise translate(error) from error

    async def located(self) -> Located:
        """Some items of the catalogue with their vectors."""
        try:
            async with asyncio.timeout(self._timeout_seconds):
                return await read_located(self._redis, self._keys)
        except (RedisError, OSError) as error:
            raise translate(error) from error

    async def servers(self) -> tuple[tuple[str, str], ...]:
        """Who holds the keys now. Pages of the catalogue from before a change may lack items."""
        try:
            async with asyncio.timeout(self._timeout_seconds):
                return await self._redis.servers()
        except (RedisError, OSError) as error:
            raise translate(error) from error

    async def hidden(self, count: int) -> HiddenEntries:
        """The items that a verdict on their text hides."""
        return await self.ask(questions.ask_hidden(self._keys, count))

    async def allowed(self) -> list[AllowedEntry]:
        """The items that the shop allows in spite of a verdict."""
        return await self.ask(questions.ask_allowed(self._keys))

    async def live(self) -> LiveFigures:
        """The workers' live figures."""
        return await self.ask(questions.ask_live(self._keys))

    async def ping(self) -> None:
        """Return when Redis answers."""
        await self.ask(_ask_ping())

    async def _twice(self, commands: Sequence[Command]) -> list[Any]:
        try:
            return await self._redis.exchange(commands)
        except ConnectionError:
            # The connection may have died since its last use; a fresh one is worth one try.
            return await self._redis.exchange(commands)


def _ask_ping() -> Question[None]:
    yield [("PING",)]
