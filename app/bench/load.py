"""An open-loop load generator: requests leave at fixed times, however long the answers take.

A request that cannot leave in time, because all connections wait for answers, counts from when it
was due: a slow server cannot slow down its own measurement (no coordinated omission). One thread
and `select`, whose timeouts are finer than those of an event loop.
"""

import gc
import random
import select
import socket
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlsplit

from app.bench.latency import Latencies, latencies
from app.errors import HeadraceError
from app.store.keys import Keys
from app.store.packed import pack

RECEIVE_BYTES = 1 << 16
CONNECT_SECONDS = 5.0
# How long answers may still come after the last request left; what comes later counts as lost.
DRAIN_SECONDS = 10.0

# The bytes of an answer so far -> None while it is incomplete, else whether it is a good one.
Judge = Callable[[bytes], bool | None]


@dataclass(frozen=True, slots=True)
class LoadTarget:
    """A server, the requests to choose from, and how a whole answer is told."""

    host: str
    port: int
    requests: Sequence[bytes]
    judge: Judge


@dataclass(frozen=True, slots=True)
class Load:
    """How many requests a second, for how long, over how many connections."""

    rate: float
    seconds: float
    connections: int = 32


@dataclass(frozen=True, slots=True)
class LoadResult:
    """What came of a load. Latencies in seconds from when a request was due; `late`: how late it
    left.
    """

    requests: int
    answered: int
    failed: int
    lost: int
    seconds: float
    cpu_seconds: float
    latency: Latencies
    late: Latencies


def http_target(url: str, paths: Sequence[str]) -> LoadTarget:
    """GET requests for these paths on one HTTP server."""
    parts = urlsplit(url)
    host, port = parts.hostname or "127.0.0.1", parts.port or 80
    head = f" HTTP/1.1\r\nHost: {host}:{port}\r\nAccept: application/json\r\n\r\n"
    return LoadTarget(host, port, [f"GET {path}{head}".encode() for path in paths], whole_http_answer)


def lookup_paths(user_ids: Sequence[str], k: int) -> list[str]:
    """The path of each user's list."""
    return [f"/recommendations/{quote(user, safe='')}?k={k}" for user in user_ids]


def redis_target(url: str, keys: Keys, user_ids: Sequence[str]) -> LoadTarget:
    """A plain GET of each user's list on a Redis without a password, database 0."""
    parts = urlsplit(url)
    requests = [pack(("GET", keys.recommendation(user))) for user in user_ids]
    return LoadTarget(parts.hostname or "127.0.0.1", parts.port or 6379, requests, whole_bulk_string)


def whole_http_answer(received: bytes) -> bool | None:
    """Whether an answer of known length is complete and 200; None while it is incomplete."""
    end = received.find(b"\r\n\r\n")
    if end < 0:
        return None
    head = received[:end].lower()
    at = head.find(b"content-length:")
    length = int(head[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
    return None if len(received) < end + 4 + length else received.startswith(b"HTTP/1.1 200")


def whole_bulk_string(received: bytes) -> bool | None:
    """Whether a reply is a complete bulk string that is there; None while it is incomplete."""
    end = received.find(b"\r\n")
    if end < 0:
        return None
    if received[:1] != b"$" or received[1:2] == b"-":
        return False
    return True if len(received) >= end + 4 + int(received[1:end]) else None


def generate(target: LoadTarget, load: Load, seed: int = 0) -> LoadResult:
    """Put the load on the target, choosing its requests at random. Raises HeadraceError when it
    cannot connect.
    """
    connections = [_connect(target) for _ in range(load.connections)]
    gc.disable()  # a pause of ours would look like one of the server's
    try:
        return _Generator(target, load, connections, random.Random(seed)).run()
    finally:
        gc.enable()
        for connection in connections:
            connection.close()


@dataclass(slots=True)
class _Generator:
    target: LoadTarget
    load: Load
    connections: list[socket.socket]
    rng: random.Random
    due_of: dict[socket.socket, float] = field(default_factory=dict)
    received: dict[socket.socket, bytes] = field(default_factory=dict)
    took: list[float] = field(default_factory=list)
    late: list[float] = field(default_factory=list)
    failed: int = 0
    broken: int = 0

    def run(self) -> LoadResult:
        free = deque(self.connections)
        total = max(1, round(self.load.rate * self.load.seconds))
        started, cpu, sent = time.perf_counter(), time.process_time(), 0
        give_up = started + self.load.seconds + DRAIN_SECONDS
        while (sent < total or self.due_of) and (free or self.due_of):
            now = time.perf_counter()
            due = started + sent / self.load.rate
            while sent < total and free and due <= now:
                self._send(free.popleft(), due, now)
                sent += 1
                due = started + sent / self.load.rate
            if now > give_up:
                break
            wait = due - time.perf_counter() if sent < total and free else give_up - now
            for connection in select.select(list(self.due_of), (), (), max(0.0, wait))[0]:
                if self._receive(connection):
                    free.append(connection)
        return self._result(total, time.perf_counter() - started, time.process_time() - cpu)

    def _send(self, connection: socket.socket, due: float, now: float) -> None:
        self.late.append(now - due)
        self.due_of[connection], self.received[connection] = due, b""
        connection.sendall(self.rng.choice(self.target.requests))

    def _receive(self, connection: socket.socket) -> bool:
        """Take what came; True when the connection is free again."""
        try:
            data = connection.recv(RECEIVE_BYTES)
        except OSError:
            data = b""
        if not data:  # a connection that breaks takes its request along, and is not used again
            del self.due_of[connection]
            self.broken += 1
            return False
        self.received[connection] += data
        good = self.target.judge(self.received[connection])
        if good is None:
            return False
        self.took.append(time.perf_counter() - self.due_of.pop(connection))
        self.failed += not good
        return True

    def _result(self, total: int, seconds: float, cpu: float) -> LoadResult:
        answered = len(self.took)
        return LoadResult(
            requests=total,
            answered=answered,
            failed=self.failed,
            lost=total - answered,
            seconds=seconds,
            cpu_seconds=cpu,
            latency=latencies(self.took),
            late=latencies(self.late),
        )


def _connect(target: LoadTarget) -> socket.socket:
    try:
        connection = socket.create_connection((target.host, target.port), CONNECT_SECONDS)
    except OSError as error:
        raise HeadraceError(f"nothing answers at {target.host}:{target.port}: {error}") from error
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def load_result_of(values: dict[str, Any]) -> LoadResult:
    """The result that another process printed as JSON."""
    named = {**values, "latency": Latencies(**values["latency"]), "late": Latencies(**values["late"])}
    return LoadResult(**named)
