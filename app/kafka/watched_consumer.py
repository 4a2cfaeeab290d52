"""The watching half of the batch consumer: where its partitions begin and end, and whether
rebalances end.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic
from typing import Any

from aiokafka.errors import KafkaError  # type: ignore[import-untyped]  # aiokafka ships no types
from faust.transport.drivers import aiokafka as driver
from faust.types import TP
from faust.types.transports import TransportT
from mode import Service
from typing_extensions import override

from app.kafka.batch_book import BatchBook
from app.kafka.fetch_thread import FetchThread
from app.kafka.fetched import Whereabouts
from app.kafka.log_start import Beginning, Change, NothingSaved, Reset, SavedStarts
from app.kafka.places import ReadPlaces
from app.kafka.progress import Progress
from app.kafka.settling import Settling, Step

SETTLE_POLL_SECONDS = 0.5
TICKS = 5  # of `watch_seconds`
SAVED_SECONDS = 2.0  # while the store is away, nobody waits for what it saved


@dataclass(frozen=True, slots=True)
class BatchOptions:
    """Which topics are read in batches, and how.

    `settle_seconds` bounds the end of a rebalance, from the assignment until reading begins. It has
    to be less than Faust's own limit (`request_seconds`), behind which Faust stops reading and says
    nothing. While Kafka `is_away`, no step of a rebalance is overdue. `on_reset` is told when
    reading goes on at another offset than where it was, because the topic changed.
    """

    topics: frozenset[str]
    batches_per_partition: int = 3
    drain_seconds: float = 30.0
    watch_seconds: float = 5.0
    settle_seconds: float = 30.0
    request_seconds: float = 90.0
    is_away: Callable[[], bool] = lambda: False
    clock: Callable[[], float] = monotonic
    saved: SavedStarts = NothingSaved()  # noqa: RUF009 - it has no state
    on_reset: Callable[[Reset], None] = lambda _: None

    def limits(self) -> dict[Step, float]:
        """How long each step of a rebalance may take: a request that dies, and as long again as the
        end may take.
        """
        return {
            Step.LEAVING: self.drain_seconds + self.request_seconds + self.settle_seconds,
            Step.JOINING: 2 * self.request_seconds + self.settle_seconds,
            Step.SETTLING: self.settle_seconds,
        }


class WatchedConsumer(driver.Consumer):
    """Faust's Kafka consumer, watched: what it lacks to read in batches is in `BatchConsumer`."""

    _thread: FetchThread

    def __init__(
        self, transport: TransportT, *args: Any, options: BatchOptions, progress: Progress, **kwargs: Any
    ) -> None:
        self.options = options
        self.progress = progress
        self.book = BatchBook(self.options.batches_per_partition)
        self.settling = Settling(options.limits(), options.clock)
        self.places = ReadPlaces()
        self._failed = False
        self._finished = asyncio.Event()
        # Held while a seek and its new page belong together: no batch may be noted in between.
        self._seeking = asyncio.Lock()
        super().__init__(transport, *args, **kwargs)

    def fail(self) -> None:
        """An agent failed: what was not finished is never committed by this process."""
        self._failed = True
        self._finished.set()

    @override
    def verify_event_path(self, now: float, tp: TP) -> None:
        """Do nothing: Faust's check fails on partitions just revoked; `progress` replaces it."""

    @Service.task
    async def _watch_settling(self) -> None:
        async for _ in self.itertimer(SETTLE_POLL_SECONDS, name="settling"):
            waits = [each for each in self.progress.unplaced if each not in self.progress.leaderless]
            settled = self.flow_active and not waits
            if self.settling.is_overdue(settled=settled, away=self.options.is_away()) and not self.app.should_stop:
                self.fail()
                await self.crash(self.settling.error(waits))

    @Service.task
    async def _watch_progress(self) -> None:
        tick = 0
        async for _ in self.itertimer(self.options.watch_seconds / TICKS, name="progress"):
            tick += 1
            try:
                await self._thread.look_for_missing_topics()
                # What was just assigned is looked at sooner: a log is known only once its beginning
                # was seen.
                await self._see_beginnings(all_of_them=tick % TICKS == 0)
                if tick % TICKS == 0:
                    await self._see_ends()
            except (KafkaError, TimeoutError) as error:
                self.log.warning("the ends of the partitions are not known at the moment: %r", error)

    async def _see_ends(self) -> None:
        partitions = [TP(*partition) for partition in self.progress.partitions]
        if not partitions:
            return
        idle = {tp for tp in partitions if self.book.is_idle(tp)}
        places = await self._thread.whereabouts({tp: self.places.expected(tp) for tp in partitions})
        self.progress.leaderless = frozenset(partitions) - await self._thread.led(partitions)
        for tp in idle - {tp for tp, found in places.items() if found.position is not None}:
            if self.book.is_idle(tp):
                self.progress.lose(tp)
        for tp, found in places.items():
            # A position may pass records that are never handed over: an aborted transaction's.
            if found.position is not None and tp in idle and self.book.is_idle(tp):
                self.progress.move(tp, found.position)
                await self._pass_over(found)
            self.progress.see_end(tp, found.end)
            if found.fetched:
                self.places.see_end(tp, found.position, found.end)

    async def _pass_over(self, found: Whereabouts) -> None:
        """Commit behind offsets that hold no records, such as a transaction's marker.

        Not where a batch was fetched and is not noted yet, nor where the client jumped to the
        beginning: what was removed before must be told of.
        """
        async with self._seeking:
            expected = self.places.expected(found.tp)
            if expected is None or found.position is None or found.handed is None or found.beginning is None:
                return
            noted = self._thread.is_current(found) and found.handed <= expected < found.position
            if noted and found.beginning <= expected and self.book.is_idle(found.tp):
                self.places.stand(found.tp, found.position)
                self.book.pass_over(found.tp, found.position)

    async def _see_beginnings(self, *, all_of_them: bool) -> None:
        knows = self.places.starts.knows
        partitions = [TP(*each) for each in self.progress.partitions if all_of_them or not knows(each)]
        if not partitions:
            return
        for tp, beginning in (await self._thread.beginnings(partitions)).items():
            try:
                async with asyncio.timeout(SAVED_SECONDS):
                    await self._see_beginning(tp, beginning)
            except TimeoutError:
                continue  # the store is away; it is compared the next time

    async def _see_beginning(self, tp: TP, beginning: Beginning) -> None:
        starts, saved = self.places.starts, self.options.saved
        # Where nothing is committed, it is read from its beginning already.
        if not starts.knows(tp) and self.book.committed(tp) is not None:
            starts.recall(tp, await saved.load(*tp))
        async with self._seeking:
            if tp not in self.progress.partitions:
                return
            if starts.see(tp, beginning) or self.places.is_past_end(tp):
                await self._read_again(tp, beginning)
            elif skipped := self.places.removed_before(tp, beginning.offset):
                self._report(Reset(*tp, Change.REMOVED, beginning.offset, skipped))
        # After the first commit in this log: a worker that is killed before goes by what was saved
        # of the former one.
        if self.book.committed(tp) is not None and starts.is_unsaved(tp):
            await saved.save(*tp, beginning)
            starts.saved(tp)

    async def _read_again(self, tp: TP, beginning: Beginning) -> None:
        """The topic was made again. What was read of the new log meanwhile is known by its event
        ids.
        """
        await self._thread.seek_to(tp, beginning.offset)
        self.book.open(tp, None)
        self.places.start_again(tp, beginning)
        self.progress.restart(tp)
        self.progress.move(tp, beginning.offset)
        self._report(Reset(*tp, Change.MADE_AGAIN, beginning.offset))

    def _report(self, reset: Reset) -> None:
        self.log.warning("%s", reset)
        self.options.on_reset(reset)
