"""How Redis is reached and what its failures mean, the same for the look-up process and the shop's
client.
"""

from collections.abc import Mapping
from typing import Any, TypedDict, cast

from redis.asyncio.connection import AbstractConnection, ConnectionPool
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import (
    AskError,
    AuthenticationError,
    ClusterDownError,
    NoPermissionError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisError,
    ResponseError,
    TryAgainError,
)
from typing_extensions import override

from app.concerns import RedisSettings
from app.errors import HeadraceError, in_words
from app.store.address import bad_address, check_address
from app.store.packed import DEMOTED, PackedRedis

HashFields = Mapping[
    bytes | bytearray | memoryview | str | int | float, bytes | bytearray | memoryview | str | int | float
]


# Refusals that pass by themselves; redis-py has no classes for the last three. A cluster that still
# redirects after some rounds is changing.
PASSING = (OutOfMemoryError, ReadOnlyError, TryAgainError, ClusterDownError, AskError)  # MovedError is an AskError
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
    """The error that callers see. Its text never holds the Redis URL, which may carry a
    password.
    """
    if isinstance(error, RedisError) and refuses(error):
        return UnreadableAnswer(f"Redis refused the look-up: {in_words(error)}. {advice(error)}")
    if isinstance(error, AuthenticationError):
        return StoreAway(
            f"Redis does not let us in: {in_words(error)}. Are user and password in HEADRACE_REDIS_URL right?"
        )
    return StoreAway(f"Redis does not answer: {in_words(error)}. Is it up, is HEADRACE_REDIS_URL right?")


def refuses(error: Exception) -> bool:
    """Whether Redis understood the command and would not carry it out the next time either."""
    if not isinstance(error, ResponseError) or isinstance(error, PASSING):
        return False
    return not any(text in str(error) for text in PASSING_TEXTS)


def advice(error: Exception) -> str:
    """What to do about a refusal that does not pass."""
    if isinstance(error, NoPermissionError):
        return "Give this user the rights that docs/operations.md lists."
    return "Does another program use the same HEADRACE_REDIS_PREFIX?"


class _Connection(AbstractConnection):
    """Notes that its server is no primary any more; one of redis-py's kinds of connection comes
    with it.
    """

    demoted = False

    @override
    async def read_response(self, *args: Any, **kwargs: Any) -> Any:
        try:
            return await super().read_response(*args, **kwargs)
        except DEMOTED:
            self.demoted = True
            raise


class _Pool(ConnectionPool):
    """Connects again after a failover behind one address, which leaves the connections to the old
    primary open.
    """

    @override
    async def release(self, connection: AbstractConnection) -> None:
        demoted = connection if isinstance(connection, _Connection) and connection.demoted else None
        if demoted is not None:
            demoted.demoted = False
            demoted.mark_for_reconnect()  # type: ignore[no-untyped-call]  # redis-py has no types here
        await super().release(connection)
        if demoted is not None:  # the other connections lead to the same server
            await self.update_active_connections_for_reconnect()  # type: ignore[no-untyped-call]  # nor here
            await self.disconnect(inuse_connections=False)


def connect(settings: RedisSettings) -> PackedRedis:
    """The configured Redis, asynchronous and pooled; the first call opens a connection. Raises
    HeadraceError.
    """
    check_address(settings.url)
    retry = Retry(PAUSE_BETWEEN_RETRIES, RETRIES)
    try:
        pool = _Pool.from_url(settings.url, retry=retry, **timeouts(settings.timeout_seconds))
    except ValueError:  # of an option; its text may repeat the value
        raise bad_address("an option after the ? has a value that cannot be read") from None
    # The address decides between TCP, TLS and a Unix socket.
    pool.connection_class = type("Connection", (_Connection, pool.connection_class), {})
    return cast(PackedRedis, PackedRedis.from_pool(pool))
