"""`headrace bench pipeline`: the whole worker against a plain Faust agent and the raw client, in
the same minutes.
"""

import asyncio
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from agents.metrics import STAGES
from app.bench.broker import bench_kafka
from app.bench.child import contend
from app.bench.log import bench_log, count_events
from app.bench.place import machine, place_of, produce_catalogue
from app.bench.span import Span, Spread, spread
from app.bench.worker_run import Task, WorkerRun, learn_catalogue, measure_worker
from app.concerns import KafkaSettings
from app.datasets.record import Dataset
from app.errors import HeadraceError
from app.kafka.replay import Pace, producer_for, replay
from app.local.servers import embedded_redis
from app.progress_line import ProgressLine

# Below that even the worker takes less than a second, and it is looked at five times a second.
FEWEST_EVENTS = 20_000
REPEAT = "repeat it with --events 100000"

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """What is measured: a log, how many of its events (None: all), how often, under which settings,
    and on which Kafka (None: an embedded broker).
    """

    dataset: Dataset
    events: int | None
    rounds: int
    kafka: KafkaSettings
    environ: Mapping[str, str]
    given: str | None = None


@dataclass(frozen=True, slots=True)
class Round:
    """One round: each contender on the same broker and the same log, one after the other."""

    ceiling: Span
    plain_faust: Span
    worker: WorkerRun


def run_pipeline(plan: Plan, tell: Tell) -> dict[str, object]:
    """Measure all rounds; gives the result as JSON has it. Raises HeadraceError when a contender
    missed an event.
    """
    events = count_events(plan.dataset.events, plan.events)
    if events < FEWEST_EVENTS:
        tell(f"only {events:,} events: such a log is read in a moment, and its figures mean nothing; {REPEAT}")
    rounds = []
    for number in range(1, plan.rounds + 1):
        with TemporaryDirectory(prefix="headrace-bench-") as folder:
            found = _round(plan, events, Path(folder), _prefixed(tell, number))
        rounds.append(found)
    return summarise(plan.dataset.name, rounds)


def summarise(name: str, rounds: list[Round]) -> dict[str, object]:
    """Medians over the rounds, with the lowest and highest; ratios are taken within a round."""
    counters = rounds[-1].worker.counters
    each = {
        "events_per_second": [one.worker.span.events_per_second for one in rounds],
        "plain_faust_events_per_second": [one.plain_faust.events_per_second for one in rounds],
        "ceiling_events_per_second": [one.ceiling.events_per_second for one in rounds],
        "ratio_to_plain_faust": [_ratio(one.worker.span, one.plain_faust) for one in rounds],
        "ratio_to_ceiling": [_ratio(one.worker.span, one.ceiling) for one in rounds],
    }
    cpu = {
        "worker": [one.worker.span.cpu_microseconds_per_event for one in rounds],
        "plain_faust": [one.plain_faust.cpu_microseconds_per_event for one in rounds],
        "ceiling": [one.ceiling.cpu_microseconds_per_event for one in rounds],
    }
    spreads = {key: spread(values) for key, values in each.items()}
    return {
        "log": name,
        "events": counters.events,
        "rounds": len(rounds),
        **{key: _rounded(found.median) for key, found in spreads.items()},
        "spread": {key: _low_and_high(found) for key, found in spreads.items()},
        "cpu_microseconds_per_event": {name: _rounded(spread(values).median) for name, values in cpu.items()},
        "outcomes": dict(sorted(counters.outcomes.items())),
        "recommendations": counters.recommendations,
        "seconds": _rounded(spread([one.worker.span.seconds for one in rounds]).median),
        "stage_seconds": {
            stage: _rounded(spread([one.worker.stage_seconds[stage] for one in rounds]).median) for stage in STAGES
        },
        **machine(),
    }


def _round(plan: Plan, events: int, folder: Path, tell: Tell) -> Round:
    # Servers of its own for each round: the log that the last worker wrote would turn every event
    # into a repeat.
    with (
        bench_kafka(plan.kafka, plan.environ, plan.given, folder) as (kafka, environ),
        embedded_redis(folder) as redis_url,
    ):
        place = place_of(environ, kafka, redis_url, folder)
        if items := asyncio.run(produce_catalogue(plan.dataset, kafka)):
            tell(f"a worker takes in {items:,} records of the catalogue, before anything is measured")
            learn_catalogue(Task(items, place.environment, place.port, folder / "catalogue.log"))
        asyncio.run(_produce(plan, events, kafka))
        tell("ceiling: aiokafka and orjson alone")
        ceiling = contend("ceiling", events, place.environment, folder)
        tell(f"{ceiling.events_per_second:,.0f} events/s; now plain Faust")
        plain = contend("plain-faust", events, place.environment, folder)
        tell(f"{plain.events_per_second:,.0f} events/s; now the worker")
        worker = measure_worker(Task(events, place.environment, place.port, folder / "worker.log"), kafka)
        tell(f"{worker.span.events_per_second:,.0f} events/s")
    return Round(ceiling, plain, worker)


async def _produce(plan: Plan, events: int, kafka: KafkaSettings) -> None:
    line = ProgressLine(sys.stderr)
    pace = Pace(progress=lambda counts: line.show(f"producing: {counts.total():,} of {events:,} events"))
    try:
        async with producer_for(kafka) as producer:
            records = bench_log(plan.dataset.events, plan.events)
            sent = await replay(records, producer, pace, prefix=kafka.topic_prefix)
    finally:
        line.close()
    if sent.total() != events:
        raise HeadraceError(f"Kafka acknowledged {sent.total():,} events of {events:,}: nothing was measured")


def _prefixed(tell: Tell, number: int) -> Tell:
    return lambda text: tell(f"round {number}: {text}")


def _ratio(ours: Span, theirs: Span) -> float:
    return ours.events_per_second / theirs.events_per_second if theirs.events_per_second else 0.0


def _low_and_high(found: Spread) -> dict[str, float]:
    return {"min": _rounded(found.low), "max": _rounded(found.high)}


def _rounded(value: float) -> float:
    return round(value, 1) if value >= 1000 else round(value, 4)
