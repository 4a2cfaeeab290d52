"""`headrace bench lookup`: look-ups over HTTP beside a plain GET on Redis, with the worker idle and
at work.
"""

import asyncio
import math
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import orjson

from app.bench.child import child, failed
from app.bench.feed import Feed
from app.bench.latency import in_milliseconds
from app.bench.load import LoadResult, load_result_of
from app.bench.place import machine
from app.bench.stage import Stage, StagePlan, Tell, feeding, running_serve, running_worker, stage
from app.bench.sustained import find_sustained
from app.bench.worker_run import counters_of, cpu_seconds_of
from app.concerns import RedisSettings
from app.errors import HeadraceError
from app.store.list_count import users_with_lists

SHARE_AT_WORK = 0.5
USERS = 20_000
# The worker's load runs for this long before and after each measured load.
LEAD_SECONDS = 2.0
TARGETS = ("redis", "http")
# The first answers of a new process take longer; they are not measured.
WARM_UP_RATE = 100.0
WARM_UP_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class LookupPlan:
    """The rates of look-ups a second, and how long each runs over how many connections."""

    stage: StagePlan
    rates: Sequence[float]
    seconds: float
    connections: int
    prefix: str


@dataclass(frozen=True, slots=True)
class LookupRun:
    """One load on one target; `serve_cpu`: processor seconds that the look-up process used
    meanwhile.
    """

    target: str
    rate: float
    worker: str
    load: LoadResult
    serve_cpu: float
    worker_events_per_second: float

    def as_json(self) -> dict[str, object]:
        """The run for JSON, with times in milliseconds and processor time in microseconds an
        answer.
        """
        load = self.load
        return {
            "target": self.target,
            "rate": self.rate,
            "worker": self.worker,
            "answered_per_second": round(load.answered / load.seconds, 1),
            "failed": load.failed,
            "lost": load.lost,
            "milliseconds": in_milliseconds(load.latency),
            "left_late_milliseconds": in_milliseconds(load.late),
            "serve_cpu_microseconds": round(1e6 * self.serve_cpu / max(1, load.answered), 1),
            "load_cpu_microseconds": round(1e6 * load.cpu_seconds / max(1, load.answered), 1),
            "worker_events_per_second": round(self.worker_events_per_second, 1),
        }


@dataclass(frozen=True, slots=True)
class _Bench:
    plan: LookupPlan
    stage: Stage
    serve: "subprocess.Popen[bytes]"
    addresses: dict[str, str]
    tell: Tell
    sustained: float
    sent: int


def run_lookup(plan: LookupPlan, tell: Tell) -> dict[str, object]:
    """Measure all rates; gives the result as JSON has it. Raises HeadraceError when something
    fails.
    """
    with stage(plan.stage, tell) as here, running_worker(here.place), running_serve(here.place) as (serve, url):
        users = _write_users(here, plan.prefix)
        addresses = {"redis": here.place.redis_url, "http": url}
        bench = _Bench(plan, here, serve, addresses, tell, *find_sustained(here, plan.seconds, tell))
        for target in TARGETS:
            _load(bench, target, WARM_UP_RATE, WARM_UP_SECONDS)
        runs = [_measure(bench, target, rate, "idle") for rate in plan.rates for target in TARGETS]
        with _at_work(bench, len(plan.rates) * len(TARGETS)):
            runs += [_measure(bench, target, rate, "half load") for rate in plan.rates for target in TARGETS]
        return {
            "log": plan.stage.dataset.name,
            "users": users,
            "seconds": plan.seconds,
            "connections": plan.connections,
            "worker_maximum_events_per_second": round(here.events_per_second, 1),
            "sustained_events_per_second": round(bench.sustained, 1),
            "runs": [run.as_json() for run in runs],
            "http_to_get": ratios(runs),
            **machine(),
        }


def ratios(runs: Sequence[LookupRun]) -> list[dict[str, object]]:
    """Each HTTP run's percentiles as multiples of those of the plain GET at the same rate beside
    the same worker.
    """
    gets = {(run.rate, run.worker): run.load.latency for run in runs if run.target == "redis"}
    found = []
    for run in runs:
        if run.target == "http":
            http, get = run.load.latency, gets[run.rate, run.worker]
            pairs = {"p50": (http.p50, get.p50), "p90": (http.p90, get.p90), "p99": (http.p99, get.p99)}
            each = {name: round(ours / theirs, 2) if theirs else 0.0 for name, (ours, theirs) in pairs.items()}
            found.append({"rate": run.rate, "worker": run.worker, **each})
    return found


@contextmanager
def _at_work(bench: _Bench, runs: int) -> Iterator[None]:
    """The worker takes half of what it sustains for as long as the measurements take."""
    rate = SHARE_AT_WORK * bench.sustained
    # More than enough: it is stopped when the last measurement has ended.
    seconds = 3 * runs * (bench.plan.seconds + 2 * LEAD_SECONDS)
    feed = Feed(rate, math.ceil(rate * seconds), skip=bench.sent)
    bench.tell(f"the worker gets {rate:,.0f} events/s from now on")
    with feeding(bench.stage, feed) as process:
        before = _events(bench.stage)
        while _events(bench.stage) == before:
            if process.poll() is not None:
                raise failed("the feed", process.returncode, bench.stage.place.folder / "feed.log")
            time.sleep(0.1)
        time.sleep(LEAD_SECONDS)
        yield


def _measure(bench: _Bench, target: str, rate: float, worker: str) -> LookupRun:
    events, since, cpu = _events(bench.stage), time.monotonic(), cpu_seconds_of(bench.serve.pid)
    found = _load(bench, target, rate, bench.plan.seconds)
    cpu = cpu_seconds_of(bench.serve.pid) - cpu
    worker_rate = (_events(bench.stage) - events) / (time.monotonic() - since)
    failures = f", {found.failed:,} failed, {found.lost:,} lost" if found.failed or found.lost else ""
    bench.tell(f"{target} at {rate:g}/s, worker {worker}: p90 {1e3 * found.latency.p90:.2f} ms{failures}")
    return LookupRun(target, rate, worker, found, cpu, worker_rate)


def _load(bench: _Bench, target: str, rate: float, seconds: float) -> LoadResult:
    place, log = bench.stage.place, bench.stage.place.folder / "load.log"
    arguments = ["bench", "load", bench.addresses[target], f"--rate={rate}", f"--seconds={seconds}"]
    arguments += [f"--connections={bench.plan.connections}", f"--users={place.folder / 'users.json'}"]
    with child(arguments, place.environment, log) as process:
        output, _ = process.communicate()
    if process.returncode != 0:
        raise failed("the load", process.returncode, log)
    return load_result_of(orjson.loads(output))


def _events(here: Stage) -> int:
    found = counters_of(here.place.port)
    return 0 if found is None else found.events


def _write_users(here: Stage, prefix: str) -> int:
    """The users who have lists, for the load; gives their number. Raises HeadraceError when there
    are none.
    """
    users = asyncio.run(users_with_lists(RedisSettings(here.place.redis_url, prefix), USERS))
    if not users:
        raise HeadraceError("the worker wrote no list: nothing can be looked up")
    (here.place.folder / "users.json").write_bytes(orjson.dumps(users))
    return len(users)
