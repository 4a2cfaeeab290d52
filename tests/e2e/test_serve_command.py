"""`headrace serve` as a process: what it prints, how it stops, why it does not start."""

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

HEADRACE = str(Path(sys.executable).with_name("headrace"))
Serve = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Starts `headrace serve` with arguments and settings. Kills what still runs afterwards."""
    started: list[subprocess.Popen[str]] = []

    def start(*arguments: str, **settings: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [HEADRACE, "serve", *arguments],
            env={"PATH": os.environ["PATH"], "PYTHONWARNINGS": "error", **settings},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def url_of(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    url: str = json.loads(process.stdout.readline())["url"]
    return url


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_says_where_it_listens_and_stops_cleanly(serve: Serve, redis_url: str, number: signal.Signals) -> None:
    process = serve("--port", "0", "--json", HEADRACE_REDIS_URL=redis_url)
    url = url_of(process)
    with urllib.request.urlopen(f"{url}/readyz", timeout=10) as response:
        assert json.load(response) == {"status": "ready"}
    process.send_signal(number)
    rest, log = process.communicate(timeout=15)
    assert process.returncode == 0
    assert rest == ""
    assert f"listening on {url}" in log
    assert "Traceback" not in log


def test_it_stops_cleanly_without_a_redis(serve: Serve) -> None:
    process = serve("--port", "0", "--json", HEADRACE_REDIS_URL="redis://127.0.0.1:1/0")
    with urllib.request.urlopen(f"{url_of(process)}/healthz", timeout=10) as response:
        assert response.status == 200
    process.terminate()
    process.communicate(timeout=15)
    assert process.returncode == 0


def test_metrics_tell_of_the_process_too(serve: Serve, redis_url: str) -> None:
    process = serve("--port", "0", "--json", HEADRACE_REDIS_URL=redis_url)
    with urllib.request.urlopen(f"{url_of(process)}/metrics", timeout=10) as response:
        assert b"process_resident_memory_bytes" in response.read()


def test_a_taken_port_gets_advice(serve: Serve) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        process = serve(HEADRACE_SERVE_PORT=str(port))
        out, log = process.communicate(timeout=15)
    assert (process.returncode, out) == (1, "")
    assert f"cannot listen on 127.0.0.1:{port}" in log
    assert "--port" in log
    assert "Traceback" not in log


def test_an_unknown_host_gets_advice(serve: Serve) -> None:
    process = serve("--host", "256.0.0.1", "--port", "0", HEADRACE_HTTP_ALLOW_ANYONE="true")
    _, log = process.communicate(timeout=30)
    assert process.returncode == 1
    assert "cannot listen on 256.0.0.1" in log
    assert "Traceback" not in log


def test_an_unreadable_redis_address_gets_advice(serve: Serve) -> None:
    process = serve("--port", "0", HEADRACE_REDIS_URL="localhost:6379")
    _, log = process.communicate(timeout=15)
    assert process.returncode == 2
    assert "redis://host:6379/0" in log


@pytest.mark.parametrize("port", ["65536", "-1", "http", ""])
def test_a_port_that_is_none_is_refused(serve: Serve, port: str) -> None:
    process = serve(f"--port={port}")
    _, log = process.communicate(timeout=15)
    assert process.returncode == 2
    assert "0 to 65535" in log
