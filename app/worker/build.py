"""The composition root of a worker: every part is made here, once, and given what it needs."""

import asyncio
import os
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from time import time
from typing import Protocol

import faust
from aiokafka import AIOKafkaProducer  # type: ignore[import-untyped]  # ships no types
from prometheus_client import CollectorRegistry, ProcessCollector
from redis.asyncio import Redis
from redis.exceptions import RedisError

from agents.catalogue import FollowCatalogue, KeepCatalogue
from agents.follow_vectors import FollowVectors
from agents.learn import Learn
from agents.metrics import Metrics
from agents.process import Process
from agents.refresh import Refresh
from agents.restore import Restore
from app.health import Health
from app.kafka.batch_agent import add_batch_agent
from app.kafka.faust_app import FaustOptions, WorkerApp, build_faust_app, progress_of
from app.kafka.outbox import KafkaOutbox, kafka_retry_errors, make_producer
from app.kafka.progress import Progress
from app.kafka.replicas import KafkaReplicas
from app.kafka.topics import Topics, topics
from app.kafka.watch import KafkaWatch
from app.retry import Retry
from app.settings import Settings
from app.store.board import Board
from app.store.connection import connect, refuses
from app.store.items import RedisItems
from app.store.keys import Keys
from app.store.sources import RedisSources
from app.store.users import RedisUsers
from app.worker.figures import Figures
from app.worker.probes import add_probes
from app.worker.restoring import Losses, build_restore
from app.worker.snapshot_keeper import SnapshotKeeper
from app.worker.with_models import Meaning, Store, Surroundings, build_meaning, find_models
from models.contract.events import Kind
from models.duplicates import DuplicateFilter
from models.processor import ListMaker, warm_up
from models.recommender import Recommender
from models.shown import Shown


@dataclass(frozen=True, slots=True)
class Worker:
    """The parts of one worker that have to be started and stopped, in this order."""

    redis: Redis
    retry_redis: Retry
    producer: AIOKafkaProducer
    replicas: KafkaReplicas
    figures: Figures
    refresh: Refresh
    faust: WorkerApp
    health: Health
    metrics: Metrics
    snapshots: SnapshotKeeper | None
    meaning: Meaning | None
    restore: Restore
    watch: KafkaWatch


@dataclass(frozen=True, slots=True)
class _Learning:
    """What a worker learns, shared by the agents that read it and the followers that write it."""

    recommender: Recommender
    seen: DuplicateFilter
    learn: Learn


@dataclass(frozen=True, slots=True)
class _Outside:
    """Kafka and Redis as all parts use them, and what is told of them."""

    names: Topics
    kinds: Mapping[str, Kind]
    keys: Keys
    redis: Redis
    retry_redis: Retry
    retry_kafka: Retry
    outbox: KafkaOutbox
    users: RedisUsers
    sources: RedisSources
    producer: AIOKafkaProducer
    metrics: Metrics
    health: Health

    @property
    def store(self) -> Store:
        """Redis for the parts that keep the catalogue."""
        return Store(self.redis, self.keys, self.retry_redis)


def build_worker(settings: Settings, partitions: Mapping[str, int], faust_dir: Path) -> Worker:
    """A worker on the configured Kafka and Redis, not started. `partitions` holds each topic's number of them.

    Raises HeadraceError when its port is taken or an address cannot be used.
    """
    app = _faust_app(settings, faust_dir)  # first, because its port may be taken
    metrics = Metrics(CollectorRegistry())
    language = find_models(settings, metrics)  # before anything that would have to be closed if a model is broken
    outside, progress = _outside(settings, metrics), progress_of(app)
    names, health = outside.names, outside.health
    learning = _learning(settings, metrics)
    recommender = learning.recommender
    maker = ListMaker.of(recommender, settings.worker.profile_cache)
    shown = Shown(settings.ranking.size, settings.worker.profile_cache)
    refresh = Refresh(
        maker=maker,
        shown=shown,
        users=outside.users,
        outbox=outside.outbox,
        metrics=metrics,
        clock=time,
        write_lock=asyncio.Lock(),
    )
    follow = FollowCatalogue(settings.events, recommender, refresh.gone.put_nowait)
    followers = {names.items: follow.handle, names.interactions: learning.learn.handle}
    if language is not None:
        vectors = FollowVectors(
            language.infer.models, settings.quality, recommender, refresh.gone.put_nowait, band=settings.judge
        )
        followers[names.vectors] = vectors.handle
    replicas = KafkaReplicas(
        settings.kafka,
        followers,
        partitions,
        outside.retry_kafka,
        not_saved={names.vectors},
        own={names.interactions: outside.outbox.own},
    )
    meaning = None
    if language is not None:
        around = _surroundings(outside, progress, replicas, refresh)
        meaning = build_meaning(language, vectors, settings, around)
        learning.learn.listeners.append(meaning.similar.touched)
    figures = _figures(outside, progress, maker)
    assess, similar = (meaning.assess, meaning.similar) if meaning is not None else (None, None)
    losses = Losses(outside.sources, figures, similar)
    restore = build_restore(settings, outside.store, outside.retry_kafka, progress, losses, assess)
    process = Process(
        kinds=outside.kinds,
        events=settings.events,
        seen=learning.seen,
        maker=maker,
        learn=learning.learn,
        shown=shown,
        replicas=replicas,
        sources=outside.sources,
        users=outside.users,
        outbox=outside.outbox,
        metrics=metrics,
        clock=time,
        write_lock=refresh.write_lock,
    )
    items = RedisItems(outside.redis, outside.keys, outside.retry_redis)
    keep = KeepCatalogue(
        settings.events, items, outside.outbox, metrics, assess, restore.before, restore.after, restore.turn
    )
    add_batch_agent(app, "process", list(outside.kinds), process.run)
    add_batch_agent(app, "catalogue", [names.items], keep.run)
    _on_assignment(app, [maker.table, outside.sources, shown, restore], replicas, health)
    add_probes(app, replicas.progress, health, metrics, figures.refresh_gauges)
    snapshots = SnapshotKeeper.of(settings, learning.learn, replicas, time)
    watch = KafkaWatch(replicas.see_ends, health)
    return Worker(
        outside.redis, outside.retry_redis, outside.producer, replicas, figures, refresh, app, health, metrics,
        snapshots, meaning, restore, watch,
    )  # fmt: skip


