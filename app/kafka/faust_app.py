"""Builds the Faust app of a worker, and runs it inside the event loop of the caller."""

import asyncio
import logging
import socket
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from time import monotonic
from typing import Any, cast

import faust
from aiohttp.typedefs import Middleware
from aiohttp.web import BaseSite, Request, SockSite, StreamResponse
from faust.web.base import Web
from faust.web.drivers.aiohttp import Web as WebDriver
from typing_extensions import override
from yarl import URL

from app.concerns import KafkaSettings
from app.errors import HeadraceError
from app.kafka.batch_agent import StopsTheWorker
from app.kafka.batch_consumer import BatchConsumer
from app.kafka.clients import compression_type, faust_credentials
from app.kafka.endings import cancel, ends_within, finish
from app.kafka.log_start import Reset, SavedStarts
from app.kafka.progress import Progress
from app.kafka.transport import BatchTransport
from app.kafka.watched_consumer import BatchOptions
from models.contract.events import RawBatch

# Behind the time that batches in work may take: for the commit, and for leaving the group. A
# request on a dead connection takes longer, and is given up.
STOP_MARGIN_SECONDS = 5.0
# A part that failed may hang, such as a request to a coordinator that does not answer. Nothing that
# it still holds is lost.
FAILED_STOP_SECONDS = 5.0
# Behind the time that batches in work may take: for the commit, and for the answer of a slow
# broker.
REBALANCE_MARGIN_SECONDS = 20.0
REQUEST_MARGIN_SECONDS = 10.0

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class FaustOptions:
    """The options of a worker's Faust app besides the Kafka settings.

    Port 0 takes a free port; None serves no HTTP. The `…_seconds` are in seconds.
    """

    state_dir: Path
    batched_topics: Iterable[str]
    host: str = "127.0.0.1"
    port: int | None = None
    commit_seconds: float = 1.0
    batches_per_partition: int = 3
    watch_seconds: float = 5.0
    settle_seconds: float = 30.0
    clock: Callable[[], float] = monotonic
    http: "HttpGuard | None" = None


@dataclass(frozen=True, slots=True)
class HttpGuard:
    """What requests to the app's web server pass through, and what is done to every response."""

    middlewares: Sequence[Middleware]
    on_response: Callable[[Request, StreamResponse], Awaitable[None]]


class WorkerApp(faust.App):
    """A Faust app that serves HTTP on a socket that was bound before.

    So the number of a free port is known, and no other process can take the port.
    """

    listener: socket.socket | None = None
    http: HttpGuard | None = None
    stop_seconds: float = FAILED_STOP_SECONDS

    @override
    def _new_web(self) -> Web:
        web = _BoundWeb(self)
        if self.http is not None:
            web.web_app.middlewares.extend(self.http.middlewares)
            web.web_app.on_response_prepare.append(self.http.on_response)
        return web


class _BoundWeb(WebDriver):
    app: WorkerApp

    @override
    def _new_transport_tcp(self) -> BaseSite:
        if self.app.listener is None:
            raise HeadraceError("this worker was built without a port to serve on")
        return SockSite(self._runner, self.app.listener)


def build_faust_app(kafka: KafkaSettings, options: FaustOptions) -> WorkerApp:
    """Build a Faust app for one worker, without agents.

    Raises HeadraceError when its port is taken.
    """
    listener = _listen(options.host, options.port) if options.port is not None else None
    app = WorkerApp(kafka.group, **_settings(kafka, options, listener))
    app.listener, app.http, app.stop_seconds = listener, options.http, stop_seconds(kafka)
    app.transport = BatchTransport(app.conf.broker_consumer, app, _batch_options(kafka, options))
    app.finalize()
    return app


@dataclass(frozen=True, slots=True)
class Watching:
    """What the app's consumer watches with: see `BatchOptions`."""

    saved: SavedStarts
    on_reset: Callable[[Reset], None]
    is_away: Callable[[], bool]


def watch_with(app: faust.App, watching: Watching) -> None:
    """Before the app starts: compare where batched topics begin with what was saved, and see
    whether Kafka is away.
    """
    transport = cast(BatchTransport, app.transport)
    transport.options = replace(
        transport.options, saved=watching.saved, on_reset=watching.on_reset, is_away=watching.is_away
    )


def progress_of(app: faust.App) -> Progress:
    """Return the progress of the app's batched topics, for probes and metrics."""
    return cast(BatchTransport, app.transport).progress


def holds(app: faust.App, batch: RawBatch) -> bool:
    """Whether an agent has the batch in work, and its partition is still this worker's."""
    return cast(BatchConsumer, app.consumer).holds(batch)


async def owns(app: faust.App, batch: RawBatch) -> bool:
    """Whether the group says now that the batch's partition is this worker's."""
    return await cast(BatchConsumer, app.consumer).owns(batch)


