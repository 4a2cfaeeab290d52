"""A proxy in front of a Kafka broker that understands requests.

It can let one connection die at a chosen request, or slow down all connections.
"""

import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path

from aiokafka.protocol import metadata  # type: ignore[import-untyped]  # ships no types
from workers import free_port

from app.local import servers as embedded
from app.local.servers import RunningServer, Server

LEADER_NOT_AVAILABLE = 5
# Numbers of requests in Kafka's protocol
PRODUCE, METADATA, OFFSET_COMMIT, OFFSET_FETCH, JOIN_GROUP, HEARTBEAT, SYNC_GROUP = 0, 3, 8, 9, 11, 12, 14


@contextmanager
def broker_that_says(port: int, folder: Path) -> Iterator[int]:
    """Run a broker of this test alone that advertises `port`.

    Yields the port that it listens on.
    """
    with running_broker_that_says(port, folder) as server:
        yield server.port


@contextmanager
def running_broker_that_says(port: int, folder: Path) -> Iterator[RunningServer]:
    """Run a broker that advertises `port`. Yields the server, for tests that stop it for a
    while.
    """

    def command(own: int) -> list[str]:
        return [
            embedded._broker_binary(),
            "broker",
            f"--listener-url=tcp://127.0.0.1:{own}",
            f"--advertised-listener-url=tcp://127.0.0.1:{port}",
            "--storage-engine=memory://headrace/",
        ]

    with embedded.running(Server("broker", command, embedded._broker_answers), folder) as server:
        yield server


@dataclass
class Connection:
    """A client's end, the broker's, and the versions of the metadata requests that wait for an
    answer.
    """

    near: socket.socket
    far: socket.socket
    dead: threading.Event = field(default_factory=threading.Event)
    asked: dict[int, int] = field(default_factory=dict)


@dataclass
class KafkaLine:
    """Passes requests and answers between clients of `port` and the broker."""

    target: int
    port: int
    delay_seconds: float = 0.0
    dead: threading.Event = field(default_factory=threading.Event)
    kills_all_at: int | None = None  # every connection that sends this request goes dead
    leaderless: set[tuple[str, int]] = field(default_factory=set)  # partitions without a leader
    _deadly: int | None = None
    _ends: list[socket.socket] = field(default_factory=list)
    _open: list[Connection] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def die_at(self, request: int) -> None:
        """Let the next connection with this request die: it stays open, but nothing passes."""
        self._deadly = request

    def die(self) -> None:
        """Let every connection that is open now die."""
        for each in self._open:
            each.dead.set()

    def serve(self, listener: socket.socket) -> None:
        """Accept connections until the listener is closed."""
        with suppress(OSError):
            while True:
                near, _ = listener.accept()
                far = socket.create_connection(("127.0.0.1", self.target))
                self._ends += [near, far]
                connection = Connection(near, far)
                self._open.append(connection)
                for work in (self._requests, self._answers):
                    threading.Thread(target=work, args=(connection,), daemon=True).start()

    def close(self) -> None:
        """Close all connections."""
        for end in self._ends:
            _shut(end)
            end.close()

    def _requests(self, connection: "Connection") -> None:
        near, far, dead = connection.near, connection.far, connection.dead
        with suppress(OSError), near.makefile("rb") as stream:
            while head := stream.read(4):
                body = stream.read(struct.unpack(">i", head)[0])
                request, version, number = struct.unpack(">hhi", body[:8])
                if self._kills(request):
                    dead.set()
                    self.dead.set()
                if request == METADATA:
                    connection.asked[number] = version
                if not dead.is_set():
                    time.sleep(self.delay_seconds)
                    far.sendall(head + body)
        if not dead.is_set():
            _shut(near, far)

    def _answers(self, connection: "Connection") -> None:
        near, far, dead = connection.near, connection.far, connection.dead
        with suppress(OSError), far.makefile("rb") as stream:
            while head := stream.read(4):
                body = stream.read(struct.unpack(">i", head)[0])
                version = connection.asked.pop(struct.unpack(">i", body[:4])[0], None)
                if version is not None and self.leaderless:
                    body = body[:4] + self._without_leaders(version, body[4:])
                if not dead.is_set():
                    near.sendall(struct.pack(">i", len(body)) + body)
        if not dead.is_set():
            _shut(near, far)

    def _without_leaders(self, version: int, body: bytes) -> bytes:
        layout = getattr(metadata, f"MetadataResponse_v{version}")
        answer = layout.decode(BytesIO(body))
        for topic in answer.topics:
            name, partitions = (topic[1], topic[-1])
            for at, (_, partition, _, *rest) in enumerate(partitions):
                if (name, partition) in self.leaderless:
                    partitions[at] = (LEADER_NOT_AVAILABLE, partition, -1, *rest)
        encoded: bytes = answer.encode()
        return encoded

    def _kills(self, request: int) -> bool:
        if request == self.kills_all_at:
            return True
        with self._lock:
            if request != self._deadly:
                return False
            self._deadly = None
            return True


@contextmanager
def kafka_line(folder: Path) -> Iterator[KafkaLine]:
    """Run a broker of this test alone, and yield the only way to it."""
    port = free_port()
    with broker_that_says(port, folder) as own, socket.create_server(("127.0.0.1", port)) as listener:
        line = KafkaLine(own, port)
        threading.Thread(target=line.serve, args=(listener,), daemon=True).start()
        try:
            yield line
        finally:
            _shut(listener)  # `close` alone does not wake a thread that waits in `accept`
            line.close()


def _shut(*ends: socket.socket) -> None:
    for end in ends:
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
