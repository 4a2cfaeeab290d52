"""A worker killed between the store and the emission: which of several events with one id
counts.
"""

from dataclasses import replace

import numpy as np
import pytest
from builders import NOW, batch, event
from event_bench import Bench

from agents.metrics import total


@pytest.fixture
def bench() -> Bench:
    return Bench()


async def test_an_id_on_two_topics_counts_where_it_was_stored_though_the_other_is_read_first_after_a_crash(
    bench: Bench,
) -> None:
    view, click = batch(event("a")), batch(event("a"), topic="clicks")
    await bench.crash(view)
    await bench.handle(click, view)
    assert bench.counts() == [1, 0, 0]
    assert [each["kind"] for each in bench.emitted()] == ["view"]


async def test_an_id_on_three_topics_counts_once_after_two_crashes(bench: Bench) -> None:
    view, order = batch(event("a")), batch(event("a"), topic="orders")
    clicks = batch(event("b"), event("a"), topic="clicks")
    await bench.crash(clicks)
    await bench.crash(view)
    await bench.handle(order, view, clicks)
    assert bench.counts() == [0, 2, 0]
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
