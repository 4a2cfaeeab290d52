"""A cancellation undoes its order exactly once, in profile, counts, index and relations; before its
order, after it, after a crash, and in a worker that reads the log.
"""

import numpy as np
import pytest
from builders import NOW, Fields, batch, event
from event_bench import Bench
from fakes import Away

from agents.metrics import total
from models.contract.events import Kind
from models.core.unlearning import CancelledOrders, unlearn
from models.processor import hash_session
from models.ranker.live import LiveRanker
from models.recommender import LearningBatch, Recommender, RecommenderSettings

ORDER = event("o1", user_id="u1", item_id="i1", ts=NOW - 50, price=3.5, quantity=2, session_id="visit")
CANCELLATION = ORDER | {"cancelled_at": NOW}
BESIDE = [
    event("v1", item_id="i0", ts=NOW - 60, session_id="visit"),
    event("v2", user_id="u2", item_id="i0", ts=NOW - 55, session_id="other"),
    event("v3", user_id="u2", item_id="i2", ts=NOW - 54, session_id="other"),
]


@pytest.fixture
def bench() -> Bench:
    return Bench()


def known(bench: Bench) -> dict[str, object]:
    """What the worker learned from all users, by item."""
    recommender = bench.recommender
    numbers = np.arange(len(recommender.items), dtype=np.int32)
    counts = recommender.catalogue.facts.counts_at(numbers, NOW)[:, :, 1].round(4)
    return {
        "popular": {each.item_id for each in recommender.trending_lists().overall},
        "sessions": dict(zip(recommender.items.names, recommender.index.sessions_by_item().tolist(), strict=False)),
        "counts": {name: counts[item].tolist() for name, item in zip(recommender.items.names, numbers, strict=True)},
        "half life": recommender.trending.half_life_seconds,
    }


async def test_a_cancellation_undoes_its_order(bench: Bench) -> None:
    await bench.handle(batch(*BESIDE), batch(ORDER, topic="orders"))
    assert bench.users.profiles["u1"].bought
    assert "i1" not in bench.listed("u1")
    await bench.handle(batch(CANCELLATION, topic="orders", first=1))
    profile = bench.users.profiles["u1"]
    assert [seen.item_id for seen in profile.recent] == ["i0"]
    assert profile.bought == ()
    assert profile.counts[Kind.ORDER] == 0
    assert total(bench.metrics.cancellations, outcome="undone") == 1
    assert known(bench)["popular"] == {"i0", "i2"}
    assert known(bench)["sessions"] == {"i0": 2, "i2": 1, "i1": 0}
    assert known(bench)["counts"]["i1"] == [0.0, 0.0, 0.0, 0.0]  # type: ignore[index]  # it is a dict


async def test_another_worker_learns_the_same_from_the_log(bench: Bench) -> None:
    await bench.handle(batch(*BESIDE), batch(ORDER, CANCELLATION, topic="orders"))
    learned = known(bench)
    bench.restart()
    assert known(bench) == learned


async def test_the_log_says_that_the_order_was_cancelled(bench: Bench) -> None:
    await bench.handle(batch(ORDER, CANCELLATION, topic="orders"))
    order, cancellation = bench.emitted()
    assert "format" not in order
    assert cancellation == order | {"kind": "cancellation", "offset": 1, "cancelled_at": NOW, "format": 3}


@pytest.mark.parametrize("size", [1, 2, 5])
async def test_a_repeated_cancellation_undoes_nothing_more(bench: Bench, size: int) -> None:
    other = event("o2", user_id="u1", item_id="i1", ts=NOW - 20, price=3.5, quantity=2)
    log = [ORDER, other, CANCELLATION, CANCELLATION, CANCELLATION]
    for first in range(0, len(log), size):
        await bench.handle(batch(*log[first : first + size], topic="orders", first=first))
    assert [seen.ts for seen in bench.users.profiles["u1"].bought] == [NOW - 20]
    assert bench.users.profiles["u1"].counts[Kind.ORDER] == pytest.approx(1.0)
    assert total(bench.metrics.events, outcome="duplicate") == 2


async def test_a_cancellation_that_the_duplicate_filter_forgot_undoes_nothing_more(bench: Bench) -> None:
    other = event("o2", user_id="u1", item_id="i9", ts=NOW - 20)
    await bench.handle(batch(ORDER, other, CANCELLATION, topic="orders"))
    bench.process.seen.__init__(0, 1)  # type: ignore[misc]  # as after a day
    await bench.handle(batch(CANCELLATION, topic="orders", first=3))
    assert bench.users.profiles["u1"].counts[Kind.ORDER] == pytest.approx(1.0)
    assert total(bench.metrics.cancellations, outcome="unmatched") == 1


