"""Work that ends is ended to the last task."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from app.kafka.endings import end_leftovers, finish


async def stubborn(refusals: int, wake: Callable[[], Awaitable[object]]) -> None:
    """Ignores some cancellations, as `asyncio.wait_for` does if it is woken up at that moment."""
    for _ in range(refusals + 1):
        try:
            await wake()
        except asyncio.CancelledError:
            continue
    raise asyncio.CancelledError


@pytest.mark.parametrize("refusals", [0, 1, 3])
async def test_a_task_that_loses_cancellations_is_ended_all_the_same(refusals: int) -> None:
    never = asyncio.Event()
    task = asyncio.create_task(stubborn(refusals, never.wait))
    await asyncio.sleep(0)
    async with asyncio.timeout(30):
        await end_leftovers()
    assert task.cancelled()


async def test_nothing_is_left_is_an_end_too() -> None:
    await end_leftovers()


async def test_work_goes_on_to_its_end_although_its_caller_is_cancelled() -> None:
    may_end, ended = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        await may_end.wait()
        ended.set()

    caller = asyncio.create_task(finish(work()))
    await asyncio.sleep(0)
    for _ in range(3):
        caller.cancel()
        await asyncio.sleep(0)
    assert not caller.done()
    may_end.set()
    with pytest.raises(asyncio.CancelledError):
        await caller
    assert ended.is_set()


async def test_an_error_of_the_work_is_the_callers() -> None:
    async def work() -> None:
        raise OSError("no route to host")

    with pytest.raises(OSError, match="no route"):
        await finish(work())
