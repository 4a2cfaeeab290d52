"""Serves probes and metrics on the web server of the worker's Faust app."""

from collections.abc import Callable

from faust.web import Request, Response, View
from prometheus_client import generate_latest

from agents.metrics import Metrics
from app.health import Health
from app.kafka.faust_app import WorkerApp, progress_of
from app.kafka.progress import Progress

STALLED_SECONDS = 60.0
EXPOSITION_TYPE = "text/plain; version=0.0.4"


def add_probes(
    app: WorkerApp, replicas: Progress, health: Health, metrics: Metrics, refresh: Callable[[], None]
) -> None:
    """Serve `/healthz` (does it make progress), `/readyz` (are lists fresh) and `/metrics`.

    `replicas` is the progress of the topics that every worker reads whole. `refresh` is called
    before each answer of `/metrics`.
    """
    both = (progress_of(app), replicas)

    async def healthz(view: View, request: Request) -> Response:
        # A dependency that is away stalls every worker. A restart of the workers would not bring it
        # back.
        alive = all(each.is_alive(STALLED_SECONDS) for each in both) or bool(health.away)
        stalled = sorted({f"{topic}-{part}" for each in both for topic, part in each.stalled(STALLED_SECONDS)})
        return view.json({"alive": alive, "stalled": stalled}, status=200 if alive else 503)

    async def readyz(view: View, request: Request) -> Response:
        answer = {"ready": health.ready, "detail": health.detail}
        return view.json(answer, status=200 if health.ready else 503)

    async def expose(view: View, request: Request) -> Response:
        refresh()
        return view.bytes(generate_latest(metrics.registry), content_type=EXPOSITION_TYPE)

    for path, handler in (("/healthz", healthz), ("/readyz", readyz), ("/metrics", expose)):
        app.page(path, name=path.strip("/"))(handler)
