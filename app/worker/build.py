"""The composition root of a worker: every part is made here, once, and given what it needs."""

import asyncio
import os
import secrets
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from time import time
from typing import Protocol

from prometheus_client import CollectorRegistry

from agents.agreement import Agreement
from agents.assess import Assess
from agents.catalogue import FollowCatalogue, KeepCatalogue
from agents.follow_vectors import FollowVectors
from agents.learn import Learn
from agents.metrics import Metrics
from agents.process import Process
from agents.rank import Rank
from agents.refresh import Refresh
from agents.restore import Restore
from agents.unfinished import Unfinished
from app.guard.middleware import guard, plain_problems, secure
from app.health import Health
from app.kafka.added_partitions import warn_of_added_partitions
from app.kafka.batch_agent import add_batch_agent, add_group_agent
from app.kafka.faust_app import (
    FaustOptions,
    HttpGuard,
    WorkerApp,
    build_faust_app,
    holds,
    owns,
    progress_of,
    watch_with,
)
from app.kafka.outbox import KafkaOutbox
from app.kafka.probes import add_probes
from app.kafka.progress import Progress
from app.kafka.replicas import KafkaReplicas
from app.kafka.topics import topics
from app.kafka.watch import KafkaWatch
from app.settings import Settings
from app.store.board import Board
from app.store.items import RedisItems
from app.store.store import Store
from app.tracing import open_tracing
from app.worker.agreeing import build_agreement
from app.worker.compiling import told_if_slow
from app.worker.figures import Figures
from app.worker.forgetting import build_forget
from app.worker.outside import Outside, open_outside
from app.worker.plausible import build_plausibility
from app.worker.ranking import build_rank, let_train
from app.worker.rebuilding import RebuildOwn, build_rebuild
from app.worker.restoring import Losses, build_restore
from app.worker.snapshot_keeper import SnapshotKeeper
from app.worker.taking_over import build_unfinished
from app.worker.watching import count_reset, not_begun, watching_of
from app.worker.with_models import ModelAgents, WorkerParts, build_model_agents, find_models
from models.contract.placement import Placement
from models.core.warm_up import warm_up
from models.duplicates import DuplicateFilter
from models.processor import ListMaker
from models.recommender import Recommender
from models.shown import Shown


@dataclass(frozen=True, slots=True)
class Worker:
    """The parts of one worker that have to be started and stopped, in this order."""

    store: Store
    outbox: KafkaOutbox
    replicas: KafkaReplicas
    figures: Figures
    refresh: Refresh
    faust: WorkerApp
    health: Health
    metrics: Metrics
    snapshots: SnapshotKeeper | None
    model_agents: ModelAgents | None
    rank: Rank | None
    restore: Restore
    rebuild: RebuildOwn
    watch: KafkaWatch
    agreement: Agreement


@dataclass(frozen=True, slots=True)
class _Learning:
    """What a worker learns, shared by the agents that read it and the followers that write it."""

    recommender: Recommender
    seen: DuplicateFilter
    learn: Learn
    unfinished: Unfinished


def build_worker(settings: Settings, partitions: Mapping[str, int], faust_dir: Path) -> Worker:
    """Return a worker that is not started. `partitions` holds each topic's number of them.

    Raises HeadraceError when its port is taken or an address cannot be used.
    """
    app = _faust_app(settings, faust_dir)  # first, because its port may be taken
    span, begin = open_tracing(settings.trace)
    metrics = Metrics(CollectorRegistry(), span)
    loaded = find_models(settings, metrics)  # before anything that would have to be closed if a model is broken
    outside, progress = open_outside(settings, metrics), progress_of(app)
    watch_with(app, watching_of(outside))
    names, health = outside.names, outside.health
    health.also = partial(not_begun, progress)
    placement = Placement(settings.kafka.partitioner, partitions[names.interactions], settings.kafka.misplaced)
    learning = _learning(settings, outside, placement, app)
    recommender, rank = learning.recommender, learning.learn.rank
    maker = ListMaker.of(recommender, settings.worker.profile_cache, mark=secrets.randbits(32))
    refresh = _refresh(settings, outside, maker)
    follow = FollowCatalogue(settings.events, recommender, refresh.gone.put_nowait)
    followers = {names.items: follow.handle, names.interactions: learning.learn.handle}
    if loaded is not None:
        vectors = FollowVectors(
            loaded.infer.models, settings.quality, recommender, refresh.gone.put_nowait, band=settings.judge
        )
        followers[names.vectors] = vectors.handle
    followers |= {names.ranker: rank.handle} if rank is not None else {}
    replicas = KafkaReplicas(
        settings.kafka,
        followers,
        partitions,
        outside.retry_kafka,
        not_saved={names.vectors, names.ranker},
        own={names.interactions: outside.outbox.own},
        on_reset=partial(count_reset, metrics),
    )
    let_train(rank, progress, names.views, replicas)
    model_agents = None
    if loaded is not None:
        parts = _worker_parts(outside, progress, replicas, refresh)
        model_agents = build_model_agents(loaded, vectors, settings, parts)
        learning.learn.listeners.append(model_agents.similar.touched)
    figures = _figures(outside, progress, maker)
    assess, similar = (model_agents.assess, model_agents.similar) if model_agents is not None else (None, None)
    rebuild = build_rebuild(settings, outside, partial(_owned, progress, names.views), replicas)
    losses = Losses(outside.sources, figures, similar, rebuild)
    restore = build_restore(settings, outside.store, outside.retry_kafka, progress, losses, assess)
    process = _process(settings, outside, learning, refresh, replicas, app)
    add_group_agent(app, "process", [*outside.kinds, names.moved], process.run, begin)
    add_batch_agent(app, "catalogue", [names.items], _keep_catalogue(settings, outside, restore, assess).run)
    forget = build_forget(settings.kafka, outside, learning.learn, refresh, replicas)
    add_batch_agent(app, "forget", [names.forget], forget.run)
    _on_assignment(app, [maker.table, outside.sources, learning.unfinished, refresh.shown, restore], replicas, health)
    warn_of_added_partitions(app, partitions)
    add_probes(app, replicas.progress, health, metrics, figures.refresh_gauges)
    return Worker(
        store=outside.store,
        outbox=outside.outbox,
        replicas=replicas,
        figures=figures,
        refresh=refresh,
        faust=app,
        health=health,
        metrics=metrics,
        snapshots=SnapshotKeeper.of(settings, learning.learn, replicas, time),
        model_agents=model_agents,
        rank=rank,
        restore=restore,
        rebuild=rebuild,
        watch=KafkaWatch(replicas.see_ends, health),
        agreement=build_agreement(settings, outside.store, loaded.infer.models if loaded is not None else None),
    )


