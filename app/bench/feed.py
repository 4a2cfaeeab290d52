"""An open-loop stream of events: each is due at a fixed time, carries that time as its own, and is
sent then.

Events that fall behind are sent as soon as they can be, and their time stays the one at which they
were due. As with any producer, one batch at a time is on its way to a partition; what is due
meanwhile makes the next one.
"""

import asyncio
import gc
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import orjson

from app.bench.latency import Latencies, latencies
from app.bench.log import bench_log
from app.concerns import KafkaSettings
from app.datasets.record import Record
from app.kafka.paced_sender import PacedSender
from app.kafka.replay import Pace, producer_for, replay

# The shortest sleep: events that are due within it go together, and a measured delay holds up to as
# much.
TICK_SECONDS = 0.002
YIELD_EVERY = 100


@contextmanager
def without_pauses() -> Iterator[None]:
    """Collect no garbage inside the block: a pause of the sender would look like a slow worker."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@dataclass(frozen=True, slots=True)
class Feed:
    """How many events a second, how many in all, and how many of the log (with its copies) were
    sent before.
    """

    rate: float
    events: int
    skip: int = 0


@dataclass(frozen=True, slots=True)
class FeedResult:
    """What was sent, from `started` (seconds since 1970) on.

    `left`: how late events left here; `acknowledged`: how long after they were due the broker had
    them.
    """

    events: int
    started: float
    seconds: float
    left: Latencies
    acknowledged: Latencies


def timed_events(records: Iterable[Record], rate: float, started: float) -> Iterator[Record]:
    """The records as events of now: number n happens n / rate seconds after `started`.

    One that is no JSON object keeps its bytes.
    """
    for number, record in enumerate(records):
        due = started + number / rate
        yield record._replace(value=_at(record.value, due), ts=due)


def feed_log(read: Callable[[], Iterator[Record]], feed: Feed) -> Iterator[Record]:
    """The records of a feed as the log and its copies have them."""
    return bench_log(read, feed.events, feed.skip)


async def send_feed(kafka: KafkaSettings, read: Callable[[], Iterator[Record]], feed: Feed) -> FeedResult:
    """Send the feed at its pace. Raises HeadraceError when Kafka does not take it."""
    async with producer_for(kafka) as producer:
        sender = PacedSender(producer, kafka.topic_prefix)
        await sender.find_partitions()
        # All of it is read before anything is due: reading on would hold up what follows.
        log = list(feed_log(read, feed))
        with without_pauses():
            started = time.time()
            left = []
            for record in timed_events(log, feed.rate, started):
                due = record.ts or started
                if (early := due - time.time()) > 0:
                    await asyncio.sleep(max(early, TICK_SECONDS))
                left.append(time.time() - due)
                sender.put(record)
                if len(left) % YIELD_EVERY == 0:
                    await asyncio.sleep(0)  # one that is behind lets its batches go all the same
            await sender.drain()
            seconds = time.time() - started
    return FeedResult(len(left), started, seconds, latencies(left), latencies(sender.acknowledged))


async def send_backlog(kafka: KafkaSettings, read: Callable[[], Iterator[Record]], feed: Feed) -> int:
    """Send the feed's events as fast as it goes, as if its last one happened now; gives their
    number.
    """
    async with producer_for(kafka) as producer:
        records = timed_events(feed_log(read, feed), feed.rate, time.time() - feed.events / feed.rate)
        return (await replay(records, producer, Pace(), prefix=kafka.topic_prefix)).total()


def feed_result_of(values: dict[str, Any]) -> FeedResult:
    """The result that another process printed as JSON."""
    named = {name: Latencies(**values[name]) for name in ("left", "acknowledged")}
    return FeedResult(**{**values, **named})


def _at(value: bytes | None, ts: float) -> bytes | None:
    try:
        event = orjson.loads(value or b"")
    except orjson.JSONDecodeError:
        return value
    return orjson.dumps({**event, "ts": ts}) if isinstance(event, dict) else value
