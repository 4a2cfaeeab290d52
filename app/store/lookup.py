"""The look-ups of the HTTP process: asynchronous, pooled, and never longer than the timeout."""

import asyncio
from typing import Self

from redis.asyncio import Redis
from redis.exceptions import RedisError

from app.concerns import RedisSettings
from app.store import questions
from app.store.answers import (
    CatalogueEntry,
    ListedItem,
    LiveFigures,
    RecentUser,
    RecommendationList,
    UserHistory,
)
from app.store.connection import connect, translate
from app.store.keys import Keys
from app.store.questions import Question, T


class Lookups:
    """Answers out of Redis. Every method raises StoreAway or UnreadableAnswer, and nothing of Redis' own."""

    def __init__(self, redis: Redis, keys: Keys, timeout_seconds: float) -> None:
        self._redis = redis
        self._keys = keys
        self._timeout_seconds = timeout_seconds

    @classmethod
    def connect(cls, settings: RedisSettings) -> Self:
        """Look-ups on the configured Redis; the first one opens the connection. Raises HeadraceError."""
        return cls(connect(settings), Keys(settings.prefix), settings.timeout_seconds)

    async def close(self) -> None:
        """Close the pooled connections."""
        await self._redis.aclose()

    async def recommendations(self, user_id: str, k: int) -> RecommendationList:
        """The user's list, at most k items with titles, or the trending one."""
        return await self._ask(questions.ask_recommendations(self._keys, user_id, k))

    async def similar(self, item_id: str, k: int) -> tuple[ListedItem, ...]:
        """The item's neighbours, at most k, nearest first."""
        return await self._ask(questions.ask_similar(self._keys, item_id, k))

    async def item(self, item_id: str) -> CatalogueEntry | None:
        """The catalogue entry, or None when it is unknown or deleted."""
        return await self._ask(questions.ask_item(self._keys, item_id))

    async def profile(self, user_id: str) -> UserHistory | None:
        """What the user did lately, or None for an unknown user."""
        return await self._ask(questions.ask_history(self._keys, user_id))

    async def recent_users(self, count: int) -> tuple[RecentUser, ...]:
        """The users whose lists were written last."""
        return await self._ask(questions.ask_recent_users(self._keys, count))

    async def live(self) -> LiveFigures:
        """The workers' live figures."""
        return await self._ask(questions.ask_live(self._keys))

    async def ping(self) -> None:
        """Return when Redis answers."""
        await self._ask(_ask_ping())

    async def _ask(self, question: Question[T]) -> T:
        try:
            # The socket timeouts bound each read; this one bounds the whole look-up, retries included.
            async with asyncio.timeout(self._timeout_seconds):
                return await self._converse(question)
        except (RedisError, OSError) as error:
            raise translate(error) from error

    async def _converse(self, question: Question[T]) -> T:
        try:
            commands = next(question)
            while True:
                async with self._redis.pipeline(transaction=False) as pipeline:
                    for command in commands:
                        pipeline.execute_command(*command)
                    replies = await pipeline.execute(raise_on_error=False)
                commands = question.send(questions.checked(commands, replies))
        except StopIteration as done:
            answer: T = done.value
            return answer


def _ask_ping() -> Question[None]:
    yield [("PING",)]
