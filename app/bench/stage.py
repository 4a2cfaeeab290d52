"""Real servers, a real worker and a real look-up process, and the most events that the worker takes
a second.
"""

import asyncio
import http.client
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

import orjson

from app.bench.broker import bench_kafka
from app.bench.child import child, failed
from app.bench.feed import Feed, FeedResult, feed_result_of, send_backlog
from app.bench.log import count_events
from app.bench.place import Place, place_of, produce_catalogue
from app.bench.worker_run import Task, WorkerRun, learn_catalogue, measure_worker
from app.concerns import KafkaSettings
from app.datasets.record import Dataset
from app.errors import HeadraceError
from app.local.servers import embedded_redis

READY_SECONDS = 120.0
POLL_SECONDS = 0.1
# Events of the backlog are this many seconds apart, as the events of a busy shop are.
BACKLOG_RATE = 1_000.0

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class StagePlan:
    """The log, where it lies (None: the sample log), how many of its events are the backlog (None:
    all), and the address of a Kafka that runs already (None: an embedded one).
    """

    dataset: Dataset
    data: Path | None
    events: int | None
    kafka: KafkaSettings
    environ: Mapping[str, str]
    given: str | None = None


@dataclass(frozen=True, slots=True)
class Stage:
    """Servers with the lists of a backlog, and how fast a worker took it: its maximum."""

    plan: StagePlan
    place: Place
    backlog: int
    maximum: WorkerRun

    @property
    def events_per_second(self) -> float:
        """The worker's maximum."""
        return self.maximum.span.events_per_second


@contextmanager
def stage(plan: StagePlan, tell: Tell) -> Iterator[Stage]:
    """Start the servers, and let a worker take a backlog. Raises HeadraceError when it does not."""
    events = count_events(plan.dataset.events, plan.events)
    with (
        TemporaryDirectory(prefix="headrace-bench-") as name,
        bench_kafka(plan.kafka, plan.environ, plan.given, Path(name)) as (kafka, environ),
        embedded_redis(Path(name)) as redis_url,
    ):
        place = place_of(environ, kafka, redis_url, Path(name))
        if items := asyncio.run(produce_catalogue(plan.dataset, kafka)):
            tell(f"a worker takes in {items:,} records of the catalogue")
            learn_catalogue(Task(items, place.environment, place.port, place.folder / "catalogue.log"))
        tell(f"a worker takes {events:,} events as fast as it can")
        asyncio.run(send_backlog(kafka, plan.dataset.events, Feed(BACKLOG_RATE, events)))
        maximum = measure_worker(Task(events, place.environment, place.port, place.folder / "maximum.log"), kafka)
        tell(f"{maximum.span.events_per_second:,.0f} events/s is its maximum")
        yield Stage(plan, place, events, maximum)


@contextmanager
def running_worker(place: Place) -> Iterator["subprocess.Popen[bytes]"]:
    """A worker that has learned what is there and is ready. Raises HeadraceError when it does not
    become so.
    """
    log = place.folder / "worker.log"
    with child(["worker"], place.environment, log) as process:
        deadline = time.monotonic() + READY_SECONDS
        while not is_ready(f"http://127.0.0.1:{place.port}"):
            if process.poll() is not None:
                raise failed("the worker", process.returncode, log)
            if time.monotonic() > deadline:
                raise HeadraceError(f"the worker is not ready after {READY_SECONDS:g} s")
            time.sleep(POLL_SECONDS)
        yield process


@contextmanager
def running_serve(place: Place) -> Iterator[tuple["subprocess.Popen[bytes]", str]]:
    """`headrace serve` on a free port; gives its process and its address. Raises HeadraceError when
    it ends early.
    """
    log = place.folder / "serve.log"
    with child(["serve", "--port", "0", "--json"], place.environment, log) as process:
        assert process.stdout is not None  # `child` makes a pipe of it
        line = process.stdout.readline()
        if not line:
            raise failed("the look-up process", process.wait(), log)
        yield process, str(orjson.loads(line)["url"])


@contextmanager
def feeding(here: Stage, feed: Feed) -> Iterator["subprocess.Popen[bytes]"]:
    """A process of its own that sends a feed; `feed_result` waits for its end, leaving the block
    stops it.
    """
    arguments = ["bench", "feed", f"--rate={feed.rate}", f"--events={feed.events}", f"--skip={feed.skip}"]
    arguments += ["--data", str(here.plan.data)] if here.plan.data else []
    with child(arguments, here.place.environment, here.place.folder / "feed.log") as process:
        yield process


def feed_result(here: Stage, process: "subprocess.Popen[bytes]") -> FeedResult:
    """What the feed sent in the end. Raises HeadraceError when it failed."""
    output, _ = process.communicate()
    if process.returncode != 0:
        raise failed("the feed", process.returncode, here.place.folder / "feed.log")
    return feed_result_of(orjson.loads(output))


def is_ready(url: str) -> bool:
    """Whether `/readyz` answers that all is well."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=5)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
