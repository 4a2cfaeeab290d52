"""Learning to rank beside the events: a share of the time, published weights, and workers that rank
alike.
"""

import numpy as np
import pytest
from builders import batch
from fakes import MemoryOutbox
from prometheus_client import CollectorRegistry
from small_lists import log_of

from agents.list_metrics import RankerMetrics
from agents.rank import BURST_SECONDS, PUBLISH_SECONDS, Rank
from models.contract.events import RawBatch
from models.ranker.live import LiveRanker
from models.ranker.settings import LEARNED
from models.ranker.weights import PINNED, ROLLED_BACK, decode_record, kept_key, rolled_back
from models.recommender import LearningBatch, Recommender, RecommenderSettings
from models.users.gather import ListRequests

ITEMS = 60


class Timer:
    """A clock that is set by hand: work takes no time."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


class Worker:
    """What one worker knows of ranking."""

    def __init__(self, name: str, *, trains: bool = True, share: float = 0.5) -> None:
        self.recommender = Recommender(RecommenderSettings())
        self.recommender.items.numbers(f"item {number:03}" for number in range(ITEMS))
        self.outbox, self.timer = MemoryOutbox(), Timer()
        self.rank = Rank(
            live=LiveRanker(self.recommender, LEARNED),
            share=share,
            metrics=RankerMetrics(CollectorRegistry()),
            outbox=self.outbox,
            trains=lambda: trains,
            trainer=name,
            timer=self.timer,
        )

    def learn(self, events: LearningBatch, at_once: int = 64) -> None:
        for first in range(0, len(events.items), at_once):
            rows = slice(first, first + at_once)
            part = LearningBatch(events.items[rows], events.sessions[rows], events.ts[rows], events.kinds[rows])
            self.timer.now += 10.0
            self.rank.learn(part, [f"user {session}" for session in part.sessions.tolist()])

    def published(self) -> RawBatch:
        return batch(*(value for _, value in self.outbox.ranker_log), keys=[key for key, _ in self.outbox.ranker_log])

    def listed(self, item: int) -> list[int]:
        lists = self.recommender.recommend(ListRequests.of_items(np.array([item], np.int32), 0))
        return [int(each) for each in lists.items[0]]


def events_of(sessions: int, seed: int = 1) -> LearningBatch:
    random = np.random.default_rng(seed)
    firsts = random.integers(ITEMS, size=sessions)
    return log_of([[(first + step) % ITEMS for step in range(5)] for first in firsts.tolist()])


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


async def test_pinned_weights_rank_whatever_is_learned_and_published_beside() -> None:
    trainer, follower = Worker("a"), Worker("b", trains=False)
    for seed in (1, 2, 3):
        trainer.learn(events_of(60, seed))
        follower.learn(events_of(60, seed))
        await trainer.rank.publish()
        for worker in (trainer, follower):
            worker.rank.handle(trainer.published())
    first = next(value for key, value in trainer.outbox.ranker_log if key == kept_key(1))

    for worker in (trainer, follower):
        worker.rank.handle(batch(first, keys=[PINNED]))
        assert worker.recommender.model == "ranker-1"
    trainer.learn(events_of(60, 4))
    follower.learn(events_of(60, 4))
    await trainer.rank.publish()
    for worker in (trainer, follower):
        worker.rank.handle(trainer.published())
        assert worker.recommender.model == "ranker-1"
        assert worker.rank.metrics.pinned._value.get() == 1
    assert [trainer.listed(item) for item in range(20)] == [follower.listed(item) for item in range(20)]
    assert follower.rank.live.lists_learned == trainer.rank.live.lists_learned  # learning went on

    for worker in (trainer, follower):
        worker.rank.handle(batch(None, keys=[PINNED]))
        assert worker.recommender.model == "ranker-4"
        assert worker.rank.metrics.pinned._value.get() == 0


async def test_a_pin_that_cannot_be_read_changes_nothing() -> None:
    worker = Worker("a")
    worker.learn(events_of(120))
    await worker.rank.publish()
    worker.rank.handle(worker.published())
    value = worker.outbox.ranker_log[0][1]
    worker.rank.handle(batch(value, b"{}", keys=[PINNED, PINNED]))
    assert worker.recommender.model == "ranker-1"
    assert worker.rank.metrics.pinned._value.get() == 1
    worker.rank.handle(batch(value, None, b"{}", keys=[PINNED, PINNED, PINNED]))
    assert worker.rank.metrics.pinned._value.get() == 1


@pytest.mark.parametrize("at_once", [True, False])
async def test_a_roll_back_holds_although_newer_weights_were_on_their_way(at_once: bool) -> None:
    trainer, follower = Worker("a"), Worker("b", trains=False)
    versions = []
    for seed in (1, 2):
        trainer.learn(events_of(120, seed))
        await trainer.rank.publish()
        trainer.rank.handle(trainer.published())
        versions.append(decode_record(trainer.outbox.ranker_log[-1][1]))
    order = rolled_back(versions[0], versions[1])
    trainer.learn(events_of(60, 3))
    await trainer.rank.publish()  # before it reads the order
    log = trainer.published()
    parts = [
        batch(*log.values[:4], order, *log.values[4:], keys=[*log.keys[:4], ROLLED_BACK, *log.keys[4:]]),
    ]
    if not at_once:
        parts = [batch(value, keys=[key]) for key, value in zip(parts[0].keys, parts[0].values, strict=True)]
    for seed in (1, 2, 3):
        follower.learn(events_of(120 if seed < 3 else 60, seed))
    for worker in (trainer, follower):
        for part in parts:
            worker.rank.handle(part)
        assert worker.rank.live.lists_learned == versions[0].lists < versions[1].lists
        assert worker.recommender.model == "ranker-3"
    assert [trainer.listed(item) for item in range(20)] == [follower.listed(item) for item in range(20)]

    trainer.timer.now += PUBLISH_SECONDS
    assert trainer.rank._is_due()  # over what it sent meanwhile
    await trainer.rank.publish()
    again = decode_record(trainer.outbox.ranker_log[-1][1])
    assert (again.version, again.generation, again.lists) == (4, 1, versions[0].lists)
    fresh = Worker("c", trains=False)
    fresh.rank.handle(trainer.published())
    fresh.rank.handle(batch(order, keys=[ROLLED_BACK]))
    assert fresh.recommender.model == "ranker-4"


async def test_the_loss_is_published_and_goes_on_in_the_next_worker() -> None:
    trainer, losses = Worker("a"), []
    for seed in range(6):
        trainer.learn(events_of(60, seed))
        await trainer.rank.publish()
        trainer.rank.handle(trainer.published())
        losses.append({name: trainer.rank.metrics.loss.labels(name)._value.get() for name in ("linear", "hidden")})
    guessing = np.log(ITEMS)
    assert all(0 < loss < guessing / 2 for loss in losses[-1].values()), losses
    other = Worker("b")
    other.rank.handle(trainer.published())
    await other.rank.publish()
    assert decode_record(other.outbox.ranker_log[0][1]).figures["linear"]["loss"] == losses[-1]["linear"]


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
