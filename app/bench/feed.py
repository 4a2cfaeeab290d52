"""An open-loop stream of events: each is due at a fixed time, carries that time as its own, and is sent then.

Events that fall behind are sent as soon as they can be, and their time stays the one at which they were due.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, islice

import orjson

from app.bench.log import bench_log
from app.concerns import KafkaSettings
from app.datasets.record import Record
from app.kafka.replay import Pace, producer_for, replay

# Events that are due within this time go together; a measured delay holds up to as much.
WINDOW_SECONDS = 0.005


@dataclass(frozen=True, slots=True)
class Feed:
    """How many events a second, how many in all, and how many of the log (with its copies) were sent before."""

    rate: float
    events: int
    skip: int = 0


@dataclass(frozen=True, slots=True)
class FeedResult:
    """What was sent; `started` in seconds since 1970, `behind`: seconds by which the last event was late."""

    events: int
    started: float
    seconds: float
    behind: float


def timed_events(records: Iterable[Record], rate: float, started: float) -> Iterator[Record]:
    """The records as events of now: number n happens n / rate seconds after `started`.

    One that is no JSON object keeps its bytes.
    """
    for number, record in enumerate(records):
        due = started + number / rate
        yield record._replace(value=_at(record.value, due), ts=due)


def feed_log(read: Callable[[], Iterator[Record]], feed: Feed) -> Iterator[Record]:
    """The records of a feed as the log and its copies have them."""
    return islice(bench_log(read, feed.skip + feed.events), feed.skip, None)


async def send_feed(kafka: KafkaSettings, read: Callable[[], Iterator[Record]], feed: Feed) -> FeedResult:
    """Send the feed at its pace. Raises HeadraceError when Kafka does not take it."""
    log = feed_log(read, feed)
    async with producer_for(kafka) as producer:
        first = next(log)  # skipping may take seconds, in which nothing is due
        started = time.time()
        records = timed_events(chain([first], log), feed.rate, started)
        pace = Pace(speed=1.0, window_seconds=WINDOW_SECONDS)
        sent = await replay(records, producer, pace, prefix=kafka.topic_prefix)
    seconds = time.time() - started
    return FeedResult(sent.total(), started, seconds, max(0.0, seconds - (feed.events - 1) / feed.rate))


async def send_backlog(kafka: KafkaSettings, read: Callable[[], Iterator[Record]], feed: Feed) -> int:
    """Send the feed's events as fast as it goes, as if its last one happened now; gives their number."""
    async with producer_for(kafka) as producer:
        records = timed_events(feed_log(read, feed), feed.rate, time.time() - feed.events / feed.rate)
        return (await replay(records, producer, Pace(), prefix=kafka.topic_prefix)).total()


def _at(value: bytes | None, ts: float) -> bytes | None:
    try:
        event = orjson.loads(value or b"")
    except orjson.JSONDecodeError:
        return value
    return orjson.dumps({**event, "ts": ts}) if isinstance(event, dict) else value
