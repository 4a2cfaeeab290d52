"""A worker publishes live figures and trending items, which look-ups read back."""

import asyncio
from collections.abc import AsyncIterator
from typing import cast
from uuid import uuid4

import numpy as np
import pytest
from asking import writes
from builders import NOW, teach
from fakes import ManualClock
from prometheus_client import CollectorRegistry
from redis.exceptions import RedisError
from shops import lookups_on

from agents.metrics import Metrics
from app.health import Health
from app.retry import Retry
from app.store.answers import LiveFigures
from app.store.board import Board
from app.store.items import RedisItems
from app.store.keys import Keys
from app.store.packed import PackedRedis
from app.store.users import RedisUsers
from app.worker.figures import Figures
from headrace.lists import RecommendationList
from models.contract.events import Item
from models.processor import ListMaker
from models.recommender import Recommender, RecommenderSettings

DEADLINE_SECONDS = 10


class Worker:
    """The parts of a worker that figures are made of, on a real Redis."""

    def __init__(self, redis: PackedRedis) -> None:
        self.redis, self.keys = redis, Keys(f"test-{uuid4().hex}:")
        self.metrics, self.health, self.clock = Metrics(CollectorRegistry()), Health(starting=""), ManualClock(NOW)
        self.recommender = Recommender(RecommenderSettings())
        self.writes_trending = True
        retry = Retry("Redis", (RedisError, OSError), self.health, self.metrics.retries)
        self.users = RedisUsers(redis, self.keys, retry, 30)
        self.table = ListMaker.of(self.recommender, 100).table
        self.items = RedisItems(redis, self.keys, retry)
        self.figures = Figures(
            worker_id="w1",
            board=Board(redis, self.keys),
            metrics=self.metrics,
            health=self.health,
            recommender=self.recommender,
            users=self.users,
            table=self.table,
            lag=lambda: {("views", 0): 3, ("clicks", 1): 4},
            publishes_trending=lambda: self.writes_trending,
            clock=self.clock,
            sleep=self.pause,
        )

    async def publishes(self) -> None:
        """Run one round to its end."""
        self.clock.now += 1
        self.round_ended = asyncio.Event()
        task = asyncio.create_task(self.figures.run())
        async with asyncio.timeout(DEADLINE_SECONDS):
            await self.round_ended.wait()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    async def pause(self, seconds: float) -> None:
        """Takes the place of the pause between rounds, and never ends."""
        self.round_ended.set()
        await asyncio.Event().wait()

    async def live(self) -> LiveFigures:
        return await lookups_on(self.redis, self.keys).live()

    async def trending(self) -> RecommendationList:
        return await lookups_on(self.redis, self.keys).recommendations("a stranger", 20)

    async def trending_of(self, category: str) -> list[str]:
        items = cast(list[bytes], await self.redis.zrevrange(self.keys.trending(category), 0, -1))
        return [item.decode() for item in items]


@pytest.fixture
async def worker(redis_url: str) -> AsyncIterator[Worker]:
    async with PackedRedis.from_url(redis_url) as redis:
        yield Worker(redis)


async def test_figures_tell_what_became_of_events(worker: Worker) -> None:
    worker.metrics.events.labels("view", "accepted").inc(5)
    worker.metrics.events.labels("click", "accepted").inc(2)
    worker.metrics.events.labels("click", "duplicate").inc(1)
    worker.metrics.events.labels("order", "quarantined").inc(3)
    worker.metrics.rejected.labels("order", "too_old").inc(3)
    worker.metrics.foreign_key.labels("view", "moved").inc(2)
    worker.metrics.rejected.labels("item", "missing_field").inc(6)
    worker.metrics.recommendations.inc(4)
    await worker.publishes()
    live = await worker.live()
    assert (live.accepted, live.duplicates, live.quarantined, live.recommendations) == (7, 1, 3, 4)
    assert live.items_quarantined == 6
    assert (live.foreign_key, live.lag) == (2, 7)
    [one] = live.workers
    assert (one.worker_id, one.ts, one.ready) == ("w1", NOW + 1, True)
    assert live.kinds == {"view": 5, "click": 2}
    assert live.reasons == {"too_old": 3, "missing_field": 6}
    assert live.lag_by_topic == {"views": 3, "clicks": 4}


async def test_figures_tell_how_good_lists_are_and_what_ranks_them(worker: Worker) -> None:
    worker.metrics.quality.scored.labels("click").inc(4)
    worker.metrics.quality.hits.labels("click", "neighbours").inc(2)
    worker.metrics.quality.reciprocals.labels("click").inc(0.75)
    worker.metrics.ranker.learned.set(50)
    worker.metrics.ranker.version.set(2)
    worker.metrics.ranker.hit_rate.labels("linear").set(0.31)
    await worker.publishes()
    live = await worker.live()
    assert (live.scored, live.hits, live.reciprocals) == ({"click": 4}, {"click": 2}, {"click": 0.75})
    assert live.hits_by_source == {"neighbours": 2}
    [one] = live.workers
    assert (one.ranker["leads"], one.ranker["version"], one.ranker["learned_lists"]) == ("formula", 2, 50)
    assert one.ranker["hit_rate"]["linear"] == 0.31


