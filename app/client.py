"""Headrace for shop back ends: a user's list straight from Redis, without the HTTP process in
between.

from app.client import Headrace

with Headrace("redis://localhost:6379/0") as headrace:
    for item in headrace.recommendations("u1", k=20):
        print(item.item_id, item.title, item.score, item.source)
"""

from collections.abc import Iterable
from time import monotonic
from types import TracebackType
from typing import Self

from redis import ConnectionPool
from redis.exceptions import RedisError
from redis.retry import Retry

from app.concerns import RedisSettings, ServeSettings
from app.store import questions
from app.store.address import bad_address, check_address
from app.store.answers import CatalogueEntry
from app.store.blocking import BlockingRedis
from app.store.connection import PAUSE_BETWEEN_RETRIES, RETRIES, timeouts, translate
from app.store.keys import Keys
from app.store.lists import ListedItem, listed_items
from app.store.questions import Question, T
from app.store.recall import Recall

DEFAULT_PREFIX = RedisSettings().prefix
DEFAULT_RECALL_SECONDS = ServeSettings().recall_seconds


class Headrace:
    """A pooled, thread-safe connection to the lists that the workers keep fresh; share one in a
    process.

    Unknown users get the trending list, and items that are sold out, deleted or defective are left
    out, as over HTTP. Each look-up reads the user's list; what the catalogue says of its items may
    be `recall_seconds` old. Every look-up raises `app.store.connection.StoreAway` when Redis does
    not answer within `timeout_seconds` a round trip, so that a shop page can do without.
    """

    def __init__(
        self,
        url: str,
        *,
        prefix: str = DEFAULT_PREFIX,
        timeout_seconds: float = 1.0,
        recall_seconds: float = DEFAULT_RECALL_SECONDS,
    ) -> None:
        check_address(url)
        retry = Retry(PAUSE_BETWEEN_RETRIES, RETRIES)
        try:
            pool = ConnectionPool.from_url(url, retry=retry, **timeouts(timeout_seconds))
        except ValueError:  # of an option; its text may repeat the value
            raise bad_address("an option after the ? has a value that cannot be read") from None
        self._redis = BlockingRedis(pool)
        self._keys = Keys(prefix)
        self._recall = Recall(recall_seconds, monotonic)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the pooled connections; a later look-up opens new ones."""
        self._redis.close()

    def recommendations(self, user_id: str, *, k: int = 20) -> list[ListedItem]:
        """The user's k best items, best first. Raises StoreAway, UnreadableAnswer."""
        return list(self._ask(questions.ask_recommendations(self._keys, self._recall, user_id, k)).items)

    def recommendations_of(self, user_ids: Iterable[str], *, k: int = 20) -> dict[str, list[ListedItem]]:
        """The k best items of each of these users, in two or three round trips for all of them.

        Raises StoreAway, UnreadableAnswer.
        """
        users = list(dict.fromkeys(user_ids))
        asked = (questions.ask_recommendations(self._keys, self._recall, each, k) for each in users)
        return {
            user: list(found.items) for user, found in zip(users, self._ask(questions.together(asked)), strict=True)
        }

    def similar(self, item_id: str, *, k: int = 20) -> list[ListedItem]:
        """The k items nearest to this one; empty when none are known. Raises StoreAway,
        UnreadableAnswer.
        """
        return list(listed_items(self._ask(questions.ask_similar(self._keys, self._recall, item_id, k))))

    def item(self, item_id: str) -> CatalogueEntry | None:
        """The catalogue entry, or None when it is unknown or deleted. Raises StoreAway,
        UnreadableAnswer.
        """
        return self._ask(questions.ask_item(self._keys, item_id))

    def _ask(self, question: Question[T]) -> T:
        try:
            commands = next(question)
            while True:
                replies = self._redis.exchange(commands)
                commands = question.send(questions.checked(commands, replies))
        except StopIteration as done:
            answer: T = done.value
            return answer
        except (RedisError, OSError) as error:
            raise translate(error) from error
