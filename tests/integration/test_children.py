"""Processes start and stop, with a signal at the worst moment."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest

from app.local.children import start, stop, uninterrupted

SLEEPER = [sys.executable, "-c", "import time; time.sleep(60)"]


def _start(stack: ExitStack, command: list[str], stop_seconds: float = 5.0) -> "subprocess.Popen[bytes]":
    null = subprocess.DEVNULL
    return start(stack, command, stop_seconds=stop_seconds, stdout=null, stderr=null)


def test_a_process_ends_with_the_block_and_leaves_no_zombie() -> None:
    with ExitStack() as stack:
        process = _start(stack, SLEEPER)
        assert process.poll() is None
    assert process.returncode is not None
    with pytest.raises(ProcessLookupError):
        os.kill(process.pid, 0)


def test_a_process_that_does_not_heed_is_killed(tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    deaf = (
        "import signal, time, sys; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
        "open(sys.argv[1], 'w').close(); time.sleep(60)"
    )
    with ExitStack() as stack:
        process = _start(stack, [sys.executable, "-c", deaf, str(ready)], stop_seconds=0.2)
        while not ready.exists():
            assert process.poll() is None
    assert process.returncode == -signal.SIGKILL


def test_stopping_twice_is_stopping() -> None:
    with ExitStack() as stack:
        process = _start(stack, SLEEPER)
        stop(process, 5.0)
        status = process.returncode
    assert process.returncode == status


def test_an_interrupt_while_a_process_starts_comes_once_it_can_be_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[subprocess.Popen[bytes]] = []
    monkeypatch.setattr(subprocess, "Popen", _interrupted(subprocess.Popen, started))
    with pytest.raises(KeyboardInterrupt), ExitStack() as stack:
        _start(stack, SLEEPER)
    assert [each.returncode is not None for each in started] == [True]


def _interrupted(
    popen: "Callable[..., subprocess.Popen[bytes]]", started: "list[subprocess.Popen[bytes]]"
) -> "Callable[..., subprocess.Popen[bytes]]":
    def interrupted(*arguments: object, **options: object) -> "subprocess.Popen[bytes]":
        started.append(popen(*arguments, **options))
        signal.raise_signal(signal.SIGINT)
        return started[-1]

    return interrupted


def test_the_handlers_are_as_before() -> None:
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    with uninterrupted():
        assert signal.getsignal(signal.SIGINT) is not before[0]
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before
