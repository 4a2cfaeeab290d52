"""The means of the chaos suite do what they are called: links stall, die and end; clocks jump;
Redis comes back.
"""

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest
import redis
from chaos.links import Link, running_links
from chaos.servers import RedisServer
from workers import until

CLOCK = Path(__file__).resolve().parents[1] / "chaos" / "clock"
SHORT_SECONDS = 0.3


class Recorder:
    """A server that answers each piece of data with itself, and keeps all that it got."""

    def __init__(self) -> None:
        self.got = b""
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with suppress(OSError), connection:
            while data := connection.recv(1_000):
                self.got += data
                connection.sendall(data)


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    server = Recorder()
    yield server
    server.close()


@pytest.fixture
def link(recorder: Recorder) -> Iterator[Link]:
    with running_links() as links:
        yield links.to(recorder.port)


@pytest.fixture
def client(link: Link) -> Iterator[socket.socket]:
    with connected(link) as connection:
        yield connection


@contextmanager
def connected(link: Link) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", link.port), timeout=5) as connection:
        assert echo(connection, b"hello") == b"hello"
        yield connection


def echo(connection: socket.socket, data: bytes) -> bytes:
    connection.sendall(data)
    return connection.recv(1_000)


def is_silent(connection: socket.socket) -> bool:
    connection.settimeout(SHORT_SECONDS)
    try:
        connection.recv(1_000)
    except TimeoutError:
        return True
    finally:
        connection.settimeout(5)
    return False


def test_what_was_sent_over_a_stalled_connection_arrives_late_though_the_client_has_left(
    link: Link, client: socket.socket, recorder: Recorder
) -> None:
    link.stall()
    client.sendall(b"old")
    assert is_silent(client)
    client.close()
    with connected(link) as other:
        assert echo(other, b"new") == b"new"
    link.let_go()
    until(lambda: recorder.got.endswith(b"newold"), seconds=5)


def test_nothing_passes_over_a_dead_connection_and_a_new_one_works(
    link: Link, client: socket.socket, recorder: Recorder
) -> None:
    link.kill_connections()
    client.sendall(b"gone")
    assert is_silent(client)
    with connected(link) as other:
        assert echo(other, b"new") == b"new"
    assert b"gone" not in recorder.got


def test_a_cut_link_ends_its_connections_and_takes_new_ones_only_when_it_is_mended(
    link: Link, client: socket.socket
) -> None:
    link.cut()
    with suppress(ConnectionResetError):
        assert client.recv(1_000) == b""
    with socket.create_connection(("127.0.0.1", link.port), timeout=5) as refused, suppress(ConnectionResetError):
        assert echo(refused, b"hello") == b""
    link.mend()
    with connected(link) as other:
        assert echo(other, b"new") == b"new"


def test_a_slow_link_is_slow_in_both_directions(link: Link, client: socket.socket) -> None:
    link.slow(SHORT_SECONDS)
    began = time.monotonic()
    assert echo(client, b"slow") == b"slow"
    assert time.monotonic() - began >= 2 * SHORT_SECONDS
    link.slow(0)


def test_the_suites_own_kafka_clients_are_left_alone(link: Link) -> None:
    kafka_request = b"\0" * 14 + b"chaos"
    with socket.create_connection(("127.0.0.1", link.port), timeout=5) as spared:
        assert echo(spared, kafka_request) == kafka_request
        link.kill_connections()
        link.cut()
        assert echo(spared, b"more") == b"more"


def test_a_clock_jumps_and_comes_back(tmp_path: Path) -> None:
    clock = tmp_path / "clock"
    clock.write_text("7200")
    environ = os.environ | {"PYTHONPATH": str(CLOCK), "CHAOS_CLOCK": str(clock)}
    code = "import time; input(); print(time.time(), flush=True); input(); print(time.time())"
    command = [sys.executable, "-c", code]
    with subprocess.Popen(command, env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write("\n")
        process.stdin.flush()
        assert float(process.stdout.readline()) - time.time() == pytest.approx(7_200, abs=60)
        clock.write_text("0")
        time.sleep(SHORT_SECONDS)  # the file is looked at ten times a second
        told, _ = process.communicate("\n")
        assert float(told) == pytest.approx(time.time(), abs=60)


@pytest.mark.parametrize("is_persistent", [True, False])
def test_a_killed_redis_comes_back_on_its_port_with_its_data_or_without(tmp_path: Path, is_persistent: bool) -> None:
    with ExitStack() as stack:
        server = RedisServer(tmp_path, is_persistent, stack)
        server.start()
        until(server.answers)
        with redis.Redis(port=server.port) as store:
            store.set("a", "1")
        server.kill()
        assert not server.answers()
        server.start()
        until(server.answers)
        with redis.Redis(port=server.port) as store:
            assert store.get("a") == (b"1" if is_persistent else None)
