"""How Redis is reached and what its failures mean, the same for the look-up process and the shop's client."""

from collections.abc import Mapping
from typing import TypedDict

from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import (
    ClusterDownError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisError,
    ResponseError,
    TryAgainError,
)

from app.concerns import RedisSettings
from app.errors import HeadraceError
from app.store.packed import PackedRedis

HashFields = Mapping[
    bytes | bytearray | memoryview | str | int | float, bytes | bytearray | memoryview | str | int | float
]


# Refusals that pass by themselves; redis-py has no classes for the last three.
PASSING = (OutOfMemoryError, ReadOnlyError, TryAgainError, ClusterDownError)
PASSING_TEXTS = ("BUSY Redis", "MISCONF ", "NOREPLICAS ")


class StoreAway(HeadraceError):
    """Redis cannot be reached, or did not answer in time."""


class UnreadableAnswer(HeadraceError):
    """A Redis key holds something that Headrace did not write."""


class Timeouts(TypedDict):
    """The keyword arguments that bound each step of a Redis call, in seconds."""

    socket_timeout: float
    socket_connect_timeout: float


RETRIES = 1  # a pooled connection may have died since its last use; a fresh one is worth one try
PAUSE_BETWEEN_RETRIES = NoBackoff()


def timeouts(seconds: float) -> Timeouts:
    """Bound connecting and answering alike."""
    return {"socket_timeout": seconds, "socket_connect_timeout": seconds}


def translate(error: RedisError | OSError) -> HeadraceError:
    """The error that callers see. Its text never holds the Redis URL, which may carry a password."""
    if isinstance(error, ResponseError):
        return UnreadableAnswer(f"Redis refused the look-up: {error}. Does another program use the same prefix?")
    return StoreAway(
        f"Redis does not answer: {str(error) or type(error).__name__}. Is it up, is HEADRACE_REDIS_URL right?"
    )


def refuses(error: Exception) -> bool:
    """Whether Redis understood the command and would not carry it out the next time either."""
    if not isinstance(error, ResponseError) or isinstance(error, PASSING):
        return False
    return not any(text in str(error) for text in PASSING_TEXTS)


def bad_address(error: ValueError) -> HeadraceError:
    """The error for an address that cannot be parsed."""
    return HeadraceError(f"HEADRACE_REDIS_URL cannot be used: {error}; write redis://host:6379/0")


def connect(settings: RedisSettings) -> PackedRedis:
    """The configured Redis, asynchronous and pooled; the first call opens a connection. Raises HeadraceError."""
    retry = Retry(PAUSE_BETWEEN_RETRIES, RETRIES)
    try:
        return PackedRedis.from_url(settings.url, retry=retry, **timeouts(settings.timeout_seconds))
    except ValueError as error:
        raise bad_address(error) from None
