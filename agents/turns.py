"""Long work on the event loop, in steps between which everything else gets its turn."""

import asyncio
from collections.abc import Generator
from typing import TypeVar

T = TypeVar("T")


async def take_turns(work: Generator[None, None, T]) -> T:
    """Do all steps of the work, and let others go on after each. Returns its result."""
    while True:
        try:
            next(work)
        except StopIteration as done:
            result: T = done.value
            return result
        await asyncio.sleep(0)
