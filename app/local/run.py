"""Runs everything once: starts it, replays a log, and waits until all of it is processed."""

import asyncio
import socket
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Iterable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

import aiohttp

from app.datasets.record import QUARANTINE, Dataset, Record
from app.errors import HeadraceError
from app.guard.access import bearer
from app.kafka.login import without_login_variables
from app.kafka.partitioning import partition_function
from app.kafka.replay import Pace, producer_for, replay
from app.local.processes import END_SECONDS, Child, child, patiently
from app.local.scrape import Reading
from app.local.servers import RunningServer, running_broker, running_redis
from app.local.watch import Watch
from app.progress_line import ProgressLine
from app.settings import Settings, load
from headrace.address import check_address

T = TypeVar("T")

KAFKA = "HEADRACE_KAFKA_BOOTSTRAP"
REDIS = "HEADRACE_REDIS_URL"
WORKER_PORT = "HEADRACE_WORKER_PORT"
LOG_LEVEL = "HEADRACE_LOG_LEVEL"

SERVER_POLL_SECONDS = 0.2
STOP_SECONDS = 30.0
FAILED_STOP_SECONDS = 3.0
SERVER_ENDED = "All it held was in its memory, so everything is stopped; run `headrace run` again"

# Events wait in the broker while they are in flight, and that wait counts as staleness. This many
# keep the worker busy.
EVENTS_IN_FLIGHT = 10_000
# One worker on one machine: few partitions make large batches, and a short session timeout makes a
# quick start.
EMBEDDED = {"HEADRACE_KAFKA_PARTITIONS": "4", "HEADRACE_KAFKA_SESSION_TIMEOUT_SECONDS": "6"}


@dataclass(frozen=True, slots=True)
class LocalRun:
    """The running processes, their addresses, and the watch over the worker."""

    settings: Settings
    worker: Child
    serve: Child
    watch: Watch
    http: aiohttp.ClientSession

    async def alongside(self, work: Awaitable[T]) -> T:
        """Wait for `work`. Raises HeadraceError when a process ends before it."""
        return await self.worker.alongside(self.serve.alongside(work))


@dataclass(frozen=True, slots=True)
class Processed:
    """The results of a replayed log: what was sent, what the worker made of it, and the time.

    `misfits` counts the rows of events that the reader sent to quarantine, by reason;
    `item_misfits` counts those of items.
    """

    items_read: int
    sent: Counter[str]
    misfits: Counter[str]
    item_misfits: Counter[str]
    worker: Reading
    seconds: float

    @property
    def events_read(self) -> int:
        """Return the number of rows of events, including those in quarantine."""
        return self.sent.total()

    @property
    def quarantined(self) -> Counter[str]:
        """Return the rejected events by reason, of the worker and of the reader."""
        return self.worker.reasons + self.misfits

    @property
    def nothing_accepted(self) -> bool:
        """Return whether the log had rows and all of them were rejected.

        The catalogue counts only if there are no events.
        """
        if self.events_read:
            return self.quarantined.total() >= self.events_read
        return 0 < self.items_read <= self.items_quarantined.total()

    @property
    def rejected(self) -> int:
        """Return the number of rejected rows of events and of the catalogue."""
        return self.quarantined.total() + self.items_quarantined.total()

    @property
    def mostly_rejected(self) -> bool:
        """Return whether nothing was accepted, or more than half of all rows were rejected."""
        return self.nothing_accepted or 2 * self.rejected > self.events_read + self.items_read

    @property
    def items_quarantined(self) -> Counter[str]:
        """Return the rejected rows of the catalogue by reason, of the worker and of the reader."""
        return self.worker.item_reasons + self.item_misfits


@dataclass(frozen=True, slots=True)
class Servers:
    """The environment that names a Kafka and a Redis, and the embedded servers among them."""

    environ: dict[str, str]
    ours: tuple[RunningServer, ...]

    def patience(self) -> float:
        """Return how many seconds a process may take to stop.

        Without Kafka or Redis there is nothing to finish, so the time is short.
        """
        return FAILED_STOP_SECONDS if any(server.fault for server in self.ours) else STOP_SECONDS

    @asynccontextmanager
    async def watched(self) -> AsyncIterator[None]:
        """Interrupt the block when an embedded server ends. Raises HeadraceError then."""
        block = asyncio.current_task()
        assert block is not None  # inside a coroutine there is one; narrows the type
        watch = asyncio.create_task(self._end())
        watch.add_done_callback(lambda done: None if done.cancelled() else block.cancel())
        try:
            yield
        except Exception:  # any error may come from a server that is ending, which is then named
            await asyncio.wait({watch}, timeout=END_SECONDS)
            raise
        finally:
            watch.cancel()
            if faults := [server.fault for server in self.ours if server.fault]:
                raise HeadraceError(f"{'; '.join(faults)}. {SERVER_ENDED}")

    async def _end(self) -> None:
        while not any(server.fault for server in self.ours):
            await asyncio.sleep(SERVER_POLL_SECONDS)


