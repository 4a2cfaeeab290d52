"""Learning to rank beside the events: a share of the time, published weights, and workers that rank
alike.
"""

import numpy as np
import pytest
from builders import batch
from ranking_workers import Worker, events_of

from agents.rank import BURST_SECONDS
from models.recommender import LearningBatch


async def test_all_rank_by_the_weights_that_one_published() -> None:
    trainer, follower = Worker("a"), Worker("b", trains=False)
    events = events_of(120)
    for worker in (trainer, follower):
        worker.learn(events)
    await trainer.rank.publish()
    for worker in (trainer, follower):
        worker.rank.handle(trainer.published())
    assert trainer.recommender.model == follower.recommender.model == "ranker-1"
    assert follower.rank.live.lists_learned == trainer.rank.live.lists_learned > 50
    assert [trainer.listed(item) for item in range(20)] == [follower.listed(item) for item in range(20)]


async def test_workers_that_read_sessions_in_another_order_rank_alike() -> None:
    trainer, follower = Worker("a"), Worker("b", trains=False)
    events = events_of(120)
    trainer.learn(events)
    order = np.argsort(events.sessions % 3, kind="stable")  # as from three partitions, one after the other
    follower.learn(LearningBatch(*(column[order] for column in events)), at_once=50)  # type: ignore[arg-type]
    await trainer.rank.publish()
    for worker in (trainer, follower):
        worker.rank.handle(trainer.published())
    assert [trainer.listed(item)[:3] for item in range(20)] == [follower.listed(item)[:3] for item in range(20)]


async def test_a_worker_that_takes_over_goes_on_from_the_published_weights() -> None:
    first, second = Worker("a"), Worker("b")
    first.learn(events_of(120))
    await first.rank.publish()
    second.rank.handle(first.published())
    assert second.rank.live.lists_learned == first.rank.live.lists_learned
    second.learn(events_of(40, seed=2))
    await second.rank.publish()
    second.rank.handle(second.published())
    assert second.recommender.model == "ranker-2"
    assert second.rank.live.lists_learned > first.rank.live.lists_learned


async def test_its_own_weights_do_not_take_back_what_it_learned_since() -> None:
    worker = Worker("a")
    worker.learn(events_of(60))
    await worker.rank.publish()
    worker.learn(events_of(60, seed=2))
    learned = worker.rank.live.lists_learned
    worker.rank.handle(worker.published())
    assert worker.rank.live.lists_learned == learned


async def test_who_does_not_train_learns_relations_only() -> None:
    worker = Worker("a", trains=False)
    worker.learn(events_of(60))
    assert worker.rank.live.lists_learned == 0
    assert worker.rank.live.ranker.relations.arrays.end[0] > 0


@pytest.mark.parametrize("share", [0.05, 0.15, 0.5])
def test_learning_takes_its_share_of_the_time(share: float) -> None:
    worker = Worker("a", share=share)
    real = worker.rank.live.teach

    def timed(*asked: object) -> int:
        lists = real(*asked)  # type: ignore[arg-type]  # as they came
        worker.timer.now += 0.001 * lists
        spent.append(0.001 * lists)
        return lists

    spent: list[float] = []
    worker.rank.live.teach = timed  # type: ignore[method-assign, assignment]  # it is timed
    started, events = worker.timer.now, events_of(2_000)
    for first in range(0, len(events.items), 100):
        rows = slice(first, first + 100)
        part = LearningBatch(events.items[rows], events.sessions[rows], events.ts[rows], events.kinds[rows])
        worker.rank.learn(part, [""] * len(part.items))
        worker.timer.now += 0.02
    assert sum(spent) / (worker.timer.now - started) == pytest.approx(share, rel=0.2)
    assert max(spent) < 3 * BURST_SECONDS


def test_one_slow_list_does_not_end_learning() -> None:
    worker = Worker("a")
    real = worker.rank.live.teach

    def slow(*asked: object) -> int:
        lists = real(*asked)  # type: ignore[arg-type]  # as they came
        worker.timer.now += 5.0
        return lists

    worker.rank.live.teach = slow  # type: ignore[method-assign, assignment]  # it takes long
    worker.learn(events_of(20))
    worker.rank.live.teach = real  # type: ignore[method-assign]
    before = worker.rank.live.lists_learned
    worker.learn(events_of(200, seed=2))
    assert worker.rank.live.lists_learned > before + 100


async def test_what_is_no_weights_is_passed_over() -> None:
    worker = Worker("a")
    worker.learn(events_of(120))
    await worker.rank.publish()
    key, value = worker.outbox.ranker_log[0]
    worker.rank.handle(batch(value, b"{}", None, b"x", keys=[key, key, key, b"other"]))
    assert worker.recommender.model == "ranker-1"
    worker.rank.handle(batch(b"{}", keys=[key]))
    assert worker.recommender.model == "ranker-1"


async def test_a_record_with_a_count_beyond_bounds_is_passed_over() -> None:
    worker = Worker("a")
    worker.learn(events_of(120))
    await worker.rank.publish()
    key, value = worker.outbox.ranker_log[0]
    huge = value.replace(b'"version":1,', b'"version":1' + b"0" * 400 + b",")
    assert huge != value
    worker.rank.handle(batch(value, huge, keys=[key, key]))
    assert worker.recommender.model == "ranker-1"


async def test_all_hear_that_learning_stopped_also_when_weights_are_no_numbers() -> None:
    worker, other = Worker("a"), Worker("b", trains=False)
    worker.learn(events_of(120))
    await worker.rank.publish()
    for each in (worker, other):
        each.rank.handle(worker.published())
        assert each.recommender.model == "ranker-1"
    for weights in worker.rank.live.ranker.learner.network:
        weights[:] = np.nan
    worker.learn(events_of(20, seed=2))
    await worker.rank.publish()
    for each in (worker, other):
        each.rank.handle(worker.published())
        assert each.rank.live.leader == "formula"


async def test_a_number_that_is_none_stops_learning_and_the_others_hear_of_it() -> None:
    worker, other = Worker("a"), Worker("b", trains=False)
    worker.learn(events_of(60))
    worker.recommender.catalogue.facts.counts[:] = np.nan
    worker.learn(events_of(20, seed=2))
    assert worker.rank.metrics.stopped._value.get() == 1
    assert worker.rank._is_due()
    await worker.rank.publish()
    for each in (worker, other):
        each.rank.handle(worker.published())
        assert each.rank.live.leader == "formula"
    lists = worker.rank.live.lists_learned
    worker.learn(events_of(20, seed=3))
    assert worker.rank.live.lists_learned == lists
