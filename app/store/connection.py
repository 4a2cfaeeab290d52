"""How Redis is reached, asynchronously and pooled."""

from collections.abc import Mapping
from typing import Any, cast

from redis.asyncio.connection import AbstractConnection, ConnectionPool
from typing_extensions import override

from app.concerns import RedisSettings
from app.store.packed import PackedRedis
from headrace.address import addresses, host_of
from headrace.aio_pools import PrimaryPool, open_pool
from headrace.refusals import DEMOTED
from headrace.sentinel_address import is_sentinel

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


class _PrimaryPool(_Pool, PrimaryPool):
    """The same where Sentinels name the server."""


def connect(settings: RedisSettings) -> PackedRedis:
    """The configured Redis, asynchronous and pooled; the first call opens a connection. Raises
    HeadraceError.
    """
    pool = open_pool(settings.url, settings.timeout_seconds, one=_Pool, primary=_PrimaryPool)
    # The address decides between TCP, TLS and a Unix socket.
    pool.connection_class = type("Connection", (_Connection, pool.connection_class), {})
    redis = cast(PackedRedis, PackedRedis.from_pool(pool))
    if is_sentinel(settings.url):
        redis.with_replicas()
    if more := addresses(settings.url)[1:]:
        redis.as_cluster(*map(host_of, more))
    return redis
