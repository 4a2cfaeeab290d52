"""The look-ups of a process that runs asyncio, on any way to Redis: the server has its own."""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from redis.exceptions import RedisError

from headrace import questions
from headrace.answers import CatalogueEntry
from headrace.conversations import Command, Question, T, alone, checked
from headrace.keys import Keys
from headrace.lists import RecommendationList, Row
from headrace.options import PLAIN, ListOptions
from headrace.recall import Recall
from headrace.refusals import translate

Exchange = Callable[[Sequence[Command]], Awaitable["list[Any]"]]


class AsyncLookups:
    """Answers out of Redis, never later than the timeout. Every method raises StoreAway or
    UnreadableAnswer, and nothing of Redis' own.
    """

    def __init__(self, exchange: Exchange, keys: Keys, recall: Recall, timeout_seconds: float) -> None:
        """`exchange` gives the reply to each command, with error replies as exceptions."""
        self._exchange = exchange
        self._keys = keys
        self._recall = recall
        self._timeout_seconds = timeout_seconds

    async def recommendations(self, user_id: str, k: int, options: ListOptions = PLAIN) -> RecommendationList:
        """The user's list, at most k items with titles, or the trending one."""
        return await self.ask(questions.ask_recommendations(self._keys, self._recall, user_id, k, options))

    async def recommendations_of(
        self, user_ids: Sequence[str], k: int, options: ListOptions = PLAIN
    ) -> list[RecommendationList]:
        """The lists of these users, in their order, in the round trips of one.

        A list that cannot be read is empty.
        """
        return await self._bounded(questions.ask_lists(self._keys, self._recall, user_ids, k, options))

    async def similar(self, item_id: str, k: int, options: ListOptions = PLAIN) -> list[Row]:
        """The item's neighbours, at most k, nearest first."""
        return await self.ask(questions.ask_similar(self._keys, self._recall, item_id, k, options))

    async def item(self, item_id: str) -> "CatalogueEntry | None":
        """The catalogue entry, or None when it is unknown or deleted."""
        return await self.ask(questions.ask_item(self._keys, item_id))

    async def ask(self, question: Question[T]) -> T:
        """The answer to a question."""
        return await self._bounded(alone(question))

    async def _bounded(self, question: Question[T]) -> T:
        try:
            # The socket timeouts bound each read; this one bounds the whole look-up, retries
            # included.
            if sys.version_info < (3, 11):
                return await asyncio.wait_for(self._converse(question), self._timeout_seconds)
            async with asyncio.timeout(self._timeout_seconds):
                return await self._converse(question)
        except (asyncio.TimeoutError, RedisError, OSError) as error:
            raise translate(error) from error

    async def _converse(self, question: Question[T]) -> T:
        try:
            commands = next(question)
            while True:
                commands = question.send(checked(commands, await self._exchange(commands)))
        except StopIteration as done:
            answer: T = done.value
            return answer
