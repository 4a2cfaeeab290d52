"""Events that lie in another partition than their user's: moved or refused, and counted once."""

from dataclasses import replace

import numpy as np
import pytest
from aiokafka.partitioner import DefaultPartitioner  # type: ignore[import-untyped]  # ships no types
from builders import NOW, batch, event
from event_bench import MOVED, Bench

from agents.metrics import total
from models.contract.events import RawBatch
from models.contract.moved import Moved
from models.contract.outcome import Reason
from models.contract.partitioner import MOVE, MURMUR2, REFUSE
from models.contract.placement import Placement

PARTITIONS = 2
HOME = DefaultPartitioner()(b"u1", list(range(PARTITIONS)), [])
AWAY = 1 - HOME


def a_bench(misplaced: str = MOVE) -> Bench:
    return Bench(Placement(MURMUR2, PARTITIONS, misplaced))


def arrived(bench: Bench) -> RawBatch:
    """All that was moved to the user's partition, as a batch."""
    events: list[Moved] = bench.outbox.moved_log[HOME]
    return RawBatch(
        MOVED,
        HOME,
        np.arange(len(events)),
        np.full(len(events), NOW + 1),
        [each.user_id.encode() for each in events],
        [each.value for each in events],
        headers=[each.headers() for each in events],
    )


async def test_an_event_elsewhere_is_moved_and_touches_no_profile() -> None:
    bench = a_bench()
    await bench.handle(batch(event("a"), event("b"), partition=AWAY, first=5))
    assert bench.users.profiles == {}
    assert [(each.offset, each.user_id) for each in bench.outbox.moved_log[HOME]] == [(5, "u1"), (6, "u1")]
    assert total(bench.metrics.foreign_key, kind="view", outcome="moved") == 2
    assert total(bench.metrics.events) == 0


async def test_where_it_arrives_it_counts_under_its_origin_once() -> None:
    bench = a_bench()
    away = batch(event("a"), event("b"), partition=AWAY)
    await bench.handle(away, away)  # the second as after a crash
    await bench.handle(arrived(bench), batch(event("c"), partition=HOME))
    assert bench.counts() == [3, 0, 0, 0]
    assert bench.users.profiles["u1"].applied == {f"views-{AWAY}": 1, f"views-{HOME}": 0}
    assert {each["source"] for each in bench.emitted()} == {f"views-{AWAY}", f"views-{HOME}"}
    assert [place for place, records in bench.outbox.interactions_log.items() if records] == [HOME]


async def test_a_copy_that_arrives_after_a_restart_counts_no_second_time() -> None:
    bench = a_bench()
    away = batch(event("a"), event("b"), partition=AWAY)
    await bench.handle(away)
    await bench.handle(arrived(bench))
    bench.restart()
    await bench.handle(away, replace(arrived(bench), offsets=np.arange(10, 12)))
    assert bench.counts() == [2, 0, 0, 0]


async def test_an_id_counts_once_though_it_is_moved_and_in_place() -> None:
    bench = a_bench()
    await bench.handle(batch(event("a"), partition=AWAY), batch(event("a"), partition=HOME, topic="clicks"))
    await bench.handle(arrived(bench))
    assert bench.counts() == [0, 1, 0, 0]
    assert total(bench.metrics.events, outcome="duplicate") == 1


@pytest.mark.parametrize("key", [None, b'"u1"', b"some envelope"])
async def test_a_foreign_key_in_the_right_partition_is_processed_and_counted(key: bytes | None) -> None:
    bench = a_bench()
    await bench.handle(replace(batch(event("a"), event("b"), partition=HOME), keys=[key, b"u1"]))
    assert bench.counts() == [2, 0, 0, 0]
    assert total(bench.metrics.foreign_key) == total(bench.metrics.foreign_key, outcome="in_place") == 1


async def test_a_refused_event_is_quarantined_and_its_id_may_come_again() -> None:
    bench = a_bench(REFUSE)
    await bench.handle(batch(event("a"), partition=AWAY), batch(event("a"), partition=HOME))
    [refused] = bench.outbox.quarantined
    assert (refused.reason, refused.partition) == (Reason.FOREIGN_KEY, AWAY)
    assert f"partition {HOME}" in refused.detail
    assert bench.counts() == [1, 0, 0, 0]
    assert total(bench.metrics.rejected, reason="foreign_key") == 1


async def test_what_was_moved_by_a_worker_with_other_settings_is_not_moved_back() -> None:
    bench = a_bench()
    await bench.handle(batch(event("a"), partition=AWAY))
    stray = replace(arrived(bench), partition=AWAY)
    bench.outbox.moved_log.clear()
    await bench.handle(stray)
    assert bench.outbox.moved_log == {}
    assert bench.counts() == [1, 0, 0, 0]


async def test_a_record_of_moved_without_an_origin_is_quarantined() -> None:
    bench = a_bench()
    await bench.handle(replace(batch(event("a"), topic=MOVED, partition=HOME), headers=[()]))
    assert [each.topic for each in bench.outbox.quarantined] == [MOVED]
    assert total(bench.metrics.rejected, kind="unknown") == 1


async def test_a_crash_of_the_worker_that_has_moved_events_in_work_counts_them_once() -> None:
    bench = a_bench()
    await bench.handle(batch(event("a"), partition=AWAY))
    batch_of_moved = arrived(bench)
    await bench.crash(batch_of_moved)
    await bench.handle(batch(event("a"), partition=HOME, topic="clicks"), batch_of_moved)
    assert bench.counts() == [1, 0, 0, 0]
