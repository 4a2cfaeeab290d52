"""A line to Redis that breaks, holds back, cuts up or adds to what the server says."""

import asyncio
from collections.abc import Callable
from typing import cast

from typing_extensions import override


class RedisLine:
    """Every connection through it behaves as its attributes say at the time."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.connections = 0
        self.step: int | None = None  # bytes at a time
        self.extra = b""  # put after what the server says
        self._held: list[Callable[[], None]] | None = None
        self._ends: list[_End] = []

    def hold(self) -> None:
        """Keep back what the server says from now on."""
        self._held = []

    def release(self) -> None:
        """Hand over what was kept back, and everything after it at once."""
        held, self._held = self._held or [], None
        for each in held:
            each()

    def cut(self) -> None:
        """Break all connections; what was kept back is lost."""
        self._held = None
        for end in self._ends:
            end.transport.abort()

    def accept(self) -> asyncio.Protocol:
        """The protocol of a server that accepts the clients."""
        self.connections += 1
        return _Client(self)

    def deliver(self, data: bytes, to: "_End") -> None:
        """Hand over, or keep back, what the server said."""
        if self._held is not None:
            self._held.append(lambda: self.deliver(data, to))
            return
        data += self.extra
        step = self.step or len(data)
        for number, at in enumerate(range(0, len(data), step)):
            # One turn of the loop each: the client reads them one by one.
            asyncio.get_running_loop().call_later(0.001 * number, to.transport.write, data[at : at + step])


class _End(asyncio.Protocol):
    transport: asyncio.Transport

    def __init__(self, line: RedisLine, other: "_End | None" = None) -> None:
        self.line = line
        self.other = other

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.line._ends.append(self)

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        if self.other is not None:
            self.other.transport.abort()


class _Client(_End):
    _said: bytes = b""

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._task = asyncio.create_task(self._connect())

    @override
    def data_received(self, data: bytes) -> None:
        if self.other is None:
            self._said += data
        else:
            self.other.transport.write(data)

    async def _connect(self) -> None:
        loop = asyncio.get_running_loop()
        _, other = await loop.create_connection(lambda: _Server(self.line, self), "127.0.0.1", self.line.port)
        other.transport.write(self._said)
        self.other = other


class _Server(_End):
    @override
    def data_received(self, data: bytes) -> None:
        assert self.other is not None
        self.line.deliver(data, self.other)
