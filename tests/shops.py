"""A shop in a real Redis, and the HTTP process in front of it. Loaded as a pytest plugin."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from time import monotonic
from typing import Any
from uuid import uuid4

import orjson
import pytest
from aiohttp.test_utils import TestClient, TestServer
from aiohttp.web import Application, Request
from prometheus_client import CollectorRegistry
from redis import Redis

from app.concerns import HttpSettings, KafkaSettings, RedisSettings, ServeSettings
from app.store.connection import HashFields
from app.store.keys import Keys
from app.store.lookup import Lookups
from app.store.packed import PackedRedis
from app.web.server import ServeConcerns, Surroundings, build_application
from headrace.recall import Recall

Http = TestClient[Request, Application]
NOW = 1_760_000_000.0


@dataclass
class Shop:
    """Writes what a worker would write, as the contract says."""

    redis: Redis
    keys: Keys

    def item(self, item_id: str, **given: str) -> None:
        fields: HashFields = {name: value for name, value in given.items()}
        self.redis.hset(self.keys.item(item_id), mapping=fields)

    def hide(self, *item_ids: str) -> None:
        """Publish which items are hidden, newest first."""
        self.redis.zadd(self.keys.hidden(), {item: float(-row) for row, item in enumerate(item_ids)})

    def delete_item(self, item_id: str) -> None:
        self.redis.delete(self.keys.item(item_id))
        self.item(item_id, available="0", deleted="1")

    def listed(self, user_id: str, *item_ids: str, event_ts: float = NOW, generated_at: float = NOW) -> None:
        body = {
            "user_id": user_id,
            "items": self._scored(item_ids, "neighbours"),
            "event_ts": event_ts,
            "generated_at": generated_at,
            "model": "vmis-knn",
        }
        self.redis.set(self.keys.recommendation(user_id), orjson.dumps(body))
        self.redis.zadd(self.keys.recent_users(), {user_id: generated_at})

    def similar(self, item_id: str, *item_ids: str, sessions: int = 0) -> None:
        rows = [each | ({"sessions": sessions} if sessions else {}) for each in self._scored(item_ids, "neighbours")]
        self.redis.set(self.keys.similar(item_id), orjson.dumps(rows))

    def trending(self, *item_ids: str) -> None:
        self.redis.zadd(self.keys.trending(), {item: 100.0 - rank for rank, item in enumerate(item_ids)})

    def lists_known_only(self) -> None:
        self.redis.set(self.keys.known_only(), b"1")

    def history(self, user_id: str, *rows: tuple[str, float, str]) -> None:
        counts = {"view": 2.0, "click": 1.0, "order": 0.0, "at": NOW}
        self.redis.hset(
            self.keys.profile(user_id),
            mapping={"recent": orjson.dumps(rows), "counts": orjson.dumps(counts), "offsets": b"{}"},
        )

    def worker(self, worker_id: str, **figures: Any) -> None:
        body = {"worker_id": worker_id, "ts": NOW, **figures}
        self.redis.set(self.keys.worker(worker_id), orjson.dumps(body), ex=10)
        self.redis.zadd(self.keys.workers(), {worker_id: NOW})

    def _scored(self, item_ids: tuple[str, ...], source: str) -> list[dict[str, Any]]:
        return [
            {"item_id": item, "score": round(1.0 - rank / 100, 4), "source": source}
            for rank, item in enumerate(item_ids)
        ]


@pytest.fixture
def redis_settings(redis_url: str) -> RedisSettings:
    """Return settings with a prefix that keeps the keys of each test apart on the shared server."""
    return RedisSettings(url=redis_url, prefix=f"test-{uuid4().hex}:", timeout_seconds=2.0)


@pytest.fixture
def shop(redis_settings: RedisSettings) -> Iterator[Shop]:
    with Redis.from_url(redis_settings.url) as redis:
        yield Shop(redis, Keys(redis_settings.prefix))


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
async def http(redis_settings: RedisSettings, registry: CollectorRegistry) -> AsyncIterator[Http]:
    async with client_of(redis_settings, registry) as client:
        yield client


def lookups_on(redis: PackedRedis, keys: Keys) -> Lookups:
    """Look-ups that remember nothing, on a connection of the caller's."""
    return Lookups(redis, keys, Recall(0.0, monotonic), 5.0)


def client_of(
    redis: RedisSettings,
    registry: CollectorRegistry,
    kafka: KafkaSettings | None = None,
    pictures_from: str = "",
    **http: Any,
) -> Http:
    """Yield a client of the HTTP process on this Redis. With a Kafka, it accepts clicks.

    `http` holds settings of who may ask.
    """
    # Tests change items and look at once.
    serve = ServeSettings(accept_events=kafka is not None, recall_seconds=0, pictures_from=pictures_from)
    concerns = ServeConcerns(serve, redis, kafka or KafkaSettings(), HttpSettings(**http))
    return TestClient(TestServer(build_application(concerns, Surroundings(registry))))
