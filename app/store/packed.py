"""Redis connections for the hot paths: packed commands out, one raw hiredis reader for what comes
back.

A redis-py pipeline costs 40 to 50 µs of processor time for a user's profile and list, this about 10
µs. redis-py still opens each connection (address, TLS, user, database), and runs the rare commands
on connections of its own pool.
"""

import asyncio
import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Self, TypeAlias, cast

from hiredis import PushNotification, Reader, pack_command
from redis._parsers.base import BaseParser
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import (
    ConnectionError,
    InvalidResponse,
    TimeoutError,
)
from typing_extensions import override

from app.store.clustered import Clustered
from headrace import slots
from headrace.refusals import DEMOTED

Command: TypeAlias = slots.Command

# `LOADING` is a ConnectionError in redis-py.
UNUSABLE = (*DEMOTED, ConnectionError)
# Connections of one client. A slow command, such as VADD, delays only what waits on its own
# connection.
MOST_CONNECTIONS = 4
# Commands that are packed and handed over at once: Redis works on them while the next are packed.
PACKED_AT_ONCE = 100
_INCOMPLETE = object()


def pack(command: Command) -> bytes:
    """Write a command as Redis reads it."""
    return bytes(pack_command(command))  # type: ignore[arg-type]  # hiredis' stub means a tuple of any length


@dataclass(slots=True)
class _Exchange:
    """Commands that were sent together, and their replies so far."""

    count: int
    done: "asyncio.Future[list[Any]]"
    replies: list[Any] = field(default_factory=list)


class PackedConnection(asyncio.Protocol):
    """One connection on which several callers may wait at once: Redis replies in the order of the
    commands.

    A caller that is cancelled leaves its place, so that its replies go to nobody else.
    """

    def __init__(self, opened: AbstractConnection) -> None:
        """Take over a connection that redis-py has opened and shaken hands on."""
        self._opened = opened  # redis-py closes the socket of a connection that nobody holds
        self._timeout_seconds = math.inf if opened.socket_timeout is None else opened.socket_timeout
        self._transport = cast(asyncio.Transport, opened._writer.transport)  # type: ignore[union-attr]  # it is open
        self._loop = asyncio.get_running_loop()
        self._reader = _reader()
        self._waiting: deque[_Exchange] = deque()
        self._heard = 0.0
        self._alarm: asyncio.TimerHandle | None = None
        self._lost: Exception | None = None
        self._transport.set_protocol(self)

    @property
    def waiting(self) -> int:
        """How many callers wait for replies; cancelled ones count until their replies have come."""
        return len(self._waiting)

    @property
    def usable(self) -> bool:
        """Whether commands may still be sent."""
        return self._lost is None and not self._transport.is_closing()

    def send(self, commands: Sequence[Command]) -> "asyncio.Future[list[Any]]":
        """Send the commands; gives their replies, error replies as exceptions among them.

        The future raises ConnectionError where the connection broke, TimeoutError where nothing
        came for `socket_timeout` seconds.
        """
        done: asyncio.Future[list[Any]] = self._loop.create_future()
        if not self.usable:
            done.set_exception(self._lost or ConnectionError("Redis closed the connection"))
            return done
        if not self._waiting:
            self._heard = self._loop.time()
            if self._alarm is None and self._timeout_seconds < math.inf:
                self._alarm = self._loop.call_later(self._timeout_seconds, self._watch)
        self._waiting.append(_Exchange(len(commands), done))
        try:
            for first in range(0, len(commands), PACKED_AT_ONCE):
                self._transport.write(b"".join(map(pack, commands[first : first + PACKED_AT_ONCE])))
        except BaseException:  # half of the commands are sent, and nobody would take their replies
            self.close()
            raise
        return done

    def close(self, reason: Exception | None = None) -> None:
        """Close the connection; callers that wait get `reason`."""
        self._lost = self._lost or reason or ConnectionError("the connection to Redis was closed")
        if self._alarm is not None:
            self._alarm.cancel()
        self._transport.abort()
        self._opened._close()  # type: ignore[no-untyped-call]  # redis-py has no types here
        while self._waiting:
            done = self._waiting.popleft().done
            if not done.done():
                done.set_exception(self._lost)

    @override
    def data_received(self, data: bytes) -> None:
        self._heard = self._loop.time()
        self._reader.feed(data)
        try:
            self._take_replies()
        except InvalidResponse as error:
            self.close(error)

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self.close(ConnectionError(f"Redis closed the connection{f': {exc}' if exc else ''}"))

    def _take_replies(self) -> None:
        gets = self._reader.gets
        while (reply := gets()) is not _INCOMPLETE:
            if type(reply) is PushNotification:
                continue
            if not self._waiting:
                raise InvalidResponse("Redis sent a reply that nobody asked for")
            exchange = self._waiting[0]
            exchange.replies.append(reply)
            if len(exchange.replies) == exchange.count:
                self._finish(self._waiting.popleft())

    def _finish(self, exchange: _Exchange) -> None:
        if not exchange.done.done():
            exchange.done.set_result(exchange.replies)
        demoted = next((reply for reply in exchange.replies if isinstance(reply, UNUSABLE)), None)
        if demoted is not None:
            self.close(ConnectionError(f"the connection was closed after Redis said: {demoted}"))

    def _watch(self) -> None:
        self._alarm = None
        if not self._waiting:
            return
        silent = self._loop.time() - self._heard
        if silent >= self._timeout_seconds:
            self.close(TimeoutError(f"Redis did not answer within {self._timeout_seconds:g} s"))
        else:
            self._alarm = self._loop.call_later(self._timeout_seconds - silent, self._watch)


