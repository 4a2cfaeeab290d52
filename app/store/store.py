"""Gives a worker its Redis: one connection pool, the key names, and how calls are retried."""

from dataclasses import dataclass

from prometheus_client import Counter
from redis.exceptions import RedisError

from app.concerns import RedisSettings
from app.health import Health
from app.retry import Retry
from app.store.commands import execute
from app.store.connection import connect
from app.store.keys import Keys
from app.store.packed import PackedRedis
from headrace.refusals import advice, refuses

# Errors that redis-py raises while Redis is away.
STORE_ERRORS = (RedisError, OSError)


@dataclass(frozen=True, slots=True)
class Store:
    """What every adapter of a worker needs to reach Redis."""

    redis: PackedRedis
    keys: Keys
    retry: Retry

    async def answers(self) -> None:
        """Wait until Redis answers, however long that takes."""
        await self.retry(lambda: execute(self.redis, [("PING",)]))

    async def close(self) -> None:
        """Close the connections."""
        await self.redis.aclose()


def open_store(settings: RedisSettings, health: Health, retries: Counter) -> Store:
    """Return the configured Redis. The first call opens a connection.

    Raises HeadraceError for an address that cannot be used.
    """
    retry = Retry("Redis", STORE_ERRORS, health, retries, refuses=refuses, advice=advice)
    return Store(connect(settings), Keys(settings.prefix), retry)
