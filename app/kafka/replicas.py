"""The views of the log that every worker holds whole: reads all partitions of some topics, outside
any group.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from time import monotonic

from aiokafka import ConsumerRecord, TopicPartition  # type: ignore[import-untyped]  # ships no types

from app.concerns import KafkaSettings
from app.kafka.clients import make_consumer
from app.kafka.consumer_stop import stop_consumer
from app.kafka.fetch_thread import find_beginnings
from app.kafka.fetch_wait import LONG_POLL_MS, adapt_wait
from app.kafka.log_end import fetched_end, log_ends
from app.kafka.log_mark import Mark, find_difference, mark_after
from app.kafka.log_start import Beginning, Change, LogStarts, Reset
from app.kafka.own_records import OwnRecords
from app.kafka.progress import Progress
from app.kafka.raw_batch import keep_parsed, to_raw_batch
from app.kafka.unreadable import explained
from app.retry import Retry
from models.bounded import parts
from models.contract.events import RawBatch

POLL_MILLISECONDS = 200
RECORDS_AT_ONCE = 1000  # of items with texts, they take 10 to 20 ms
COMPARE_SECONDS = 60.0

logger = logging.getLogger(__name__)

Handle = Callable[[RawBatch], None]


class KafkaReplicas:
    """Feeds each topic's records, batch by batch, to its follower; the `Replicas` port for the
    agents.
    """

    def __init__(
        self,
        settings: KafkaSettings,
        followers: Mapping[str, Handle],
        partitions: Mapping[str, int],
        retry: Retry,
        *,
        not_saved: Collection[str] = (),
        own: Mapping[str, OwnRecords] | None = None,
        on_reset: Callable[[Reset], None] = lambda _: None,
    ) -> None:
        """`followers` and `partitions` (their number) by topic name; no snapshot holds what
        `not_saved` say.

        `own` are, by topic, the records that this process appends, which its follower need not see.
        `on_reset` is told when a topic was made again and is read from its beginning.
        """
        self._on_reset = on_reset
        self._starts = LogStarts()
        self._followers = followers
        self._retry = retry
        self._not_saved = not_saved
        self._own = own or {}
        self._partitions = [TopicPartition(topic, number) for topic in followers for number in range(partitions[topic])]
        self._positions: dict[TopicPartition, int] = {}
        self._marks: dict[TopicPartition, Mark] = {}
        self._assignments = 1
        self._reached = 0
        self._catching_up = asyncio.Lock()
        self.before_first: Callable[[Collection[tuple[str, int]]], Awaitable[None]] = _do_nothing
        self._moved = asyncio.Condition()
        self.progress = Progress(monotonic)
        self._consumer = make_consumer(
            settings,
            auto_offset_reset="earliest",
            fetch_max_wait_ms=LONG_POLL_MS,
            max_partition_fetch_bytes=settings.max_message_bytes,
            max_poll_records=5 * settings.fetch_max_records,
        )

    def partitions_assigned(self) -> None:
        """This worker may have taken over users: what their last worker emitted must be learned
        first.
        """
        self._assignments += 1

    @property
    def behind(self) -> bool:
        """True until the log is learned as far as it went when partitions were last assigned."""
        return self._reached < self._assignments

    async def start(self) -> None:
        """Connect and find the beginning of each partition."""
        await self._retry(self._consumer.start)
        keep_parsed(self._consumer, self._followers)
        adapt_wait(self._consumer)
        self._consumer.assign(self._partitions)
        self.progress.assign(self._partitions)
        for partition in self._partitions:
            self._positions[partition] = await self._consumer.position(partition)

    def marks(self) -> dict[TopicPartition, Mark]:
        """How far each partition is learned that snapshots hold; none for those of which nothing
        was.
        """
        return {place: mark for place, mark in self._marks.items() if place.topic not in self._not_saved}

    async def resume(self, marks: Mapping[TopicPartition, Mark]) -> str:
        """Before `run`: read on from marks of an earlier run, or say why not and read from the
        beginning.
        """
        strangers = marks.keys() - set(self._partitions)
        difference = f"{strangers.pop()} is not read" if strangers else await self._compare(marks)
        if difference:
            for partition in self._partitions:
                self._consumer.seek(partition, self._positions[partition])
        else:
            self._marks.update(marks)
            self._positions.update({partition: mark.position for partition, mark in marks.items()})
        return difference

    async def run(self) -> None:
        """Read for ever; ends only by being cancelled, or by a bug in a follower."""
        while True:
            with explained(self._consumer):
                fetched = await self._consumer.getmany(timeout_ms=POLL_MILLISECONDS)
            for partition, records in fetched.items():
                for part in parts(len(records), RECORDS_AT_ONCE):
                    self._follow(partition, records[part])
                    position = self._positions[partition]
                    await asyncio.sleep(0)  # probes and agents go on while a long log is read
                    if self._positions[partition] != position:
                        break  # the topic was made again: the rest is of the old one
            if not fetched:
                # A transaction's markers have offsets, but are no records.
                for partition in self._partitions:
                    position = await self._consumer.position(partition)
                    self._notice_a_jump(partition, position)
                    self._positions[partition] = position
            for partition, position in self._positions.items():
                self.progress.move(partition, position)
            async with self._moved:
                self._moved.notify_all()

    def _follow(self, partition: TopicPartition, records: Sequence[ConsumerRecord]) -> None:
        self._notice_a_jump(partition, records[0].offset)
        own = self._own.get(partition.topic)
        others = own.without(partition.partition, records) if own is not None else records
        if others:
            self._followers[partition.topic](to_raw_batch(partition.topic, partition.partition, others))
        self._positions[partition] = records[-1].offset + 1
        self._marks[partition] = mark_after(records[-1])

    def _notice_a_jump(self, partition: TopicPartition, offset: int) -> None:
        # In a log that was made again, the client goes to the beginning if the offset is not there.
        if offset < self._positions[partition]:
            self._starts.forget([partition])
            self._note_made_again(partition, offset)

    async def see_ends(self) -> None:
        """Ask every broker that leads a partition where it ends. Raises KafkaError and OSError."""
        for partition, end in (await log_ends(self._consumer, self._partitions)).items():
            self.progress.see_end(partition, end)
        for partition, beginning in (await find_beginnings(self._consumer, self._partitions)).items():
            if self._starts.see(partition, beginning) or self._is_past_end(partition):
                self._read_again(partition, beginning)

    def _is_past_end(self, partition: TopicPartition) -> bool:
        end = fetched_end(self._consumer, partition)
        return end is not None and self._positions[partition] > end

    def _read_again(self, partition: TopicPartition, beginning: Beginning) -> None:
        self._consumer.seek(partition, beginning.offset)
        self._positions[partition] = beginning.offset
        self._note_made_again(partition, beginning.offset)

    def _note_made_again(self, partition: TopicPartition, offset: int) -> None:
        self._marks.pop(partition, None)
        if partition.topic in self._own:
            self._own[partition.topic].forget(partition.partition)
        reset = Reset(partition.topic, partition.partition, Change.MADE_AGAIN, offset)
        logger.warning("%s", reset)
        self._on_reset(reset)

    async def stop(self) -> None:
        """Disconnect."""
        await stop_consumer(self._consumer, self._consumer.stop)

    async def caught_up(self) -> None:
        """Return once everything is learned that was in the log when partitions were last
        assigned.

        Once for each assignment, before anybody returns, `before_first` is told which partitions
        had no record ever.
        """
        async with self._catching_up:
            while self.behind:
                assignments = self._assignments
                ends = await self._retry(lambda: log_ends(self._consumer, self._partitions))
                await self._reach(ends)
                await self.before_first([partition for partition, end in ends.items() if end == 0])
                self._reached = assignments

    async def _compare(self, marks: Mapping[TopicPartition, Mark]) -> str:
        try:
            async with asyncio.timeout(COMPARE_SECONDS):
                return await self._retry(lambda: find_difference(self._consumer, marks))
        except TimeoutError:
            return f"Kafka did not give the records to compare it with within {COMPARE_SECONDS:g} s"

    async def _reach(self, ends: Mapping[TopicPartition, int]) -> None:
        async with self._moved:
            await self._moved.wait_for(lambda: all(self._positions[each] >= end for each, end in ends.items()))


async def _do_nothing(_: object) -> None:
    return
