"""Starts processes that end with the process that started them, even if that one is killed."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import IO

# A launcher that asks the kernel for the signal (1 is PR_SET_PDEATHSIG) and then becomes the
# program. A preexec_fn may deadlock in a process that has threads.
LAUNCHER = (
    "import ctypes, os, signal, sys\n"
    "ctypes.CDLL(None).prctl(1, signal.SIGKILL)\n"
    "if os.getppid() != int(sys.argv[1]): sys.exit(1)\n"
    "os.execv(sys.argv[2], sys.argv[2:])"
)
STOPPING_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def ending_with_us(command: list[str]) -> list[str]:
    """Return the command so that Linux kills it when this process's main thread ends.

    On other systems the command is returned unchanged.
    """
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
    """Start a process that `stack` stops: it is terminated, and killed after `stop_seconds`."""
    with uninterrupted():
        process = subprocess.Popen(
            ending_with_us(command),
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            env=env,
            process_group=0,  # Ctrl-C reaches only this process, which stops all others in order
        )
        stack.callback(stop, process, stop_seconds)
    return process


def stop(process: "subprocess.Popen[bytes]", seconds: float) -> None:
    """End the process and fetch its exit status. Does nothing if it has already ended."""
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
    """Delay Ctrl-C and SIGTERM until the end of the block.

    An interrupt inside Popen would leave a running process that is not known to this one. Only the
    main thread gets signals.
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