async def test_the_rate_is_taken_between_rounds(worker: Worker) -> None:
    await worker.publishes()
    assert (await worker.live()).events_per_second == 0.0
    worker.metrics.events.labels("view", "accepted").inc(300)
    worker.clock.now += 2
    await worker.publishes()
    assert (await worker.live()).events_per_second == 100.0


async def test_freshness_is_that_of_the_last_rounds(worker: Worker) -> None:
    worker.metrics.freshness.observe(np.full(1_000, 50.0))
    await worker.publishes()
    assert (await worker.live()).freshness_p50 is None
    worker.metrics.freshness.observe(np.full(10, 0.0045))
    await worker.publishes()
    live = await worker.live()
    assert live.freshness_p50 is not None
    assert live.freshness_p99 is not None
    assert 0.003 < live.freshness_p50 < live.freshness_p99 <= 0.005


async def test_a_worker_that_is_not_ready_says_so(worker: Worker) -> None:
    worker.health.fails("Kafka", "a caller", "refused")
    await worker.publishes()
    assert [one.ready for one in (await worker.live()).workers] == [False]


async def test_trending_items_are_published_with_their_popularity(worker: Worker) -> None:
    teach(worker.recommender, {"s1": ["pan"], "s2": ["pan"], "s3": ["novel"]})
    for item_id, category in {"pan": "Home/Kitchen", "novel": ""}.items():
        worker.recommender.catalogue.upsert(Item(item_id, f"A {item_id}", category=category))
        await worker.items.write([Item(item_id, f"A {item_id}")])
    await worker.publishes()
    trending = await worker.trending()
    assert {each.item_id: each.score for each in trending.items} == pytest.approx({"pan": 1.0, "novel": 0.5})
    assert [each.source for each in trending.items] == ["trending", "trending"]
    assert await worker.trending_of("Home/Kitchen") == ["pan"]


async def test_unknown_items_are_published_until_there_is_a_catalogue(worker: Worker) -> None:
    teach(worker.recommender, {"s1": ["pan"], "s2": ["no-such-item"]})
    await worker.publishes()
    assert {each.item_id for each in (await worker.trending()).items} == {"pan", "no-such-item"}
    assert await worker.redis.get(worker.keys.known_only()) == b"0"
    worker.recommender.catalogue.upsert(Item("pan", "A pan"))
    worker.recommender.catalogue_changed()
    await worker.items.write([Item("pan", "A pan")])
    await worker.publishes()
    assert [each.item_id for each in (await worker.trending()).items] == ["pan"]
    assert await worker.redis.get(worker.keys.known_only()) == b"1"


async def test_trending_lists_follow_by_themselves_however_little_is_new(worker: Worker) -> None:
    teach(worker.recommender, {f"s{number}": ["pan"] for number in range(500)})
    await worker.publishes()
    teach(worker.recommender, {"one more": ["novel"]})
    async with asyncio.timeout(DEADLINE_SECONDS):
        while len((await worker.trending()).items) < 2:
            await worker.publishes()


async def test_an_item_that_went_away_leaves_the_published_lists(worker: Worker) -> None:
    teach(worker.recommender, {"s1": ["pan"], "s2": ["novel"]})
    for item_id, category in {"pan": "Home/Kitchen", "novel": ""}.items():
        worker.recommender.catalogue.upsert(Item(item_id, f"A {item_id}", category=category))
        await worker.items.write([Item(item_id, f"A {item_id}")])
    await worker.publishes()
    worker.recommender.catalogue.delete("pan")
    worker.recommender.catalogue_changed()
    await worker.publishes()
    assert [each.item_id for each in (await worker.trending()).items] == ["novel"]
    assert await worker.trending_of("Home/Kitchen") == []


async def test_only_one_worker_publishes_trending_items(worker: Worker) -> None:
    teach(worker.recommender, {"s1": ["pan"]})
    worker.writes_trending = False
    await worker.publishes()
    assert (await worker.trending()).items == ()


async def test_users_whose_lists_were_written_last_are_offered(worker: Worker) -> None:
    await worker.users.write(writes({"u1": {"recent": b"[]"}}, b"{}"))
    await worker.users.write(writes({"u2": {"recent": b"[]"}}, b"{}"))
    await worker.publishes()
    recent = await lookups_on(worker.redis, worker.keys).recent_users(10)
    assert {each.user_id for each in recent} == {"u1", "u2"}


async def test_gauges_follow(worker: Worker) -> None:
    teach(worker.recommender, {"s1": ["a", "b"]})
    worker.table.find([])
    worker.table.add({"u1": None})
    await worker.publishes()
    value = worker.metrics.registry.get_sample_value
    assert value("headrace_users_cached") == 1
    assert value("headrace_items_known") == 2
    assert value("headrace_ready") == 1
    assert value("headrace_lag_offsets", {"topic": "views", "partition": "0"}) == 3
