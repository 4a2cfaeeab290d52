"""Redis as a worker uses it: one connection pool, the names of the keys, and how calls are tried again."""

from dataclasses import dataclass

from prometheus_client import Counter
from redis.exceptions import RedisError

from app.concerns import RedisSettings
from app.health import Health
from app.retry import Retry
from app.store.connection import connect, refuses
from app.store.keys import Keys
from app.store.packed import PackedRedis

# What a Redis that is away raises.
STORE_ERRORS = (RedisError, OSError)


@dataclass(frozen=True, slots=True)
class Store:
    """What every adapter of a worker needs to reach Redis."""

    redis: PackedRedis
    keys: Keys
    retry: Retry

    async def answers(self) -> None:
        """Return once Redis answers, however long it is away."""
        await self.retry(self.redis.ping)

    async def close(self) -> None:
        """Disconnect."""
        await self.redis.aclose()


def open_store(settings: RedisSettings, health: Health, retries: Counter) -> Store:
    """The configured Redis; the first call opens a connection. Raises HeadraceError for an address of no use."""
    retry = Retry("Redis", STORE_ERRORS, health, retries, refuses=refuses)
    return Store(connect(settings), Keys(settings.prefix), retry)
