"""Runs the worker and the look-up process as children of `headrace run`."""

import asyncio
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO, TypeVar

import orjson

from app.errors import HeadraceError
from app.local.children import ending_with_us

T = TypeVar("T")

TELL_SECONDS = 5.0
END_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Child:
    """One `headrace` command that serves HTTP."""

    name: str
    process: Process
    url: str

    async def alongside(self, work: Awaitable[T]) -> T:
        """Wait for `work`. Raises HeadraceError when this process ends before it."""
        task, end = asyncio.ensure_future(work), asyncio.create_task(self.process.wait())
        try:
            await asyncio.wait({task, end}, return_when=asyncio.FIRST_COMPLETED)
            # perhaps because the process is ending
            if task.done() and task.exception() is not None:
                await asyncio.wait({end}, timeout=END_SECONDS)
            if end.done() and not (task.done() and task.exception() is None):
                raise _ended(self.name, end.result())
            return await task
        finally:
            task.cancel()
            end.cancel()


@asynccontextmanager
async def child(
    name: str, arguments: list[str], environ: Mapping[str, str], patience: Callable[[], float]
) -> AsyncIterator[Child]:
    """Run `headrace NAME … --json` until the block ends. The command must print its URL.

    At the end the command is asked to stop, and killed after `patience()` seconds. Its log goes to
    this process's standard error. It has its own process group: Ctrl-C reaches only this process,
    and the worker finishes its batch when it is asked to stop.

    Raises HeadraceError when the command ends or prints no URL.
    """
    # Use the console script beside this interpreter: `python -m` would put the working directory on
    # the path.
    command = [str(Path(sys.executable).with_name("headrace")), name, *arguments, "--json"]
    process = await asyncio.create_subprocess_exec(
        *ending_with_us(command), stdout=PIPE, env=dict(environ), process_group=0
    )
    try:
        yield Child(name, process, await _url(name, process))
    finally:
        await _stop(process, patience())


async def _url(name: str, process: Process) -> str:
    assert process.stdout is not None  # stdout=PIPE above; narrows the type
    # There is no time limit while the process lives: a worker learns a long log before it prints
    # its address.
    line = await patiently(process.stdout.readline(), f"headrace {name} to start", sys.stderr)
    if not line:
        raise _ended(name, await process.wait())
    return str(orjson.loads(line)["url"])


async def patiently(work: Awaitable[T], what: str, stream: TextIO, pause: float = TELL_SECONDS) -> T:
    """Wait for `work`, and write to `stream` every `pause` seconds what is waited for."""
    task = asyncio.ensure_future(work)
    started = time.monotonic()
    try:
        while not (await asyncio.wait({task}, timeout=pause))[0]:
            stream.write(f"waiting for {what}, {time.monotonic() - started:.0f} s so far; Ctrl-C stops\n")
            stream.flush()
        return await task
    finally:
        task.cancel()


def _ended(name: str, status: int) -> HeadraceError:
    return HeadraceError(
        f"headrace {name} ended with status {status}; if it wrote a reason, it is above. "
        "Start `headrace run` again; `headrace doctor` checks addresses, versions and models"
    )


async def _stop(process: Process, patience: float) -> None:
    if process.returncode is not None:
        return
    process.terminate()
    try:
        await asyncio.wait_for(process.wait(), patience)
    except TimeoutError:
        process.kill()
        await process.wait()
    except asyncio.CancelledError:  # asked to end a second time
        process.kill()
        raise
