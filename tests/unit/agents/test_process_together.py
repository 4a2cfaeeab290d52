"""Batches that wait are handled together, and emitted while the next ones are decided on."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence

import pytest
from builders import NOW, batch, event
from event_bench import Bench
from fakes import Away

from agents.metrics import total
from agents.ports import Handed

LOG = [
    batch(event("a", user_id="u1"), event("b", user_id="u2", item_id="i2", ts=NOW + 1), b"{", event("a")),
    batch(event("c", user_id="u1", item_id="i3", ts=NOW + 2), topic="clicks"),
    batch(event("d", user_id="u2", item_id="i1", ts=NOW + 3), None, first=4),
    batch(event("e", user_id="u1", item_id="i2", ts=NOW + 4, price=3.5), topic="orders"),
]


@pytest.fixture
def bench() -> Bench:
    return Bench()


async def test_the_agent_handles_what_it_is_handed_and_says_when_all_of_it_is_emitted(bench: Bench) -> None:
    finished: list[int] = []

    async def stream() -> AsyncIterator[Handed]:
        yield Handed(LOG[:3], lambda: finished.append(len(bench.emitted())))
        yield Handed(LOG[3:], lambda: finished.append(len(bench.emitted())))

    await bench.process.run(stream())
    assert total(bench.metrics.events) == 8
    assert finished == [4, 5]


async def test_batches_that_wait_together_lead_to_what_they_lead_to_one_by_one(bench: Bench) -> None:
    one_by_one = Bench()
    await one_by_one.handle(*LOG)
    await bench.handle_together(*LOG)
    assert bench.users.profiles == one_by_one.users.profiles
    # The list of u2 follows from the last batch too, which one by one came after it.
    assert bench.listed("u1") == one_by_one.listed("u1")
    assert set(bench.users.lists) == {"u1", "u2"}
    assert bench.emitted() == one_by_one.emitted()
    assert bench.outbox.quarantined == one_by_one.outbox.quarantined


async def test_a_user_in_several_batches_gets_one_list(bench: Bench) -> None:
    await bench.handle_together(batch(event("a")), batch(event("b", item_id="i2"), topic="orders"))
    assert [user for user, _ in bench.outbox.recommendations_log[0]] == ["u1"]
    assert bench.counts() == [1, 0, 0, 1]


async def test_partitions_that_are_handled_together_are_emitted_apart(bench: Bench) -> None:
    await bench.handle_together(batch(event("a")), batch(event("b", user_id="u2"), b"{", partition=3))
    assert {place: keys_of(log) for place, log in bench.outbox.interactions_log.items()} == {0: ["u1"], 3: ["u2"]}
    assert {place: keys_of(log) for place, log in bench.outbox.recommendations_log.items()} == {0: ["u1"], 3: ["u2"]}
    assert bench.diary.entries.count("store") == 1


async def test_the_next_batches_are_stored_while_the_last_ones_are_emitted(bench: Bench) -> None:
    first = await bench.process.store(LOG[:1])
    second = asyncio.create_task(bench.process.store([batch(event("z", item_id="i9"), first=4)]))
    await until(lambda: len(bench.users.profiles["u1"].recent) == 2)
    assert bench.emitted() == []
    await bench.process.emit(first)
    await bench.process.emit(await second)
    assert [each["event_id"] for each in bench.emitted()] == ["a", "b", "z"]


async def test_an_error_in_emitting_ends_the_agent_although_nothing_more_comes(bench: Bench) -> None:
    bench.outbox.away = True
    finished: list[bool] = []

    async def stream() -> AsyncIterator[Handed]:
        yield Handed(LOG[:1], lambda: finished.append(True))
        await asyncio.Event().wait()

    async with asyncio.timeout(10):
        with pytest.raises(Away):
            await bench.process.run(stream())
    assert finished == []


def keys_of(records: Sequence[tuple[str, bytes | None]]) -> list[str]:
    return [key for key, _ in records]


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0)
