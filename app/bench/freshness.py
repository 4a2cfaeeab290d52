"""`headrace bench freshness`: how long an event takes until its user's list is readable, at several
loads.

An event is due at a fixed time, which is its event time. The worker writes the list of the event's
user, then hands the event on to the topic `interactions`: Kafka's time of that record, less the
event time, is the delay. The loads are shares of what the worker sustains of such a stream.
"""

import asyncio
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass

import orjson

from app.bench.feed import Feed, FeedResult
from app.bench.latency import in_milliseconds, latencies
from app.bench.place import machine
from app.bench.span import Sample
from app.bench.stage import Stage, StagePlan, Tell, feed_result, feeding, running_worker, stage
from app.bench.worker_run import counters_of
from app.errors import HeadraceError
from app.kafka.read_log import read_from_beginning
from app.local.scrape import Reading

INTERACTIONS = "interactions"
STALL_SECONDS = 60.0
POLL_SECONDS = 0.2
SUSTAINED_SECONDS = 5.0  # at least, of the stream that finds the sustained rate
# Kafka's times are whole milliseconds, rounded down; a delay counts from the next one.
KAFKA_MILLISECOND = 0.001


@dataclass(frozen=True, slots=True)
class FreshnessPlan:
    """The loads as shares of the sustained rate, and how long each lasts."""

    stage: StagePlan
    shares: Sequence[float]
    seconds: float


def run_freshness(plan: FreshnessPlan, tell: Tell) -> dict[str, object]:
    """Measure all loads; gives the result as JSON has it. Raises HeadraceError when the worker
    falls silent.
    """
    with stage(plan.stage, tell) as here, running_worker(here.place):
        seconds = max(SUSTAINED_SECONDS, plan.seconds)
        feed = Feed(here.events_per_second, math.ceil(here.events_per_second * seconds), skip=here.backlog)
        tell(f"{feed.events:,} events at {feed.rate:,.0f}/s, to find how many a second the worker sustains")
        sustained = _sustained(here, feed)
        runs, sent = [], here.backlog + feed.events
        for share in plan.shares:
            rate = share * sustained
            feed = Feed(rate, math.ceil(rate * plan.seconds), skip=sent)
            tell(f"{feed.events:,} events at {rate:,.0f}/s, {share:.0%} of the {sustained:,.0f} that it sustains")
            runs.append(_measure(here, feed, share))
            sent += feed.events
        return {
            "log": plan.stage.dataset.name,
            "seconds": plan.seconds,
            "worker_maximum_events_per_second": round(here.events_per_second, 1),
            "sustained_events_per_second": round(sustained, 1),
            "runs": runs,
            **machine(),
        }


def delays(records: Sequence[tuple[int, bytes]], started: float) -> list[float]:
    """The delays in seconds of the events since `started`, from Kafka's time and the value of
    interactions.
    """
    found = []
    for milliseconds, value in records:
        due = orjson.loads(value)["ts"]
        if due >= started:
            found.append(milliseconds / 1000 + KAFKA_MILLISECOND - due)
    return found


def sustained_rate(seen: Sequence[Sample]) -> float:
    """Events a second in the second half of the time from the first event done to the last look.

    At first a worker that cannot keep up still takes what its queues have room for.

    Raises HeadraceError when there are no two looks in that half.

    >>> sustained_rate([Sample(0, 0, 0), Sample(2, 900, 0), Sample(4, 1000, 0), Sample(6, 1100, 0)])
    50.0
    """
    begun = [each for each in seen if each.done > seen[0].done]
    half = [each for each in begun if each.at >= (begun[0].at + begun[-1].at) / 2]
    if len(half) < 2:
        raise HeadraceError("the stream ended before a rate could be told: use a longer --seconds")
    return (half[-1].done - half[0].done) / (half[-1].at - half[0].at)


def _sustained(here: Stage, feed: Feed) -> float:
    """The worker's rate while more events come in than it can take: what it sustains of an open
    stream, whose sender, broker and Redis want their part of the machine. Returns when it has taken
    all of them, so that nothing of them waits before the loads.
    """
    before = _counters(here)
    seen = [Sample(time.time(), before.events, 0.0)]
    with feeding(here, feed) as process:
        while process.poll() is None:
            time.sleep(POLL_SECONDS)
            seen.append(Sample(time.time(), _counters(here).events, 0.0))
        fed = feed_result(here, process)
    _wait_until_done(here, before, feed.events)
    return sustained_rate([each for each in seen if each.at <= fed.started + fed.seconds])


def _measure(here: Stage, feed: Feed, share: float) -> dict[str, object]:
    before = _counters(here)
    with feeding(here, feed) as process:
        fed = feed_result(here, process)
    after = _wait_until_done(here, before, feed.events)
    accepted = after.outcomes.get("accepted", 0) - before.outcomes.get("accepted", 0)
    measured = asyncio.run(_read_delays(here, fed, accepted))
    return {
        "share": share,
        "events_per_second": round(feed.rate, 1),
        "events": feed.events,
        "accepted": accepted,
        "lists": after.recommendations - before.recommendations,
        "milliseconds": in_milliseconds(latencies(measured)),
        "left_late_milliseconds": in_milliseconds(fed.left),
        "acknowledged_milliseconds": in_milliseconds(fed.acknowledged),
    }


def _wait_until_done(here: Stage, before: Reading, events: int) -> Reading:
    done, since = -1, time.monotonic()
    while True:
        now = _counters(here)
        if now.events - before.events >= events:
            return now
        if now.events > done:
            done, since = now.events, time.monotonic()
        if time.monotonic() - since > STALL_SECONDS:
            raise HeadraceError(
                f"the worker took {now.events - before.events:,} of {events:,} events, and no more for "
                f"{STALL_SECONDS:g} s; the end of its log:\n"
                + (here.place.folder / "worker.log").read_text(errors="replace")[-1000:]
            )
        time.sleep(POLL_SECONDS)


def _counters(here: Stage) -> Reading:
    found = counters_of(here.place.port)
    if found is None:
        raise HeadraceError("the worker does not answer on its port any more")
    return found


async def _read_delays(here: Stage, fed: FeedResult, accepted: int) -> list[float]:
    """Read the interactions of the feed. They are read when all is over, so that reading disturbs
    nothing.
    """
    found: list[float] = []
    async for batch in read_from_beginning(here.place.kafka, INTERACTIONS, STALL_SECONDS):
        found += delays(batch, fed.started)
        if len(found) >= accepted:
            return found
    raise HeadraceError(f"{len(found):,} of {accepted:,} accepted events were handed on")
