"""The load generator against small servers: what counts as an answer, and from when."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from app.bench.latency import Latencies, in_milliseconds, latencies
from app.bench.load import (
    Load,
    LoadTarget,
    generate,
    http_target,
    lookup_paths,
    redis_target,
    whole_bulk_string,
    whole_http_answer,
)
from app.errors import HeadraceError
from app.store.keys import Keys

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


@contextmanager
def server(answer: Callable[[socket.socket], None]) -> Iterator[str]:
    """Runs `answer` for each connection in a thread."""
    listener = socket.create_server(("127.0.0.1", 0))

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=answer, args=(connection,), daemon=True).start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


def at_once(connection: socket.socket) -> None:
    with connection:
        while connection.recv(4096):
            connection.sendall(ANSWER)


def target(url: str) -> LoadTarget:
    return http_target(url, ["/x"])


def test_every_request_of_the_load_is_answered() -> None:
    with server(at_once) as url:
        found = generate(target(url), Load(rate=400, seconds=0.5, connections=4))
    assert (found.requests, found.answered, found.failed, found.lost) == (200, 200, 0, 0)
    assert found.seconds == pytest.approx(0.5, abs=0.4)
    assert 0 < found.latency.p50 <= found.latency.p90 <= found.latency.max


def test_requests_that_wait_behind_a_stalled_one_count_from_when_they_were_due() -> None:
    def stalls_first(connection: socket.socket) -> None:
        with connection:
            connection.recv(4096)
            time.sleep(0.4)
            connection.sendall(ANSWER)
            at_once(connection)

    with server(stalls_first) as url:
        found = generate(target(url), Load(rate=100, seconds=0.5, connections=1))
    assert found.answered == 50
    # Half of the requests were due during the stall, 0.2 s before its end on average.
    assert found.latency.p50 > 0.05
    assert found.latency.p90 > 0.3
    assert found.late.max > 0.3


def test_a_bad_answer_fails_and_a_broken_connection_loses_its_request() -> None:
    def fails_then_breaks(connection: socket.socket) -> None:
        with connection:
            connection.recv(4096)
            connection.sendall(ANSWER.replace(b"200 OK", b"503 No"))
            connection.recv(4096)

    with server(fails_then_breaks) as url:
        found = generate(target(url), Load(rate=100, seconds=0.1, connections=2))
    assert (found.requests, found.answered, found.failed, found.lost) == (10, 2, 2, 8)


def test_a_target_that_is_not_there_is_an_error() -> None:
    with pytest.raises(HeadraceError, match="nothing answers at 127"):
        generate(target("http://127.0.0.1:1"), Load(1, 1))


@pytest.mark.parametrize("end", range(len(ANSWER)))
def test_half_an_http_answer_is_none(end: int) -> None:
    assert whole_http_answer(ANSWER[:end]) is None
    assert whole_http_answer(ANSWER) is True


def test_an_http_error_is_an_answer_that_is_not_good() -> None:
    assert whole_http_answer(b"HTTP/1.1 500 Oh\r\ncontent-length: 0\r\n\r\n") is False


@pytest.mark.parametrize("received", [b"", b"$5\r", b"$5\r\nab\r\n", b"$5\r\nabcde\r"])
def test_half_a_bulk_string_is_none(received: bytes) -> None:
    assert whole_bulk_string(received) is None


@pytest.mark.parametrize(
    ("received", "good"), [(b"$5\r\nabcde\r\n", True), (b"$-1\r\n", False), (b"-ERR no\r\n", False), (b"_\r\n", False)]
)
def test_only_a_bulk_string_is_a_good_reply(received: bytes, good: bool) -> None:
    assert whole_bulk_string(received) is good


def test_users_are_named_as_the_servers_know_them() -> None:
    assert lookup_paths(["a/b ü"], 5) == ["/recommendations/a%2Fb%20%C3%BC?k=5"]
    [command] = redis_target("redis://127.0.0.1:6379/0", Keys("hr:"), ["ü"]).requests
    assert command == "*2\r\n$3\r\nGET\r\n$11\r\nhr:rec:{ü}\r\n".encode()


def test_percentiles_are_latencies_that_were_measured() -> None:
    found = latencies([number / 1000 for number in range(1000, 0, -1)])
    assert found == Latencies(p50=0.5, p90=0.9, p99=0.99, p999=0.999, max=1.0)
    assert in_milliseconds(found)["p999"] == 999.0
    assert latencies([]) == Latencies()