def _refresh(settings: Settings, outside: Outside, maker: ListMaker) -> Refresh:
    return Refresh(
        maker=maker,
        shown=Shown(settings.ranking.size, settings.worker.profile_cache),
        users=outside.users,
        outbox=outside.outbox,
        metrics=outside.metrics,
        clock=time,
        write_lock=asyncio.Lock(),
        emit_lock=asyncio.Lock(),
    )


def _process(
    settings: Settings,
    outside: Outside,
    learning: _Learning,
    refresh: Refresh,
    replicas: KafkaReplicas,
    app: WorkerApp,
) -> Process:
    return Process(
        kinds=outside.kinds,
        events=settings.events,
        placement=learning.unfinished.placement,
        seen=learning.seen,
        plausibility=build_plausibility(settings.plausibility, learning.recommender),
        maker=refresh.maker,
        learn=learning.learn,
        shown=refresh.shown,
        replicas=replicas,
        sources=outside.sources,
        unfinished=learning.unfinished,
        users=outside.users,
        outbox=outside.outbox,
        metrics=outside.metrics,
        clock=time,
        holds=partial(holds, app),
        write_lock=refresh.write_lock,
        emit_lock=refresh.emit_lock,
    )


def _keep_catalogue(settings: Settings, outside: Outside, restore: Restore, assess: Assess | None) -> KeepCatalogue:
    store = outside.store
    return KeepCatalogue(
        events=settings.events,
        store=RedisItems(store.redis, store.keys, store.retry),
        outbox=outside.outbox,
        metrics=outside.metrics,
        assess=assess,
        marks=restore,
    )


def _worker_parts(outside: Outside, progress: Progress, replicas: KafkaReplicas, refresh: Refresh) -> WorkerParts:
    items = outside.names.items
    return WorkerParts(
        store=outside.store,
        outbox=outside.outbox,
        replicas=replicas,
        refresh=refresh,
        metrics=outside.metrics,
        owned=partial(_owned, progress, items),
        advanced=partial(progress.advance, items),
        behind=lambda: progress.behind,
        publishes=lambda: (outside.names.views, 0) in progress.partitions,
    )


def _figures(outside: Outside, progress: Progress, maker: ListMaker) -> Figures:
    return Figures(
        worker_id=f"{socket.gethostname()}-{os.getpid()}",
        board=Board(outside.store.redis, outside.store.keys),
        metrics=outside.metrics,
        health=outside.health,
        recommender=maker.recommender,
        users=outside.users,
        table=maker.table,
        lag=progress.lag,
        publishes_trending=lambda: (outside.names.views, 0) in progress.partitions,
        clock=time,
    )


def _owned(progress: Progress, topic: str) -> set[int]:
    return {partition for name, partition in progress.partitions if name == topic}


def _learning(settings: Settings, outside: Outside, place: Placement, app: WorkerApp) -> _Learning:
    recommender = Recommender(settings.recommender)
    with told_if_slow():
        warm_up(settings.recommender, settings.events)
    seen = DuplicateFilter(settings.events.duplicate_window_seconds, settings.events.duplicate_memory)
    seen.warm_up()
    learn = Learn(recommender, seen, outside.metrics, rank=build_rank(settings.ranker, recommender, outside))
    return _Learning(recommender, seen, learn, build_unfinished(settings, outside, learn, place, partial(owns, app)))


def _faust_app(settings: Settings, faust_dir: Path) -> WorkerApp:
    names = topics(settings.kafka)
    options = FaustOptions(
        state_dir=faust_dir,
        batched_topics=[*names.of_kinds, names.moved, names.items, names.forget],
        host=settings.worker.host,
        port=settings.worker.port,
        http=HttpGuard((plain_problems, guard(settings.http)), secure),
    )
    return build_faust_app(settings.kafka, options)


class _Forgetful(Protocol):
    def forget(self) -> None: ...


def _on_assignment(app: WorkerApp, caches: Sequence[_Forgetful], replicas: KafkaReplicas, health: Health) -> None:
    async def forget(*_: object, **__: object) -> None:
        for cache in caches:
            cache.forget()
        replicas.partitions_assigned()
        health.starting = ""

    app.on_partitions_assigned.connect(forget, weak=False)