class PackedRedis(Clustered):
    """redis-py's client, with `exchange` for many commands in one round trip.

    What redis-py's own methods ask goes to this one server, also where it is a node of a cluster.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._packed: list[PackedConnection] = []
        self._opening: asyncio.Task[PackedConnection] | None = None

    @classmethod
    @override
    def from_url(
        cls,
        url: str,
        single_connection_client: bool = False,
        auto_close_connection_pool: bool | None = None,
        **kwargs: Any,
    ) -> Self:
        """As in redis-py. Raises ValueError for an address that cannot be read."""
        return cast(Self, super().from_url(url, single_connection_client, auto_close_connection_pool, **kwargs))

    @override
    async def exchange_here(self, commands: Sequence[Command]) -> list[Any]:
        """The reply to each command, of this server alone; an error reply is an exception among
        them.

        Raises ConnectionError and TimeoutError. Some of the commands may have been carried out
        then.
        """
        if not commands:
            return []
        connection = self._idle()
        if connection is None:
            connection = await self._busy_or_new()
        replies = await connection.send(commands)
        if not connection.usable:  # the server is no primary any more: idle connections lead to it too
            await self._disconnect_idle()
        return replies

    @override
    async def aclose(self, close_connection_pool: bool | None = None) -> None:
        """Close all connections."""
        if (opening := self._opening) is not None:
            opening.cancel()
            await asyncio.wait([opening])
            self._keep(opening)
        for connection in self._packed:
            connection.close()
        self._packed.clear()
        await super().aclose(close_connection_pool)

    async def _disconnect_idle(self) -> None:
        for connection in self._packed:
            if not connection.waiting:
                connection.close()
        await self.connection_pool.disconnect(inuse_connections=False)

    def _idle(self) -> PackedConnection | None:
        for connection in self._packed:
            if not connection.waiting and connection.usable:
                return connection
        return None

    async def _busy_or_new(self) -> PackedConnection:
        self._packed = [connection for connection in self._packed if connection.usable]
        if len(self._packed) >= MOST_CONNECTIONS:
            return min(self._packed, key=lambda connection: connection.waiting)
        if self._opening is None:
            self._opening = asyncio.create_task(self._open())
            self._opening.add_done_callback(self._keep)
        opening = self._opening
        try:
            # Shared by all who need it: one that gives up does not take it away from the others.
            return await asyncio.shield(opening)
        except asyncio.CancelledError:
            if opening.cancelled():
                raise ConnectionError("the connection to Redis was closed") from None
            raise

    async def _open(self) -> PackedConnection:
        opened = self.connection_pool.make_connection()  # type: ignore[no-untyped-call]  # redis-py has no types here
        await opened.connect()
        return PackedConnection(opened)

    def _keep(self, opening: "asyncio.Task[PackedConnection]") -> None:
        self._opening = None
        if not opening.cancelled() and opening.exception() is None:
            self._packed.append(opening.result())


def _reader() -> Reader:
    return Reader(
        protocolError=InvalidResponse,
        replyError=BaseParser.parse_error,
        errors="backslashreplace",  # an error reply may quote bytes that are no text
        notEnoughData=_INCOMPLETE,
    )
