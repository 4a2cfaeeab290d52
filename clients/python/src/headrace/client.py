"""The look-ups of a shop's back end, straight from Redis."""

from collections.abc import Iterable, Sequence
from time import monotonic
from types import TracebackType

from redis import Redis
from redis.exceptions import RedisError

from headrace import questions
from headrace.address import addresses, host_of
from headrace.answers import CatalogueEntry
from headrace.conversations import Question, T, alone, checked
from headrace.keys import DEFAULT_PREFIX, Keys
from headrace.lists import ListedItem, Page, listed_items
from headrace.nodes import Nodes, is_demoted
from headrace.options import ListOptions
from headrace.pages import FIRST
from headrace.pools import open_pool
from headrace.recall import DEFAULT_RECALL_SECONDS, Recall
from headrace.refusals import translate
from headrace.rules import NO_RULES, Rules
from headrace.slots import Address, Command, Replies


class Headrace:
    """A pooled, thread-safe connection to the lists that the workers keep fresh; share one in a
    process.

    Unknown users get the trending list, and items that are sold out, deleted or defective are left
    out, as over HTTP. Each look-up reads the user's list; what the catalogue says of its items may
    be `recall_seconds` old. Every look-up raises StoreAway when Redis does not answer within
    `timeout_seconds` a round trip, so that a shop page can do without.
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
        self._keys = Keys(prefix)
        self._recall = Recall(recall_seconds, monotonic)

    def __enter__(self) -> "Headrace":
        return self

    def __exit__(
        self, kind: "type[BaseException] | None", error: "BaseException | None", trace: "TracebackType | None"
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the pooled connections; a later look-up opens new ones."""
        for server in list(self._servers.values()):
            server.close()

    def recommendations(
        self, user_id: str, *, k: int = 20, explain: bool = False, rules: Rules = NO_RULES
    ) -> list[ListedItem]:
        """Return the user's k best items, best first; with `explain` each with its reason.

        Raises StoreAway, UnreadableAnswer.
        """
        question = questions.ask_recommendations(
            self._keys, self._recall, user_id, k, ListOptions.of(self._rules, rules, explain=explain)
        )
        return list(self._ask(alone(question)).items)

    def page(
        self, user_id: str, *, k: int = 20, page: str = FIRST, explain: bool = False, rules: Rules = NO_RULES
    ) -> Page:
        """Return a page of the user's list, without what earlier pages showed.

        `page` is the `next` of the page before. Raises StoreAway, UnreadableAnswer, BadPage.
        """
        options = ListOptions.of(self._rules, rules, explain=explain, page=page)
        return Page.of(self._ask(alone(questions.ask_recommendations(self._keys, self._recall, user_id, k, options))))

    def recommendations_of(
        self, user_ids: Iterable[str], *, k: int = 20, explain: bool = False, rules: Rules = NO_RULES
    ) -> dict[str, list[ListedItem]]:
        """Return the k best items of each of these users, in two or three round trips for all.

        A list that cannot be read is empty. Raises StoreAway.
        """
        users = list(dict.fromkeys(user_ids))
        found = self._ask(
            questions.ask_lists(self._keys, self._recall, users, k, ListOptions.of(self._rules, rules, explain=explain))
        )
        return {user: list(each.items) for user, each in zip(users, found, strict=True)}

    def similar(self, item_id: str, *, k: int = 20, explain: bool = False, rules: Rules = NO_RULES) -> list[ListedItem]:
        """Return the k items nearest to this one; empty when none are known.

        Raises StoreAway, UnreadableAnswer.
        """
        question = questions.ask_similar(
            self._keys, self._recall, item_id, k, ListOptions.of(self._rules, rules, explain=explain)
        )
        return list(listed_items(self._ask(alone(question))))

    def item(self, item_id: str) -> "CatalogueEntry | None":
        """Return the catalogue entry, or None when it is unknown or deleted.

        Raises StoreAway, UnreadableAnswer.
        """
        return self._ask(alone(questions.ask_item(self._keys, item_id)))

    def _ask(self, question: Question[T]) -> T:
        try:
            commands = next(question)
            while True:
                commands = question.send(checked(commands, self._exchange(commands)))
        except StopIteration as done:
            answer: T = done.value
            return answer
        except (RedisError, OSError) as error:
            raise translate(error) from error

    def _exchange(self, commands: Sequence[Command]) -> Replies:
        conversation = self._nodes.exchange(commands)
        try:
            asked = next(conversation)
            while True:
                asked = conversation.send({node: self._answer(node, sent) for node, sent in asked.items()})
        except StopIteration as done:
            replies: Replies = done.value
            return replies

    def _answer(self, node: Address, commands: Sequence[Command]) -> "Replies | Exception":
        server = self._server(node)
        try:
            with server.pipeline(transaction=False) as pipeline:
                for command in commands:
                    pipeline.execute_command(*command)  # type: ignore[no-untyped-call]  # redis-py has no types here
                replies = pipeline.execute(raise_on_error=False)
        except (RedisError, OSError) as error:
            return error
        if is_demoted(replies):
            server.connection_pool.disconnect(inuse_connections=False)
        return replies

    def _server(self, node: Address) -> Redis:
        if node not in self._servers:
            given = {**self._pool.connection_kwargs, "host": node[0], "port": node[1]}
            pool = type(self._pool)(connection_class=self._pool.connection_class, **given)
            self._servers[node] = Redis.from_pool(pool)
        return self._servers[node]
