"""The HTTP process put together: its application, and the socket on which it listens."""

import logging
import time
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web
from prometheus_client import CollectorRegistry

from agents.metrics import HttpMetrics
from app.concerns import HttpSettings, KafkaSettings, LogSettings, RedisSettings, ServeSettings
from app.errors import HeadraceError
from app.guard.access import tokens_in
from app.guard.middleware import LARGEST_BODY_BYTES, guard, secure
from app.guard.pseudonyms import Pseudonyms
from app.kafka.event_producer import EventProducer
from app.store.lookup import Lookups
from app.web.catalogue import CatalogueResource
from app.web.catalogue_map import MapResource
from app.web.clicks import ClickResource
from app.web.description import DescriptionResource
from app.web.live import LiveResource
from app.web.lookups import LookupResources
from app.web.measure import measure_requests
from app.web.page import load_page
from app.web.probes import ProbeResources
from app.web.problems import as_problems
from app.web.quarantine import QuarantineResource
from app.web.rules import RuleSettings, rules_of
from app.web.summary import SummaryResource

log = logging.getLogger(__name__)

SHUTDOWN_SECONDS = 5.0
LIMITS = {"max_line_size": 65_536}  # bytes; a query may have many rules, or the mark of a page


@dataclass(frozen=True, slots=True)
class ServeConcerns:
    """The settings that the HTTP process needs."""

    serve: ServeSettings
    redis: RedisSettings
    kafka: KafkaSettings
    http: HttpSettings = field(default_factory=HttpSettings)
    log: LogSettings = field(default_factory=LogSettings)
    rules: RuleSettings = field(default_factory=RuleSettings)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the process takes from the world besides its settings."""

    registry: CollectorRegistry
    clock: Callable[[], float] = time.time
    new_id: Callable[[], str] = lambda: str(uuid.uuid4())


def build_application(settings: ServeConcerns, surroundings: Surroundings) -> web.Application:
    """The application; Redis and Kafka are reached by the requests that need them. Raises
    HeadraceError.
    """
    # Measuring comes first, so that it sees the problems' status.
    metrics = HttpMetrics(surroundings.registry)
    middlewares = [measure_requests(metrics.seconds), as_problems, guard(settings.http)]
    application = web.Application(middlewares=middlewares, client_max_size=LARGEST_BODY_BYTES, handler_args=LIMITS)
    lookups = Lookups.connect(settings.redis, settings.serve.recall_seconds)
    live = LiveResource(lookups, surroundings.clock)
    producer = EventProducer(settings.kafka) if settings.serve.accept_events else None
    # All routes; the description is made from them.
    routes = [
        *load_page(accept_events=settings.serve.accept_events, pictures_from=settings.serve.pictures_from).routes(),
        *LookupResources(lookups, metrics.lists, rules_of(settings.rules)).routes(),
        *live.routes(),
        *CatalogueResource(lookups).routes(),
        *SummaryResource(lookups, surroundings.clock).routes(),
        *MapResource(lookups, surroundings.clock).routes(),
        *ClickResource(producer, surroundings.clock, surroundings.new_id).routes(),
        *QuarantineResource(settings.kafka, Pseudonyms.of_settings(settings.log)).routes(),
        *ProbeResources(lookups, surroundings.registry).routes(),
    ]
    routes += DescriptionResource(tuple(routes), needs_token=bool(tokens_in(settings.http.tokens))).routes()
    application.add_routes([route.served() for route in routes])

    async def close(_: web.Application) -> None:
        if producer is not None:
            await producer.close()
        await lookups.close()

    application.on_response_prepare.append(secure)
    application.cleanup_ctx.append(live.sampling)
    application.on_shutdown.append(live.end_streams)
    application.on_cleanup.append(close)
    return application


@asynccontextmanager
async def listening(application: web.Application, host: str, port: int) -> AsyncIterator[str]:
    """Listen, and yield the address as a URL; port 0 takes a free one. Raises HeadraceError."""
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=SHUTDOWN_SECONDS)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, host, port).start()
        except OSError as error:
            raise HeadraceError(
                f"cannot listen on {host}:{port} ({error.strerror or error}); choose another with --port "
                "or HEADRACE_SERVE_PORT, 0 for a free one"
            ) from error
        yield _url(runner)
    finally:
        await runner.cleanup()


def _url(runner: web.AppRunner) -> str:
    host, port = runner.addresses[0][:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
