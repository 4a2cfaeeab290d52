"""Ends asynchronous work to the last task, also when the end itself is interrupted."""

import asyncio
import logging
from collections.abc import Collection, Coroutine
from typing import Any

ROUNDS = 10
ROUND_SECONDS = 1.0

logger = logging.getLogger(__name__)


async def finish(work: Coroutine[Any, Any, None]) -> None:
    """Run `work` to its end, although the caller is cancelled.

    Raises the error of `work`, and CancelledError at the end if the caller was cancelled.
    """
    task = asyncio.create_task(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError as error:
            cancelled = error
    task.result()
    if cancelled is not None:
        raise cancelled


async def ends_within(seconds: float, work: Coroutine[Any, Any, None]) -> bool:
    """Run `work` for that many seconds at most. Returns whether it ended; if not, it is cancelled
    and left to itself.

    `asyncio.timeout` would wait until the work has taken its cancellation. Faust's services pass
    over one in every part that they stop, and then wait for the next part.

    Raises the error of `work`.
    """
    task = asyncio.create_task(work)
    try:
        await asyncio.wait({task}, timeout=seconds)
    finally:
        task.cancel()
    if not task.done():
        return False
    task.result()
    return True


async def cancel(tasks: Collection[asyncio.Task[Any]], seconds: float) -> None:
    """Cancel the tasks, and wait for that many seconds at most until they have ended, however they
    end.
    """
    for task in tasks:
        task.cancel()
    ending = asyncio.gather(*tasks, return_exceptions=True)
    await asyncio.wait({ending}, timeout=seconds)


async def end_leftovers() -> None:
    """Cancel every other task of this event loop until it ends, as often as that takes.

    `asyncio.run` cancels each task once and then waits for ever. Before Python 3.12, a task loses
    this one cancellation in `asyncio.wait_for` if it is woken up at the same moment. A supervisor
    of Faust is: the agents that are cancelled with it wake it up.
    """
    own = asyncio.current_task()
    for _ in range(ROUNDS):
        left = {task for task in asyncio.all_tasks() if task is not own and not task.done()}
        if not left:
            return
        for task in left:
            task.cancel()
        await asyncio.wait(left, timeout=ROUND_SECONDS)
    logger.error("%d tasks do not end: %s", len(left), "; ".join(sorted(map(str, left))))