@contextmanager
def servers_for(environ: Mapping[str, str], defaults: Mapping[str, str]) -> Iterator[Servers]:
    """Yield the environment with a Kafka and a Redis in it: the given ones, or embedded ones.

    Embedded servers run until the block ends. `defaults` holds settings that suit the log, for
    those that `environ` does not set. Raises HeadraceError for a Redis address that cannot be used.
    """
    found, ours = {**defaults, **environ}, list[RunningServer]()
    if REDIS in found:
        check_address(found[REDIS])
    with ExitStack() as stack:
        logs = Path(stack.enter_context(TemporaryDirectory(prefix="headrace-run-")))
        if KAFKA not in found:
            ours.append(stack.enter_context(running_broker(logs)))
            found = EMBEDDED | without_login_variables(found) | {KAFKA: ours[-1].address}
        if REDIS not in found:
            ours.append(stack.enter_context(running_redis(logs)))
            found[REDIS] = ours[-1].address
        yield Servers(found, tuple(ours))


@asynccontextmanager
async def running_locally(settings: Settings, servers: Servers) -> AsyncIterator[LocalRun]:
    """Run the worker and the look-up process on these servers.

    Both are ready when the block begins.
    """
    quiet = {LOG_LEVEL: "warning", WORKER_PORT: "0", "HEADRACE_SERVE_ACCEPT_EVENTS": "true", "PYTHONSAFEPATH": "1"}
    servers = replace(servers, environ=quiet | servers.environ)
    async with (
        aiohttp.ClientSession(headers=bearer(settings.http)) as http,
        child("worker", [], servers.environ, servers.patience) as worker,
        _serve(settings, servers) as serve,
    ):
        running = LocalRun(settings, worker, serve, Watch(http, worker.url), http)
        await running.alongside(patiently(running.watch.ready(), "headrace worker to be ready", sys.stderr))
        yield running


@asynccontextmanager
async def _serve(settings: Settings, servers: Servers) -> AsyncIterator[Child]:
    """Run the look-up process on its port, or on a free port if another program uses that one."""
    host, port = settings.serve.host, settings.serve.port

    def start(port: int) -> AbstractAsyncContextManager[Child]:
        return child("serve", ["--port", str(port)], servers.environ, servers.patience)

    async with AsyncExitStack() as stack:
        try:
            wanted = port if _is_free(host, port) else 0
            serve = await stack.enter_async_context(start(wanted))
        except HeadraceError:
            if wanted == 0 or _is_free(host, port):
                raise
            serve = await stack.enter_async_context(start(0))
        yield serve


async def process(running: LocalRun, dataset: Dataset, speed: float | None) -> Processed:
    """Replay the catalogue, then the events, and wait until the worker has processed both."""
    return await running.alongside(_process(running, dataset, speed))


async def _process(running: LocalRun, dataset: Dataset, speed: float | None) -> Processed:
    watch, kafka = running.watch, running.settings.kafka
    line = ProgressLine(sys.stderr)
    start = await watch.read()
    misfits: Counter[str] = Counter()
    item_misfits: Counter[str] = Counter()

    def show(reading: Reading) -> None:
        done = reading.since(start)
        rate = done.events / max(time.monotonic() - started, 0.001)
        line.show(f"{dataset.name}: {done.items:,} items, {done.events:,} events, {rate:,.0f} events/s")

    async def room(sent: int) -> None:
        await watch.until(lambda reading: sent - reading.since(start).events < EVENTS_IN_FLIGHT, show)

    started = time.monotonic()
    try:
        async with producer_for(kafka) as producer:
            send = partial(
                replay,
                producer=producer,
                prefix=kafka.topic_prefix,
                partition_of=partition_function(kafka.partitioner),
            )
            items = await send(_noting(item_misfits, dataset.items()), pace=Pace())
            await watch.until(lambda reading: reading.since(start).items >= items["items"], show)
            started = time.monotonic()
            events = _noting(misfits, dataset.events())
            sent = await send(events, pace=Pace(speed, room=room))
        expected = sent.total() - sent[QUARANTINE]
        end = await watch.until(lambda reading: reading.since(start).events >= expected, show)
        seconds = time.monotonic() - started
    finally:
        line.close()
    return Processed(items.total(), sent, misfits, item_misfits, end.since(start), seconds)


def _noting(misfits: Counter[str], records: Iterable[Record]) -> Iterator[Record]:
    for record in records:
        if record.topic == QUARANTINE:
            misfits[dict(record.headers)["reason"].decode()] += 1
        yield record


def settings_at(settings: Settings, environ: Mapping[str, str]) -> Settings:
    """Return the settings with the addresses of the servers that `environ` names."""
    kafka = load({name: value for name, value in environ.items() if name.startswith("HEADRACE_KAFKA_")}).kafka
    return replace(
        settings,
        kafka=kafka,
        redis=replace(settings.redis, url=environ[REDIS]),
    )


def _is_free(host: str, port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True
