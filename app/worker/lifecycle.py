"""Runs one worker from its start to its orderly stop."""

import asyncio
import gc
import logging
import signal
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from app.concerns import KafkaSettings
from app.kafka.endings import cancel, end_leftovers, ends_within
from app.kafka.faust_app import drain_seconds, run_faust
from app.kafka.topics import create_topics
from app.settings import Settings
from app.worker.agreeing import keep_agreement
from app.worker.build import Worker, build_worker

# A look for cyclic garbage comes after this many new containers that are still alive. The records
# of some batches are fewer, so most die without being looked at; one look takes some milliseconds.
NEW_CONTAINERS = 50_000
# How long closing one part may take: a connection may be dead, or a task lose its cancellation.
CLOSE_SECONDS = 3.0
# From the signal to the end of the process, behind the time that batches in work may take.
END_MARGIN_SECONDS = 25.0

logger = logging.getLogger(__name__)


def end_seconds(kafka: KafkaSettings) -> float:
    """Return within how many seconds of SIGTERM a worker ends, whatever Kafka and Redis do."""
    return drain_seconds(kafka) + END_MARGIN_SECONDS


async def run_worker(
    settings: Settings,
    announce: Callable[[str], None] | None = None,
    on_signal: Callable[[], None] = lambda: None,
) -> None:
    """Process events until SIGINT or SIGTERM. Batches in flight are then finished and committed.

    `announce` is called with the URL of probes and metrics, `on_signal` at each signal. Waits for
    Redis as long as it is away.

    Raises HeadraceError when Kafka cannot be used at the start, or when something inside failed.
    """
    try:
        await _run(settings, announce, on_signal)
    finally:
        await end_leftovers()


async def _run(settings: Settings, announce: Callable[[str], None] | None, on_signal: Callable[[], None]) -> None:
    stop = _stop_on_signals(on_signal)
    stopping = asyncio.create_task(_set(stop))
    partitions = await create_topics(settings.kafka)
    with TemporaryDirectory(prefix="headrace-faust-") as faust_dir:
        worker = build_worker(settings, partitions, Path(faust_dir))
        async with _started(worker, stopping) as background:
            if stop.is_set():
                return
            logger.info("learning from the log")
            await _until_first(_prepare(worker), *background, stopping)
            if stop.is_set():
                return
            _spare_collections()
            worker.health.starting = "it is joining the consumer group"
            url = str(worker.faust.conf.canonical_url)
            logger.info("probes and metrics on %s", url)
            if announce is not None:
                announce(url)
            await _until_first(run_faust(worker.faust, stop), *background)
            if worker.snapshots is not None:
                await worker.snapshots.save_last()


async def _connect(worker: Worker) -> None:
    await worker.outbox.start()
    await worker.replicas.start()


async def _prepare(worker: Worker) -> None:
    await worker.store.answers()
    await worker.agreement.agreed()
    await worker.replicas.caught_up()
    if worker.model_agents is not None:
        # before the first list is made: none is made again because an item came to be allowed
        await worker.model_agents.decisions.look()


@asynccontextmanager
async def _started(worker: Worker, stopping: asyncio.Task[None]) -> AsyncIterator[list[asyncio.Task[None]]]:
    async with AsyncExitStack() as stack:
        # What cannot be started has to be closed too.
        for name, close in (
            ("Redis", worker.store.close),
            ("the producer of Kafka", worker.outbox.stop),
            ("the consumer of Kafka", worker.replicas.stop),
        ):
            stack.push_async_callback(_close, name, close)
        stack.push_async_callback(worker.agreement.leave)
        await _until_first(_connect(worker), stopping)
        if stopping.done():
            yield []
            return
        if worker.model_agents is not None:
            await stack.enter_async_context(worker.model_agents.loaded.running())
        if worker.snapshots is not None:
            stack.callback(worker.snapshots.close)
            await worker.snapshots.restore()
        background = [asyncio.create_task(job) for job in _jobs(worker)]
        stack.push_async_callback(cancel, background, CLOSE_SECONDS)
        yield background


def _spare_collections() -> None:
    """Keep the cyclic garbage collector from what was made until now, and call it less often.

    State is in arrays and batches have no cycles, so it finds next to nothing. A look at everything
    takes 50 ms and more, in which no event goes on.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(NEW_CONTAINERS, *gc.get_threshold()[1:])


def _jobs(worker: Worker) -> Iterator[Coroutine[Any, Any, None]]:
    """Yield the jobs that run beside Faust until the worker ends.

    They are created one by one, so that none is left unawaited.
    """
    yield keep_agreement(worker.agreement)
    yield worker.replicas.run()
    yield worker.figures.run()
    yield worker.refresh.run()
    yield worker.restore.run()
    yield worker.rebuild.run()
    yield worker.watch.run()
    if worker.model_agents is not None:
        yield from worker.model_agents.jobs()
    if worker.rank is not None:
        yield worker.rank.run()
    if worker.snapshots is not None:
        yield worker.snapshots.run()


def _stop_on_signals(on_signal: Callable[[], None]) -> asyncio.Event:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def take() -> None:
        stop.set()
        on_signal()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, take)
    return stop


async def _close(name: str, close: Callable[[], Coroutine[Any, Any, None]]) -> None:
    # What was sent has its answer by now, or its batch is not committed.
    if not await ends_within(CLOSE_SECONDS, close()):
        logger.warning("the connections to %s did not close within %g s", name, CLOSE_SECONDS)


async def _until_first(main: Coroutine[Any, Any, None], *background: asyncio.Task[None]) -> None:
    """Wait until `main` or any background task ends. Raises the error of the one that failed."""
    task = asyncio.create_task(main)
    try:
        await asyncio.wait({task, *background}, return_when=asyncio.FIRST_COMPLETED)
        for each in (*background, task):
            if each.done():
                each.result()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _set(event: asyncio.Event) -> None:
    await event.wait()
