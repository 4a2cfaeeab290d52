"""What a worker sustains of an open stream: the rate of which the loads of other measurements are
shares.
"""

import math
import time
from collections.abc import Sequence

from app.bench.feed import Feed
from app.bench.span import Sample
from app.bench.stage import Stage, Tell, feed_result, feeding
from app.bench.worker_run import counters_of
from app.errors import HeadraceError
from app.local.scrape import Reading

SUSTAINED_SECONDS = 5.0  # at least, of the stream that finds the sustained rate
STALL_SECONDS = 60.0
POLL_SECONDS = 0.2


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


def find_sustained(here: Stage, seconds: float, tell: Tell) -> tuple[float, int]:
    """What the worker sustains of an open stream, in events a second, and how many events of the
    log were sent so far. The stream lasts `seconds`, at least SUSTAINED_SECONDS.

    Raises HeadraceError when the worker falls silent.
    """
    rate = here.events_per_second
    feed = Feed(rate, math.ceil(rate * max(SUSTAINED_SECONDS, seconds)), skip=here.backlog)
    tell(f"{feed.events:,} events at {rate:,.0f}/s, to find how many a second the worker sustains")
    return _sustained(here, feed), here.backlog + feed.events


def _sustained(here: Stage, feed: Feed) -> float:
    """The worker's rate while more events come in than it can take: what it sustains of an open
    stream, whose sender, broker and Redis want their part of the machine. Returns when it has taken
    all of them, so that nothing of them waits before the loads.
    """
    before = counters(here)
    seen = [Sample(time.time(), before.events, 0.0)]
    with feeding(here, feed) as process:
        while process.poll() is None:
            time.sleep(POLL_SECONDS)
            seen.append(Sample(time.time(), counters(here).events, 0.0))
        fed = feed_result(here, process)
    wait_until_done(here, before, feed.events)
    return sustained_rate([each for each in seen if each.at <= fed.started + fed.seconds])


def wait_until_done(here: Stage, before: Reading, events: int) -> Reading:
    """The counters once the worker took so many events more than it had `before`. Raises
    HeadraceError when it takes none for a minute.
    """
    done, since = -1, time.monotonic()
    while True:
        now = counters(here)
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


def counters(here: Stage) -> Reading:
    """The worker's counters. Raises HeadraceError when it does not answer."""
    found = counters_of(here.place.port)
    if found is None:
        raise HeadraceError("the worker does not answer on its port any more")
    return found
