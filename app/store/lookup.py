"""The look-ups of the HTTP process: asynchronous, pooled, and never longer than the timeout."""

import asyncio
from collections.abc import Sequence
from time import monotonic
from typing import Any, Self

from redis.exceptions import ConnectionError, RedisError

from app.concerns import RedisSettings
from app.store import questions
from app.store.answers import AllowedEntry, CatalogueEntry, HiddenEntries, LiveFigures, RecentUser, UserHistory
from app.store.catalogue_pages import CatalogueChoice, CataloguePage, read_catalogue
from app.store.clustered import Place
from app.store.connection import connect, translate
from app.store.keys import Keys
from app.store.lists import RecommendationList, Row
from app.store.packed import PackedRedis
from app.store.questions import Command, Question, T
from app.store.recall import Recall


class Lookups:
    """Answers out of Redis. Every method raises StoreAway or UnreadableAnswer, and nothing of
    Redis' own.
    """

    def __init__(self, redis: PackedRedis, keys: Keys, recall: Recall, timeout_seconds: float) -> None:
        self._redis = redis
        self._keys = keys
        self._recall = recall
        self._timeout_seconds = timeout_seconds

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

    async def recommendations(self, user_id: str, k: int) -> RecommendationList:
        """The user's list, at most k items with titles, or the trending one."""
        return await self._ask(questions.ask_recommendations(self._keys, self._recall, user_id, k))

    async def recommendations_of(self, user_ids: Sequence[str], k: int) -> list[RecommendationList]:
        """The lists of these users, in their order, in the round trips of one."""
        asked = (questions.ask_recommendations(self._keys, self._recall, each, k) for each in user_ids)
        return await self._ask(questions.together(asked))

    async def similar(self, item_id: str, k: int) -> list[Row]:
        """The item's neighbours, at most k, nearest first."""
        return await self._ask(questions.ask_similar(self._keys, self._recall, item_id, k))

    async def item(self, item_id: str) -> CatalogueEntry | None:
        """The catalogue entry, or None when it is unknown or deleted."""
        return await self._ask(questions.ask_item(self._keys, item_id))

    async def profile(self, user_id: str) -> UserHistory | None:
        """What the user did lately, or None for an unknown user."""
        return await self._ask(questions.ask_history(self._keys, self._recall, user_id))

    async def recent_users(self, count: int) -> tuple[RecentUser, ...]:
        """The users whose lists were written last."""
        return await self._ask(questions.ask_recent_users(self._keys, count))

    async def catalogue(self, choice: CatalogueChoice, place: Place, k: int) -> CataloguePage:
        """The items of the catalogue from `place` on."""
        try:
            async with asyncio.timeout(self._timeout_seconds):
                return await read_catalogue(self._redis, self._keys, choice, place, k)
        except (RedisError, OSError) as error:
            raise translate(error) from error

    async def hidden(self, count: int) -> HiddenEntries:
        """The items that a verdict on their text hides."""
        return await self._ask(questions.ask_hidden(self._keys, count))

    async def allowed(self) -> list[AllowedEntry]:
        """The items that the shop allows in spite of a verdict."""
        return await self._ask(questions.ask_allowed(self._keys))

    async def live(self) -> LiveFigures:
        """The workers' live figures."""
        return await self._ask(questions.ask_live(self._keys))

    async def ping(self) -> None:
        """Return when Redis answers."""
        await self._ask(_ask_ping())

    async def _ask(self, question: Question[T]) -> T:
        try:
            # The socket timeouts bound each read; this one bounds the whole look-up, retries
            # included.
            async with asyncio.timeout(self._timeout_seconds):
                return await self._converse(question)
        except (RedisError, OSError) as error:
            raise translate(error) from error

    async def _converse(self, question: Question[T]) -> T:
        try:
            commands = next(question)
            while True:
                replies = await self._exchange(commands)
                commands = question.send(questions.checked(commands, replies))
        except StopIteration as done:
            answer: T = done.value
            return answer

    async def _exchange(self, commands: Sequence[Command]) -> list[Any]:
        try:
            return await self._redis.exchange(commands)
        except ConnectionError:
            # The connection may have died since its last use; a fresh one is worth one try.
            return await self._redis.exchange(commands)


def _ask_ping() -> Question[None]:
    yield [("PING",)]
