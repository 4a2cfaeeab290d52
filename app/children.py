"""Processes that end with the one that started them, even when that one is killed."""

import os
import sys

# A launcher that asks for the signal (1 is PR_SET_PDEATHSIG) and then becomes the program, because a preexec_fn
# may deadlock in a process that has threads.
LAUNCHER = (
    "import ctypes, os, signal, sys\n"
    "ctypes.CDLL(None).prctl(1, signal.SIGKILL)\n"
    "if os.getppid() != int(sys.argv[1]): sys.exit(1)\n"
    "os.execv(sys.argv[2], sys.argv[2:])"
)


def ending_with_us(command: list[str]) -> list[str]:
    """The command, made to be killed by Linux when our main thread's process ends; elsewhere as it is."""
    if sys.platform != "linux":
        return command
    return [sys.executable, "-I", "-S", "-c", LAUNCHER, str(os.getpid()), *command]