async def test_an_order_that_comes_after_its_cancellation_counts_for_nothing(bench: Bench) -> None:
    await bench.handle(batch(*BESIDE), batch(CANCELLATION, topic="orders", partition=1))
    before = bench.users.profiles["u1"]
    await bench.handle(batch(ORDER, topic="orders", first=7))
    profile = bench.users.profiles["u1"]
    assert (profile.recent, profile.bought, profile.counts) == (before.recent, (), before.counts)
    assert "cancelled_order" in [each["kind"] for each in bench.emitted()]
    assert known(bench)["popular"] == {"i0", "i2"}
    counted = [total(bench.metrics.cancellations, outcome=each) for each in ("undone", "unmatched", "order_void")]
    assert counted == [0, 1, 1]
    bench.restart()
    assert known(bench)["popular"] == {"i0", "i2"}


async def test_a_cancellation_of_an_unknown_order_takes_nothing_away(bench: Bench) -> None:
    other = event("o2", user_id="u1", item_id="i9", ts=NOW - 20)
    await bench.handle(batch(other, CANCELLATION, topic="orders"))
    assert bench.users.profiles["u1"].counts[Kind.ORDER] == pytest.approx(1.0)


@pytest.mark.parametrize("restarted", [True, False])
async def test_after_a_crash_between_store_and_log_the_order_is_undone_once(bench: Bench, restarted: bool) -> None:
    raw = batch(event("o2", user_id="u1", item_id="i9", ts=NOW - 20), ORDER, CANCELLATION, topic="orders")
    bench.outbox.away = True
    with pytest.raises(Away):
        await bench.handle(raw)
    bench.outbox.away = False
    stored = bench.users.profiles["u1"]
    if restarted:
        bench.restart()
    await bench.handle(raw)
    assert bench.users.profiles["u1"].counts == stored.counts
    assert [each["kind"] for each in bench.emitted()] == ["order", "order", "cancellation"]
    bench.restart()
    assert known(bench)["popular"] == {"i9"}


async def test_the_profile_remembers_after_a_restart_what_was_cancelled(bench: Bench) -> None:
    await bench.handle(batch(CANCELLATION, topic="orders", partition=1))
    bench.restart()
    await bench.handle(batch(ORDER, topic="orders"))
    assert bench.users.profiles["u1"].bought == ()


async def test_an_order_without_a_session_is_found_by_its_time(bench: Bench) -> None:
    def at(event_id: str, item: str, ts: float, **more: object) -> Fields:
        return event(event_id, user_id="u1", item_id=item, ts=ts, **more)

    await bench.handle(
        batch(at("v", "i0", NOW - 60)),
        batch(at("o", "i1", NOW - 50), event("p", user_id="u3", item_id="i1", ts=NOW - 50), topic="orders"),
        batch(at("o", "i1", NOW - 50, cancelled_at=NOW), topic="orders", first=2),
    )
    assert known(bench)["sessions"] == {"i0": 1, "i1": 1}
    left = bench.recommender.index.sessions_at(bench.recommender.items.find("i1") or 0, NOW - 50)
    assert list(left) == [hash_session(f"u3@{NOW - 50:.3f}")]


def test_pairs_with_a_cancelled_order_weigh_nothing_any_more() -> None:
    live = LiveRanker(Recommender(RecommenderSettings()), "learned")
    items = live.ranker.recommender.items.numbers("abc")
    sessions = np.full(3, 7, np.uint64)
    live.ranker.learn(LearningBatch(items, sessions, NOW + np.arange(3.0), np.array([0, 2, 0], np.int32)))
    relations = live.ranker.relations
    assert relations.arrays.totals[items[1]].any()
    unlearn(live.ranker.recommender, CancelledOrders(items[1:2], sessions[:1], NOW + np.ones(1), ["u1"]))
    assert relations.arrays.totals[items[1]] == pytest.approx(0, abs=1e-5)
    assert relations.arrays.events[items[:3]].tolist() == [1, 0, 1]
    assert relations.held(sessions[:1]).items[0, :2].tolist() == [items[0], items[2]]
    assert relations.arrays.totals[items[0]].any()  # a and c stand beside each other
