"""The worker and the look-up process as children of `headrace run`."""

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Awaitable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import orjson

from app.children import ending_with_us
from app.errors import HeadraceError

T = TypeVar("T")

STOP_SECONDS = 30.0
START_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Child:
    """One `headrace` command that serves HTTP."""

    name: str
    process: Process
    url: str

    async def alongside(self, work: Awaitable[T]) -> T:
        """Wait for `work`, but not when this process ends meanwhile. Raises HeadraceError then."""
        task, end = asyncio.ensure_future(work), asyncio.create_task(self.process.wait())
        try:
            await asyncio.wait({task, end}, return_when=asyncio.FIRST_COMPLETED)
            if not task.done():
                raise HeadraceError(f"headrace {self.name} ended with status {end.result()}; its log is above")
            return await task
        finally:
            task.cancel()
            end.cancel()


@asynccontextmanager
async def child(name: str, arguments: list[str], environ: Mapping[str, str]) -> AsyncIterator[Child]:
    """Run `headrace NAME … --json` until the block ends; it must print its url. Raises HeadraceError otherwise.

    Its log goes to our standard error. It gets a process group of its own: Ctrl-C reaches us alone, and the
    worker finishes its batch when we ask it to.
    """
    # The console script beside this interpreter: `python -m` would put the working directory on the path.
    command = [str(Path(sys.executable).with_name("headrace")), name, *arguments, "--json"]
    process = await asyncio.create_subprocess_exec(
        *ending_with_us(command), stdout=PIPE, env=dict(environ), process_group=0
    )
    try:
        yield Child(name, process, await _url(name, process))
    finally:
        await _stop(process)


async def _url(name: str, process: Process) -> str:
    assert process.stdout is not None  # stdout=PIPE above; narrows the type
    try:
        line = await asyncio.wait_for(process.stdout.readline(), START_SECONDS)
    except TimeoutError:
        raise HeadraceError(f"headrace {name} did not start within {START_SECONDS:g} s; its log is above") from None
    if not line:
        raise HeadraceError(f"headrace {name} ended with status {await process.wait()}; its log is above")
    return str(orjson.loads(line)["url"])


async def _stop(process: Process) -> None:
    if process.returncode is not None:
        return
    process.terminate()
    try:
        await asyncio.wait_for(process.wait(), STOP_SECONDS)
    except TimeoutError:
        process.kill()
        await process.wait()