def _outside(settings: Settings, metrics: Metrics) -> _Outside:
    names, keys, health = topics(settings.kafka), Keys(settings.redis.prefix), Health()
    ProcessCollector(registry=metrics.registry)
    store = Retry("Redis", (RedisError, OSError), health, metrics.retries, refuses=refuses)
    broker = Retry("Kafka", kafka_retry_errors(), health, metrics.retries)
    redis, producer = connect(settings.redis), make_producer(settings.kafka)
    return _Outside(
        names=names,
        kinds={names.views: Kind.VIEW, names.clicks: Kind.CLICK, names.orders: Kind.ORDER},
        keys=keys,
        redis=redis,
        retry_redis=store,
        retry_kafka=broker,
        outbox=KafkaOutbox(producer, names, broker),
        users=RedisUsers(redis, keys, store, settings.redis.expire_days),
        sources=RedisSources(redis, keys, store),
        producer=producer,
        metrics=metrics,
        health=health,
    )


def _surroundings(outside: _Outside, progress: Progress, replicas: KafkaReplicas, refresh: Refresh) -> Surroundings:
    items = outside.names.items
    return Surroundings(
        outside.store, outside.outbox, replicas, refresh, outside.metrics,
        owned=partial(_owned, progress, items),
        advanced=partial(progress.advance, items),
        behind=partial(_behind, progress),
    )  # fmt: skip


def _figures(outside: _Outside, progress: Progress, maker: ListMaker) -> Figures:
    views = outside.names.views
    return Figures(
        worker_id=f"{socket.gethostname()}-{os.getpid()}",
        board=Board(outside.redis, outside.keys),
        metrics=outside.metrics,
        health=outside.health,
        recommender=maker.recommender,
        users=outside.users,
        table=maker.table,
        lag=progress.lag,
        publishes_trending=lambda: (views, 0) in progress.partitions,
        clock=time,
    )


def _owned(progress: Progress, topic: str) -> set[int]:
    return {partition for name, partition in progress.partitions if name == topic}


def _behind(progress: Progress) -> bool:
    return any(progress.lag().values())


def _learning(settings: Settings, metrics: Metrics) -> _Learning:
    recommender = Recommender(settings.recommender)
    warm_up(settings.recommender, settings.events)
    seen = DuplicateFilter(settings.events.duplicate_window_seconds, settings.events.duplicate_memory)
    return _Learning(recommender, seen, Learn(recommender, seen, metrics))


def _faust_app(settings: Settings, faust_dir: Path) -> WorkerApp:
    names = topics(settings.kafka)
    options = FaustOptions(
        state_dir=faust_dir,
        batched_topics=[names.views, names.clicks, names.orders, names.items],
        host=settings.worker.host,
        port=settings.worker.port,
    )
    return build_faust_app(settings.kafka, options)


class _Forgetful(Protocol):
    def forget(self) -> None: ...


def _on_assignment(app: faust.App, caches: Sequence[_Forgetful], replicas: KafkaReplicas, health: Health) -> None:
    async def forget(*_: object, **__: object) -> None:
        for cache in caches:
            cache.forget()
        replicas.partitions_assigned()
        health.starting = ""

    app.on_partitions_assigned.connect(forget, weak=False)
