"""Links: the only way from workers to a server, over which connections go dead, stall, slow down or
end.
"""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from workers import free_port

CHUNK = 65_536
SPARED = b"chaos"  # Kafka's client id of the suite's own clients, which are never disturbed
CLIENT_ID_AT = 14  # size 4, request 2, version 2, correlation 4, length 2
CLOSE_SECONDS = 5.0


@dataclass(eq=False, slots=True)
class _Connection:
    near: asyncio.StreamWriter
    far: asyncio.StreamWriter
    passes: asyncio.Event
    is_spared: bool
    is_dead: bool = False

    def abort(self) -> None:
        for writer in (self.near, self.far):
            writer.transport.abort()


@dataclass(slots=True)
class Link:
    """Hands on what comes to `port` of this machine to `target`; its methods may be called from any
    thread.

    While it is cut, a new connection is taken and closed at once, as a load balancer without a
    server does it.
    """

    target: int
    port: int
    loop: asyncio.AbstractEventLoop
    _connections: set[_Connection] = field(default_factory=set)
    _delay: float = 0.0
    _is_cut: bool = False
    _stalls_at: bytes | None = None

    def cut(self) -> None:
        """End all connections, and take no more until `mend`."""
        self._is_cut = True
        self._each(_Connection.abort)

    def mend(self) -> None:
        self._is_cut = False

    def slow(self, seconds: float) -> None:
        """Hold every piece of data back for so long, in both directions; 0 ends it."""
        self._delay = seconds

    def stall(self) -> None:
        """Hold back what comes over the connections that are open now; new ones work."""
        self._each(lambda each: each.passes.clear())

    def stall_at(self, text: bytes) -> None:
        """Hold back the first connection over which this text comes, from that piece of data on."""
        self._stalls_at = text

    @property
    def has_stalled(self) -> bool:
        """Whether the text of `stall_at` came."""
        return self._stalls_at is None

    def let_go(self) -> None:
        """Deliver what was held back, though the client may have given the connection up: it
        arrives late.
        """
        self._each(lambda each: each.passes.set())

    def kill_connections(self) -> None:
        """The connections that are open now stay open, and nothing passes any more; new ones
        work.
        """

        def kill(each: _Connection) -> None:
            each.is_dead = True

        self._each(kill)

    def _each(self, change: Callable[[_Connection], None]) -> None:
        def run() -> None:
            for each in [each for each in self._connections if not each.is_spared]:
                change(each)

        self.loop.call_soon_threadsafe(run)

    async def serve(self) -> asyncio.Server:
        return await asyncio.start_server(self._take, "127.0.0.1", self.port)

    async def _take(self, near_in: asyncio.StreamReader, near: asyncio.StreamWriter) -> None:
        # Cancelled only at the very end, when Python 3.11 would log a cancelled handler as an
        # error.
        with suppress(OSError, asyncio.CancelledError):
            first = await near_in.read(CHUNK)
            is_spared = first[CLIENT_ID_AT:].startswith(SPARED)
            if not first or (self._is_cut and not is_spared):
                near.transport.abort()
                return
            await self._join(near_in, near, first, is_spared=is_spared)
        near.transport.abort()

    async def _join(
        self, near_in: asyncio.StreamReader, near: asyncio.StreamWriter, first: bytes, *, is_spared: bool
    ) -> None:
        far_in, far = await asyncio.open_connection("127.0.0.1", self.target)
        passes = asyncio.Event()
        passes.set()
        connection = _Connection(near, far, passes, is_spared)
        self._connections.add(connection)
        far.write(first)
        try:
            await asyncio.gather(self._pump(near_in, far, connection), self._pump(far_in, near, connection))
        finally:
            self._connections.discard(connection)
            connection.abort()

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, connection: _Connection) -> None:
        with suppress(OSError):
            while chunk := await source.read(CHUNK):
                if self._stalls_at is not None and self._stalls_at in chunk:
                    self._stalls_at = None
                    connection.passes.clear()
                await self._passage(connection)
                if not connection.is_dead:
                    sink.write(chunk)
                    await sink.drain()
        await self._passage(connection)
        if not connection.is_dead:
            with suppress(OSError):
                sink.close()

    async def _passage(self, connection: _Connection) -> None:
        if connection.is_spared:
            return
        await connection.passes.wait()
        if self._delay:
            await asyncio.sleep(self._delay)


@dataclass(slots=True)
class Links:
    """Makes links that end with it; all run in one thread of their own."""

    loop: asyncio.AbstractEventLoop
    _servers: list[asyncio.Server] = field(default_factory=list)

    def to(self, target: int, port: int | None = None) -> Link:
        link = Link(target, port or free_port(), self.loop)
        self._servers.append(asyncio.run_coroutine_threadsafe(link.serve(), self.loop).result(CLOSE_SECONDS))
        return link

    async def end(self) -> None:
        """End every connection, and listen no more."""
        for server in self._servers:
            server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for each in others:
            each.cancel()
        await asyncio.gather(*others, return_exceptions=True)


@contextmanager
def running_links() -> Iterator[Links]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="links", daemon=True)
    thread.start()
    links = Links(loop)
    try:
        yield links
    finally:
        asyncio.run_coroutine_threadsafe(links.end(), loop).result(CLOSE_SECONDS)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(CLOSE_SECONDS)
        loop.close()
