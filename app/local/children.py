"""Processes that end with the one that started them, even when that one is interrupted or killed."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import IO

# A launcher that asks for the signal (1 is PR_SET_PDEATHSIG) and then becomes the program, because a preexec_fn
# may deadlock in a process that has threads.
LAUNCHER = (
    "import ctypes, os, signal, sys\n"
    "ctypes.CDLL(None).prctl(1, signal.SIGKILL)\n"
    "if os.getppid() != int(sys.argv[1]): sys.exit(1)\n"
    "os.execv(sys.argv[2], sys.argv[2:])"
)
STOPPING_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def ending_with_us(command: list[str]) -> list[str]:
    """The command, made to be killed by Linux when our main thread's process ends; elsewhere as it is."""
    if sys.platform != "linux":
        return command
    return [sys.executable, "-I", "-S", "-c", LAUNCHER, str(os.getpid()), *command]


def start(
    stack: ExitStack,
    command: list[str],
    *,
    stop_seconds: float,
    stdout: IO[bytes] | int,
    stderr: IO[bytes] | int,
    env: Mapping[str, str] | None = None,
) -> "subprocess.Popen[bytes]":
    """Start a process that `stack` stops: it is asked to, and killed when it takes longer than `stop_seconds`."""
    with uninterrupted():
        process = subprocess.Popen(
            ending_with_us(command),
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            env=env,
            process_group=0,  # Ctrl-C reaches us alone, and we stop everything in order
        )
        stack.callback(stop, process, stop_seconds)
    return process


def stop(process: "subprocess.Popen[bytes]", seconds: float) -> None:
    """End the process and fetch its exit status; nothing happens when it has ended."""
    process.terminate()
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout is not None:
        process.stdout.close()


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Let Ctrl-C and SIGTERM wait for the end of the block.

    An interrupt inside Popen would leave a process behind that nobody knows. Other threads get no signals anyway.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []
    before = {number: signal.signal(number, lambda number, _: came.append(number)) for number in STOPPING_SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
    if came:
        signal.raise_signal(came[0])
