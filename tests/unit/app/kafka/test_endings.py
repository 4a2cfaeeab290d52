"""Work that ends is ended to the last task."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from app.kafka.endings import cancel, end_leftovers, ends_within, finish


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


async def test_work_that_passes_over_its_cancellation_holds_up_nobody() -> None:
    never, began = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        began.set()
        await stubborn(100, never.wait)

    async with asyncio.timeout(30):
        assert not await ends_within(0.0, work())
        await began.wait()
        await end_leftovers_of(never)


async def test_work_that_ends_in_time_has_ended() -> None:
    async def work() -> None:
        await asyncio.sleep(0)

    assert await ends_within(30, work())


async def test_an_error_of_work_with_a_limit_is_the_callers() -> None:
    async def work() -> None:
        raise OSError("no route to host")

    with pytest.raises(OSError, match="no route"):
        await ends_within(30, work())


async def test_a_task_that_keeps_running_is_waited_for_no_longer_than_said() -> None:
    never = asyncio.Event()
    task, other = (asyncio.create_task(stubborn(refusals, never.wait)) for refusals in (100, 0))
    await asyncio.sleep(0)
    async with asyncio.timeout(30):
        await cancel([task, other], 0.01)
    assert other.cancelled()
    assert not task.done()
    await end_leftovers_of(never)


async def end_leftovers_of(never: asyncio.Event) -> None:
    """Let stubborn tasks end, each at its next turn."""
    never.set()
    while left := asyncio.all_tasks() - {asyncio.current_task()}:
        await asyncio.wait(left)
