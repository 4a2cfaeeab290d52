"""`headrace bench freshness`: how long an event takes until its user's list is readable, at several
loads.

An event is due at a fixed time, which is its event time. The worker writes the list of the event's
user, then hands the event on to the topic `interactions`: Kafka's time of that record, less the
event time, is the delay. The loads are shares of what the worker sustains of such a stream.
"""

import asyncio
import math
from collections.abc import Sequence
from dataclasses import dataclass

import orjson

from app.bench.feed import Feed, FeedResult
from app.bench.latency import in_milliseconds, latencies
from app.bench.place import machine
from app.bench.stage import Stage, StagePlan, Tell, feed_result, feeding, running_worker, stage
from app.bench.sustained import STALL_SECONDS, counters, find_sustained, wait_until_done
from app.errors import HeadraceError
from app.kafka.read_log import read_from_beginning

INTERACTIONS = "interactions"
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
        sustained, sent = find_sustained(here, plan.seconds, tell)
        runs = []
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


def _measure(here: Stage, feed: Feed, share: float) -> dict[str, object]:
    before = counters(here)
    with feeding(here, feed) as process:
        fed = feed_result(here, process)
    after = wait_until_done(here, before, feed.events)
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
