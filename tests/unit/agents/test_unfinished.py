"""A worker killed between the store and the emission: which of several events with one id
counts.
"""

import asyncio
from dataclasses import replace

import numpy as np
import pytest
from builders import NOW, batch, event
from event_bench import Bench

from agents.metrics import total


@pytest.fixture
def bench() -> Bench:
    return Bench()


async def in_doubt(bench: Bench) -> None:
    """Until a batch was refused and left alone."""
    async with asyncio.timeout(10):
        while not total(bench.metrics.refused_writes, what="batch"):
            await asyncio.sleep(0)


async def test_an_id_on_two_topics_counts_where_it_was_stored_though_the_other_is_read_first_after_a_crash(
    bench: Bench,
) -> None:
    view, click = batch(event("a")), batch(event("a"), topic="clicks")
    await bench.crash(view)
    await bench.handle(click, view)
    assert bench.counts() == [1, 0, 0, 0]
    assert [each["kind"] for each in bench.emitted()] == ["view"]


async def test_an_id_on_three_topics_counts_once_after_two_crashes(bench: Bench) -> None:
    view, order = batch(event("a")), batch(event("a"), topic="orders")
    clicks = batch(event("b"), event("a"), topic="clicks")
    await bench.crash(clicks)
    await bench.crash(view)
    await bench.handle(order, view, clicks)
    assert bench.counts() == [0, 2, 0, 0]
    assert [each["kind"] for each in bench.emitted()] == ["click", "click"]


async def test_after_a_batch_that_was_replayed_nothing_is_unfinished(bench: Bench) -> None:
    await bench.crash(batch(event("a")))
    await bench.handle(batch(event("a")), batch(event("b"), first=1))
    assert [(each.first, each.last) for each in bench.begun.noted[0]] == [(1, 1)]


async def test_a_batch_of_a_log_that_is_gone_keeps_no_event_of_the_new_log_out(bench: Bench) -> None:
    await bench.crash(batch(event("a"), event("b")))
    bench.log.batches.clear()
    bench.logs.name = "made again"
    again = batch(event("c"), event("b", item_id="i2"))
    bench.log.batches.append(again)
    await bench.handle(batch(event("d"), topic="clicks"), again)
    assert total(bench.metrics.events, outcome="duplicate") == 0
    assert len(bench.emitted()) == 3


async def test_an_id_whose_record_has_no_time_counts_once_after_a_crash(bench: Bench) -> None:
    view = replace(batch(event("a")), times=np.full(1, NOW / 1000))
    await bench.crash(view)
    await bench.handle(batch(event("a"), topic="clicks"), view)
    assert [each["kind"] for each in bench.emitted()] == ["view"]


async def test_a_worker_that_does_not_know_that_it_lost_a_partition_begins_no_batch_of_it(bench: Bench) -> None:
    await bench.handle(batch(event("a")))
    bench.is_member = False
    await bench.beside().handle(batch(event("b"), topic="clicks"))

    handling = asyncio.create_task(bench.handle(batch(event("b"), first=1)))
    await in_doubt(bench)
    assert not handling.done()
    bench.lost.add(0)
    bench.process.unfinished.forget()
    await handling

    assert bench.counts() == [1, 1, 0, 0]
    assert [each["event_id"] for each in bench.emitted()] == ["a", "b"]


async def test_a_worker_waits_while_the_group_does_not_say_whose_the_partition_is(bench: Bench) -> None:
    await bench.handle(batch(event("a")))
    bench.is_member = False
    await bench.beside().handle(batch(event("b"), topic="clicks"))

    handling = asyncio.create_task(bench.handle(batch(event("c"), first=1)))
    await in_doubt(bench)
    assert not handling.done()
    bench.is_member = True
    await handling

    assert bench.counts() == [2, 1, 0, 0]


async def test_an_owner_whose_claim_was_taken_claims_again_at_once(bench: Bench) -> None:
    await bench.handle(batch(event("a")))
    await bench.beside().handle(batch(event("b"), topic="clicks"))
    await bench.handle(batch(event("c"), first=1))
    assert bench.counts() == [2, 1, 0, 0]
    assert total(bench.metrics.refused_writes, what="batch") == 0


async def test_a_claim_that_arrives_after_the_next_owners_is_none(bench: Bench) -> None:
    other = bench.beside()

    async def paused() -> bool:
        await other.handle(batch(event("a"), topic="clicks"))
        bench.is_member = False
        return True

    bench.answers.append(paused)
    handling = asyncio.create_task(bench.handle(batch(event("a"))))
    await in_doubt(bench)
    bench.lost.add(0)
    await handling

    assert bench.counts() == [0, 1, 0, 0]


async def test_partitions_that_are_assigned_while_a_batch_is_noted_are_claimed_again(bench: Bench) -> None:
    async def assigned() -> bool:
        bench.process.unfinished.forget()
        return True

    elsewhere = batch(event("b", user_id="u2"), partition=1)
    bench.answers.append(assigned)
    await bench.handle_together(batch(event("a")), elsewhere)

    assert len(bench.emitted()) == 2
    assert {partition: len(noted) for partition, noted in bench.begun.noted.items()} == {0: 1, 1: 1}


async def test_of_batches_that_are_begun_together_only_those_that_were_lost_are_left_out(bench: Bench) -> None:
    kept, lost = batch(event("a")), batch(event("b", user_id="u2"), partition=1)
    await bench.handle_together(kept, lost)
    await bench.beside().handle(batch(event("c", user_id="u2"), topic="clicks", partition=1))
    bench.is_member = False

    later = [batch(event("d"), first=1), batch(event("e", user_id="u2"), first=1, partition=1)]
    handling = asyncio.create_task(bench.handle_together(*later))
    await in_doubt(bench)
    bench.lost.add(1)
    bench.is_member = True
    await handling

    assert sorted(str(each["event_id"]) for each in bench.emitted()) == ["a", "b", "c", "d"]


async def test_a_store_that_lost_its_data_gets_another_claim(bench: Bench) -> None:
    await bench.handle(batch(event("a")))
    bench.begun.claims.clear()
    bench.begun.noted.clear()
    bench.is_member = False

    handling = asyncio.create_task(bench.handle(batch(event("b"), first=1)))
    await in_doubt(bench)
    assert not handling.done()
    bench.is_member = True
    await handling

    assert bench.counts() == [2, 0, 0, 0]


async def test_a_batch_that_was_begun_may_be_finished(bench: Bench) -> None:
    view = batch(event("a"))
    emission = await bench.process.store([view])
    bench.log.batches.append(view)
    other = bench.beside()
    await other.handle(batch(event("a"), topic="clicks"))
    await bench.process.emit(emission)
    assert bench.counts() == [1, 0, 0, 0]
    assert [each["kind"] for each in bench.emitted()] == ["view"]
