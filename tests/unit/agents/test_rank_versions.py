"""Versions of the weights: pinned ones rank, roll-backs hold, and each tells its loss."""

import numpy as np
import pytest
from builders import batch
from ranking_workers import ITEMS, Worker, events_of

from agents.rank import PUBLISH_SECONDS
from models.ranker.weights import PINNED, ROLLED_BACK, decode_record, kept_key, rolled_back


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
