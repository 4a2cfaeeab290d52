"""How Redis is reached, asynchronously and pooled."""

from collections.abc import Mapping
from typing import Any, cast

from redis.asyncio.connection import AbstractConnection, ConnectionPool
from redis.asyncio.retry import Retry
from typing_extensions import override

from app.concerns import RedisSettings
from app.store.packed import PackedRedis
from headrace.address import addresses, bad_address, check_address, host_of
from headrace.refusals import DEMOTED, PAUSE_BETWEEN_RETRIES, RETRIES, timeouts

HashFields = Mapping[
    bytes | bytearray | memoryview | str | int | float, bytes | bytearray | memoryview | str | int | float
]


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
    first, *more = addresses(settings.url)
    retry = Retry(PAUSE_BETWEEN_RETRIES, RETRIES)
    try:
        pool = _Pool.from_url(first, retry=retry, **timeouts(settings.timeout_seconds))
    except ValueError:  # of an option; its text may repeat the value
        raise bad_address("an option after the ? has a value that cannot be read") from None
    # The address decides between TCP, TLS and a Unix socket.
    pool.connection_class = type("Connection", (_Connection, pool.connection_class), {})
    redis = cast(PackedRedis, PackedRedis.from_pool(pool))
    if more:
        redis.as_cluster(*map(host_of, more))
    return redis