async def run_faust(app: WorkerApp, stop: asyncio.Event) -> None:
    """Run the app until `stop` is set; then finish and commit the batches that are being processed,
    for `app.stop_seconds` at most.

    Raises HeadraceError when something inside Faust failed. The process must then end with an
    error; records that were not committed are read again after the restart.
    """
    starting = asyncio.create_task(app.start())
    ends = {asyncio.create_task(stop.wait()), asyncio.create_task(app.wait_until_stopped())}
    try:
        await asyncio.wait({starting, *ends}, return_when=asyncio.FIRST_COMPLETED)
        if starting.done() and starting.exception() is None:
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        # Faust fails on its half-started services when it is stopped this early. Nothing was read
        # yet.
        interrupted = stop.is_set() and not starting.done()
    finally:
        failed = app.crash_reason is not None or (starting.done() and _failure(starting) is not None)
        # A stop that is interrupted would leave services behind that nobody stops again.
        await finish(_stop(app, FAILED_STOP_SECONDS if failed else app.stop_seconds))
        await cancel({starting, *ends}, FAILED_STOP_SECONDS)
    reason = app.crash_reason or _failure(starting)
    if reason is None or interrupted:
        return
    if isinstance(reason, HeadraceError):  # its message already says what happened and what to do
        raise reason
    raise HeadraceError(f"the worker stopped after an error: {reason!r}; see the log") from reason


async def _stop(app: WorkerApp, seconds: float) -> None:
    try:
        if not await ends_within(seconds, app.stop()):
            logger.error("Faust did not stop within %g s; what it has not committed will be read again", seconds)
            for agent in app.agents.values():
                agent._stopped_set()  # else each says that it crashed when its task is cancelled
    finally:
        if app.listener is not None:
            app.listener.close()


def _failure(task: asyncio.Task[Any]) -> BaseException | None:
    return None if task.cancelled() else task.exception()


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        raise HeadraceError(
            f"cannot serve probes on {host} port {port}: {error.strerror}; "
            "set HEADRACE_WORKER_PORT to another, or to 0 for a free one"
        ) from error


def drain_seconds(kafka: KafkaSettings) -> float:
    """How long batches in work may take to finish when partitions are taken away."""
    return min(30.0, kafka.session_timeout_seconds)


def stop_seconds(kafka: KafkaSettings) -> float:
    """How long Faust may take to finish and commit what is in work, and to leave the group."""
    return drain_seconds(kafka) + STOP_MARGIN_SECONDS


def rebalance_seconds(kafka: KafkaSettings) -> float:
    """How long the group waits for a member that finishes what it had in work."""
    return drain_seconds(kafka) + REBALANCE_MARGIN_SECONDS


def request_seconds(kafka: KafkaSettings) -> float:
    """After how long a request on a connection that may be dead is given up; joining a group may
    take that long.
    """
    return max(rebalance_seconds(kafka) + REQUEST_MARGIN_SECONDS, kafka.session_timeout_seconds + 5)


def _batch_options(kafka: KafkaSettings, options: FaustOptions) -> BatchOptions:
    return BatchOptions(
        topics=frozenset(options.batched_topics),
        batches_per_partition=options.batches_per_partition,
        # While this worker finishes its batches, the group waits. It removes the worker after the
        # session timeout, so waiting longer is of no use.
        drain_seconds=drain_seconds(kafka),
        watch_seconds=options.watch_seconds,
        settle_seconds=options.settle_seconds,
        request_seconds=request_seconds(kafka),
        clock=options.clock,
    )


def _settings(kafka: KafkaSettings, options: FaustOptions, listener: socket.socket | None) -> dict[str, Any]:
    session = kafka.session_timeout_seconds
    port = listener.getsockname()[1] if listener is not None else 1
    return {
        "broker": [URL(f"kafka://{address.strip()}") for address in kafka.bootstrap.split(",")],
        "broker_credentials": faust_credentials(kafka),
        # Faust would read variables with names as general as WEB_PORT. Headrace has its own
        # settings.
        "env": {},
        "store": "memory://",
        "autodiscover": False,
        "datadir": options.state_dir,
        "processing_guarantee": "at_least_once",
        "agent_supervisor": StopsTheWorker,
        "consumer_auto_offset_reset": "earliest",
        "stream_wait_empty": True,
        "broker_commit_interval": options.commit_seconds,
        "broker_session_timeout": session,
        "broker_heartbeat_interval": session / 3,
        "broker_rebalance_timeout": rebalance_seconds(kafka),
        "broker_request_timeout": request_seconds(kafka),
        "broker_max_poll_records": kafka.fetch_max_records,
        # A full book pauses fetching for as long as it takes. `Progress` tells whether that is too
        # long.
        "broker_max_poll_interval": 86_400.0,
        "producer_max_request_size": kafka.max_message_bytes,
        "producer_compression_type": compression_type(kafka),
        # With standby replicas, Faust uses its own assignor, which gives one worker the same
        # partition numbers of all topics.
        "table_standby_replicas": 1,
        "topic_allow_declare": False,
        "topic_disable_leader": True,
        "web_enabled": listener is not None,
        # Faust's own pages, on which the group's assignment stands
        "web_router_enabled": False,
        "web_tables_enabled": False,
        "web_bind": options.host,
        "web_port": port,
        "web_host": options.host,
        "loghandlers": [],
        "worker_redirect_stdouts": False,
    }
