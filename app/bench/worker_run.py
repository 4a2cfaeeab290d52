"""Measures the real `headrace worker` from outside: its counters while it works, its committed
offsets afterwards.
"""

import asyncio
import http.client
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from prometheus_client import ProcessCollector

from agents.metrics import STAGES
from app.bench.child import child, failed
from app.bench.span import Sample, Span, span, start_of
from app.concerns import KafkaSettings
from app.errors import HeadraceError
from app.kafka.group_offsets import wait_until_committed
from app.local.scrape import Reading, parse_metrics

# Each look costs the worker some 2 ms of its loop.
POLL_SECONDS = 0.2
ANSWER_SECONDS = 30.0
STALL_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class WorkerRun:
    """One measured run. The counters are those at its end, the stages' seconds those inside the
    span.
    """

    span: Span
    counters: Reading
    stage_seconds: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Task:
    """The number of events (or records of the catalogue) that wait for a worker, and what it is
    started with.
    """

    events: int
    environment: Mapping[str, str]
    port: int
    log: Path


@dataclass(frozen=True, slots=True)
class _Look:
    at: float
    counters: Reading
    cpu: float


def measure_worker(task: Task, kafka: KafkaSettings) -> WorkerRun:
    """Start a worker, wait until it has processed everything and committed it, and stop it.

    Raises HeadraceError when it ends early, makes no progress for a minute, counts more events than
    were sent, or does not commit them.
    """
    with child(["worker"], task.environment, task.log) as process:
        observed = _watch(task, process, lambda counters: counters.events)
        asyncio.run(wait_until_committed(kafka, task.events))
        final = counters_of(task.port)
    if final is None or final.events != task.events:
        counted = "nothing" if final is None else f"{final.events:,}"
        raise HeadraceError(f"the worker counts {counted} for {task.events:,} events: this measurement does not count")
    seen = [Sample(look.at, look.counters.events, look.cpu) for look in observed]
    before, after = observed[start_of(seen)].counters.stage_seconds, observed[-1].counters.stage_seconds
    return WorkerRun(span(seen), final, {name: after[name] - before[name] for name in STAGES})


def learn_catalogue(task: Task) -> None:
    """Start a worker, wait until it has stored the catalogue and what the models say of it, and
    stop it.

    As in a running shop, the catalogue is then no news to the worker that is measured, and its
    vectors are there. Raises HeadraceError when it ends early or makes no progress for a minute.
    """
    with child(["worker"], task.environment, task.log) as process:
        _watch(task, process, lambda counters: counters.items)


def _watch(task: Task, process: subprocess.Popen[bytes], count: Callable[[Reading], int]) -> Sequence[_Look]:
    observed: list[_Look] = []
    done, progress_at = -1, time.monotonic()
    while done < task.events:
        time.sleep(POLL_SECONDS)
        if process.poll() is not None:
            raise failed("the worker", process.returncode, task.log)
        counters = counters_of(task.port)
        now = time.monotonic()
        if counters is not None:
            observed.append(_Look(now, counters, cpu_seconds_of(process.pid)))
            if count(counters) > done:
                done, progress_at = count(counters), now
        if now - progress_at > STALL_SECONDS:
            raise HeadraceError(
                f"the worker makes no progress at {max(done, 0):,} of {task.events:,} records; the end of its log:\n"
                + task.log.read_text(errors="replace")[-1000:]
            )
    return observed


def cpu_seconds_of(pid: int) -> float:
    """What the process used so far; 0 where the system does not tell (it does on Linux)."""
    families = ProcessCollector(pid=lambda: pid, registry=None).collect()
    samples = [sample for family in families for sample in family.samples]
    return next((sample.value for sample in samples if sample.name == "process_cpu_seconds_total"), 0.0)


def counters_of(port: int) -> Reading | None:
    """Read the counters of the worker on this port. Returns None while nothing answers: it is not
    up yet, or gone.
    """
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=ANSWER_SECONDS)
    try:
        connection.request("GET", "/metrics")
        answer = connection.getresponse()
        return parse_metrics(answer.read().decode()) if answer.status == http.HTTPStatus.OK else None
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()
