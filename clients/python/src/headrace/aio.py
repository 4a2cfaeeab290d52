"""The look-ups of a shop's back end that runs asyncio, straight from Redis."""

import asyncio
from collections.abc import Iterable, Sequence
from time import monotonic
from types import TracebackType

from redis.asyncio import ConnectionPool, Redis
from redis.exceptions import RedisError

from headrace.address import addresses, host_of
from headrace.aio_pools import open_pool
from headrace.answers import CatalogueEntry
from headrace.keys import DEFAULT_PREFIX, Keys
from headrace.lists import ListedItem, Page, listed_items
from headrace.lookups import AsyncLookups
from headrace.nodes import Nodes, is_demoted
from headrace.options import ListOptions
from headrace.pages import FIRST
from headrace.recall import DEFAULT_RECALL_SECONDS, Recall
from headrace.rules import NO_RULES, Rules
from headrace.slots import Address, Command, Replies


class AsyncHeadrace:
    """A pooled connection to the lists that the workers keep fresh; share one in an event loop.

    The look-ups are those of `Headrace`. None takes longer than `timeout_seconds`.
    """

    def __init__(
        self,
        url: str,
        *,
        prefix: str = DEFAULT_PREFIX,
        timeout_seconds: float = 1.0,
        recall_seconds: float = DEFAULT_RECALL_SECONDS,
        rules: Rules = NO_RULES,
    ) -> None:
        """Open no connection yet. `rules` hold for all look-ups of lists.

        Raises UnusableSetting for an address that cannot be used.
        """
        self._rules = rules
        pool = open_pool(url, timeout_seconds)
        given = pool.connection_kwargs
        first: Address = (given.get("host", "localhost"), int(given.get("port", 6379)))
        self._pool = pool
        self._servers: dict[Address, Redis] = {first: Redis.from_pool(pool)}
        self._nodes = Nodes(first, [host_of(each) for each in addresses(url)[1:]])
        recall = Recall(recall_seconds, monotonic)
        self._lookups = AsyncLookups(self._exchange, Keys(prefix), recall, timeout_seconds)

    async def __aenter__(self) -> "AsyncHeadrace":
        return self

    async def __aexit__(
        self, kind: "type[BaseException] | None", error: "BaseException | None", trace: "TracebackType | None"
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the pooled connections."""
        for server in list(self._servers.values()):
            await server.aclose()

    async def recommendations(
        self, user_id: str, *, k: int = 20, explain: bool = False, rules: Rules = NO_RULES
    ) -> list[ListedItem]:
        """Return the user's k best items, best first; with `explain` each with its reason.

        Raises StoreAway, UnreadableAnswer.
        """
        return list(
            (await self._lookups.recommendations(user_id, k, ListOptions.of(self._rules, rules, explain=explain))).items
        )

    async def page(
        self, user_id: str, *, k: int = 20, page: str = FIRST, explain: bool = False, rules: Rules = NO_RULES
    ) -> Page:
        """Return a page of the user's list, without what earlier pages showed.

        `page` is the `next` of the page before. Raises StoreAway, UnreadableAnswer, BadPage.
        """
        options = ListOptions.of(self._rules, rules, explain=explain, page=page)
        return Page.of(await self._lookups.recommendations(user_id, k, options))

    async def recommendations_of(
        self, user_ids: Iterable[str], *, k: int = 20, explain: bool = False, rules: Rules = NO_RULES
    ) -> dict[str, list[ListedItem]]:
        """Return the k best items of each of these users, in two or three round trips for all.

        A list that cannot be read is empty. Raises StoreAway.
        """
        users = list(dict.fromkeys(user_ids))
        found = await self._lookups.recommendations_of(users, k, ListOptions.of(self._rules, rules, explain=explain))
        return {user: list(each.items) for user, each in zip(users, found, strict=True)}

    async def similar(
        self, item_id: str, *, k: int = 20, explain: bool = False, rules: Rules = NO_RULES
    ) -> list[ListedItem]:
        """Return the k items nearest to this one; empty when none are known.

        Raises StoreAway, UnreadableAnswer.
        """
        return list(
            listed_items(await self._lookups.similar(item_id, k, ListOptions.of(self._rules, rules, explain=explain)))
        )

    async def item(self, item_id: str) -> "CatalogueEntry | None":
        """Return the catalogue entry, or None when it is unknown or deleted.

        Raises StoreAway, UnreadableAnswer.
        """
        return await self._lookups.item(item_id)

    async def _exchange(self, commands: Sequence[Command]) -> Replies:
        conversation = self._nodes.exchange(commands)
        try:
            asked = next(conversation)
            while True:
                answers = await asyncio.gather(*(self._answer(node, sent) for node, sent in asked.items()))
                asked = conversation.send(dict(zip(asked, answers, strict=True)))
        except StopIteration as done:
            replies: Replies = done.value
            return replies

    async def _answer(self, node: Address, commands: Sequence[Command]) -> "Replies | Exception":
        server = self._server(node)
        try:
            async with server.pipeline(transaction=False) as pipeline:
                for command in commands:
                    pipeline.execute_command(*command)
                replies = await pipeline.execute(raise_on_error=False)
        except (RedisError, OSError) as error:
            return error
        if is_demoted(replies):
            await server.connection_pool.disconnect(inuse_connections=False)
        return replies

    def _server(self, node: Address) -> Redis:
        if node not in self._servers:
            given = {**self._pool.connection_kwargs, "host": node[0], "port": node[1]}
            pool: ConnectionPool = type(self._pool)(connection_class=self._pool.connection_class, **given)
            self._servers[node] = Redis.from_pool(pool)
        return self._servers[node]
