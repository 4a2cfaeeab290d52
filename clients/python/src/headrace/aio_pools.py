"""Opens the connections of a program that runs asyncio: to one server, or to the primary that
Sentinels name.
"""

from typing import Any

from redis.asyncio import ConnectionPool, Redis
from redis.asyncio.connection import SSLConnection, parse_url
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import (
    MasterNotFoundError,
    Sentinel,
    SentinelConnectionPool,
    SentinelManagedConnection,
    SentinelManagedSSLConnection,
)

from headrace.address import addresses, bad_address, check_address
from headrace.refusals import BAD_OPTION, PAUSE_BETWEEN_RETRIES, RETRIES, timeouts
from headrace.sentinel_address import SentinelAddress, is_sentinel, no_primary, read_sentinel


class Sentinels(Sentinel):
    """Asks one after the other for the primary."""

    async def discover_master(self, service_name: str) -> tuple[str, int]:
        """Return where the primary is. Raises ConnectionError where none is named."""
        try:
            host, port = await super().discover_master(service_name)
        except MasterNotFoundError:
            raise MasterNotFoundError(no_primary(service_name)) from None
        return host, port


class PrimaryPool(SentinelConnectionPool):
    """Connections to the primary that Sentinels name, which are asked for each new one."""

    async def aclose(self) -> None:
        """Close all connections, also those to the Sentinels."""
        await super().aclose()
        await self.sentinel_manager.aclose()


def open_pool(
    url: str,
    seconds: float,
    *,
    one: type[ConnectionPool] = ConnectionPool,
    primary: type[PrimaryPool] = PrimaryPool,
) -> ConnectionPool:
    """Open no connection yet. Raises UnusableSetting for an address that cannot be used.

    `one` and `primary` are the kinds of pool for one server, and for the primary of Sentinels.
    """
    check_address(url)
    where = read_sentinel(url) if is_sentinel(url) else None
    options = {"retry": Retry(PAUSE_BETWEEN_RETRIES, RETRIES), **timeouts(seconds)}
    try:
        if where is not None:
            return _primary_pool(where, seconds, primary, options)
        return one.from_url(addresses(url)[0], **options)
    except ValueError:  # of an option; its text may repeat the value
        raise bad_address(BAD_OPTION) from None


def _primary_pool(
    where: SentinelAddress, seconds: float, pool: type[PrimaryPool], options: dict[str, Any]
) -> ConnectionPool:
    sentinels = Sentinels([])  # type: ignore[no-untyped-call]  # redis-py has no types here
    sentinels.sentinels = [Redis.from_url(each, **timeouts(seconds)) for each in where.sentinels]
    given: dict[str, Any] = dict(parse_url(where.server))
    del given["host"]
    encrypted = given.pop("connection_class", None) is SSLConnection
    kind = SentinelManagedSSLConnection if encrypted else SentinelManagedConnection
    return pool(where.name, sentinels, connection_class=kind, **given, **options)
