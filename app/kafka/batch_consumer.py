"""A Faust consumer that hands whole partition batches to agents, and commits what they finished.

Faust spends its time per message (two tasks, a decode, an Event and an ack each); a batch pays that
once. Topics that are not read in batches go Faust's usual way.
"""

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from aiokafka.errors import ConsumerStoppedError  # type: ignore[import-untyped]  # aiokafka ships no types
from faust.types import TP, Message
from faust.types.transports import TPorTopicSet
from mode.types import ServiceT
from typing_extensions import override

from app.kafka.batch_message import BatchMessage
from app.kafka.fetch_thread import FetchThread
from app.kafka.fetched import Fetched
from app.kafka.log_start import Change, Reset
from app.kafka.raw_batch import to_raw_batch
from app.kafka.settling import Step
from app.kafka.watched_consumer import WatchedConsumer
from models.contract.events import RawBatch

IDLE_FETCH_SECONDS = 1.0
# While one partition waits for room, the others may hold up its next batch for this long.
CROWDED_FETCH_SECONDS = 0.01


class BatchConsumer(WatchedConsumer):
    """Faust's Kafka consumer with a book of batches for the batched topics."""

    # What agents report

    def start_batch(self, message: BatchMessage) -> bool:
        """Whether the batch may be processed: False once its partition was revoked, or after an
        agent failed.

        After a failure nothing more may start: a later batch of the same partition would be stored
        as applied, and the failed one, read again after the restart, would then look like a repeat.
        """
        return not self._failed and self.book.start(message.ticket)

    def holds(self, batch: RawBatch) -> bool:
        """Whether an agent has the batch in work, and its partition is still ours."""
        return self.book.runs((batch.topic, batch.partition), int(batch.offsets[0]))

    async def owns(self, batch: RawBatch) -> bool:
        """Whether the group says now that the batch's partition is ours."""
        # Our partitions are given back before the group is joined again. So what is held after a
        # member was asked for, as which we got the partition, was ours at that moment.
        return self.holds(batch) and await self._thread.is_member() and self.holds(batch)

    def finish_batch(self, message: BatchMessage) -> None:
        """Commit the processed batch with the next commit, if its partition is still ours."""
        ticket = message.ticket
        if self.book.finish(ticket):
            self.progress.move(ticket.partition, ticket.next_offset)
        self._finished.set()

    def describe_running(self) -> str:
        """The batches in work, for a log line, such as `views-3 offsets 100 to 249`."""
        return ", ".join(
            f"{ticket.partition[0]}-{ticket.partition[1]} offsets {ticket.first} to {ticket.next_offset - 1}"
            for ticket in self.book.running()
        )

    # Fetching

    @override
    async def _drain_messages(self, fetcher: ServiceT) -> None:
        try:
            while not (self.should_stop or fetcher.should_stop):
                await self._fetch_and_deliver(fetcher)
        except (ConsumerStoppedError, asyncio.CancelledError) as error:
            if not self.app.should_stop:
                # Faust would take the cancellation for the end, and would never read again.
                raise RuntimeError("fetching from Kafka ended although nobody stopped the worker") from error

    async def _fetch_and_deliver(self, fetcher: ServiceT) -> None:
        if not self.flow_active:
            await self._wait_for(self.can_resume_flow)
            return
        active = self._get_active_partitions()
        wanted = {tp for tp in active if not self._is_batched(tp) or self.book.has_room(tp)}
        if not wanted:
            self._finished.clear()
            await self._wait_for(self._finished)
            return
        timeout = IDLE_FETCH_SECONDS if len(wanted) == len(active) else CROWDED_FETCH_SECONDS
        for fetched in await self._thread.fetch(wanted, timeout):
            await self._deliver(fetched, fetcher)

    async def _deliver(self, fetched: Fetched, fetcher: ServiceT) -> None:
        # A fetch that comes in while the flow is stopped must not be thrown away: its partition's
        # position has moved on. It is held until a rebalance or a seek has made it invalid, or the
        # flow goes on.
        while not self.flow_active and not (self.should_stop or fetcher.should_stop):
            await self._wait_for(self.can_resume_flow)
        if not self.flow_active or self.should_stop:
            return
        # The end is unknown just after a rebalance, and Faust's sensor cannot cope with None.
        if fetched.end is not None:
            self.app.monitor.track_tp_end_offset(fetched.tp, fetched.end)
        if self._is_batched(fetched.tp):
            await self._deliver_batch(fetched)
        else:
            await self._deliver_singly(fetched)

    async def _deliver_batch(self, fetched: Fetched) -> None:
        async with self._seeking:
            if not self._thread.is_current(fetched):
                return
            batch = self._noted(fetched)
            if self.book.is_idle(fetched.tp):
                # The watch may have seen the position move past this batch before it was noted.
                self.progress.move(fetched.tp, int(batch.offsets[0]))
            ticket = self.book.hand_over(fetched.tp, int(batch.offsets[0]), int(batch.offsets[-1]) + 1)
        message = BatchMessage(batch, ticket, self.app.consumer_generation_id)
        if self.flow_active and self.app.flow_control.is_active():
            # It waits for nothing then: the agent finds all batches of a fetch together.
            await self.callback(message)
        else:
            await self._send_on(message)

    def _noted(self, fetched: Fetched) -> RawBatch:
        """The records as a batch, with the name of its log where that cannot be told from the
        batch.
        """
        batch = to_raw_batch(fetched.tp.topic, fetched.tp.partition, fetched.records)
        if self.places.went_back(fetched.tp, batch):
            self.book.open(fetched.tp, None)
            self.progress.restart(fetched.tp)
            self._report(Reset(*fetched.tp, Change.MADE_AGAIN, int(batch.offsets[0])))
        return replace(batch, log=self.places.new_name(fetched.tp))

    async def _deliver_singly(self, fetched: Fetched) -> None:
        tp = fetched.tp
        for record in fetched.records:
            if not self._thread.is_current(fetched):
                return
            last = self._read_offset[tp]
            if last and record.offset - last > 1 and self.app.topics.acks_enabled_for(tp.topic):
                await self._add_gap(tp, last + 1, record.offset - 1)
            await self._send_on(self._to_message(tp, record))
            self._read_offset[tp] = record.offset

    async def _send_on(self, message: Message) -> None:
        await self.wait_first(self.callback(message), self.suspend_flow.wait())

    def _is_batched(self, tp: TP) -> bool:
        return tp.topic in self.options.topics

    async def _wait_for(self, event: asyncio.Event) -> None:
        try:
            await asyncio.wait_for(event.wait(), IDLE_FETCH_SECONDS)
        except TimeoutError:
            return

    # Rebalancing and seeking

    @override
    async def on_start(self) -> None:
        await super().on_start()
        self.progress.start_rebalance()
        self.settling.enter(Step.JOINING)

    @override
    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        # Faust waits for the agents and commits in here, so the pages are torn out only afterwards.
        self.settling.enter(Step.LEAVING)
        await super().on_partitions_revoked(revoked)
        self.settling.enter(Step.JOINING)
        self.book.close(revoked)
        self.progress.start_rebalance()

    @override
    async def on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        self.settling.enter(Step.SETTLING)
        self.progress.assign(tp for tp in assigned if self._is_batched(tp))
        self.places.forget()
        await super().on_partitions_assigned(assigned, generation_id)

    @override
    async def perform_seek(self) -> None:
        async with self._seeking:
            for tp, start in (await self._thread.rewind()).items():
                if self._is_batched(tp):
                    self.book.open(tp, start.committed)
                    if start.offset is not None:
                        self.places.stand(tp, start.offset)
                        self.progress.move(tp, start.offset)
                else:
                    self._read_offset[tp] = start.committed
                    self._committed_offset[tp] = start.committed or None

    @override
    async def seek(self, partition: TP, offset: int) -> None:
        if not self._is_batched(partition):
            await super().seek(partition, offset)
            return
        async with self._seeking:
            await self._thread.seek_to(partition, offset)
            self.book.open(partition, self.book.committed(partition))
            self.places.stand(partition, offset)
            self.progress.move(partition, offset)

    @override
    async def wait_empty(self) -> None:
        try:
            async with asyncio.timeout(self.options.drain_seconds):
                while self.book.running() and not self._failed and not self.should_stop:
                    self._finished.clear()
                    await self._wait_for(self._finished)
        except TimeoutError:
            self.log.warning("not waiting any longer for %s; they will be read again", self.book.running())
        await super().wait_empty()

    # Committing

    @override
    def _filter_tps_with_pending_acks(self, topics: TPorTopicSet | None = None) -> Iterator[TP]:
        yield from super()._filter_tps_with_pending_acks(topics)
        for tp in (TP(*partition) for partition in self.book.committable()):
            if topics is None or tp in topics or tp.topic in topics:
                yield tp

    @override
    def _new_offset(self, tp: TP) -> int | None:
        return self.book.committable().get(tp) if self._is_batched(tp) else super()._new_offset(tp)

    @override
    def _should_commit(self, tp: TP, offset: int) -> bool:
        return True if self._is_batched(tp) else super()._should_commit(tp, offset)

    @override
    async def _commit_offsets(self, offsets: Mapping[TP, int], start_new_transaction: bool = True) -> bool:
        assignment = self.assignment()
        ours: dict[TP, int] = {tp: offset for tp, offset in offsets.items() if tp in assignment}
        pages = self.book.pages(ours)
        committed = await super()._commit_offsets(ours, start_new_transaction)
        if committed:
            self.book.confirm({page: ours[TP(*tp)] for tp, page in pages.items()})
        return committed

    @override
    async def create_topic(self, topic: str, partitions: int, replication: int, **options: Any) -> None:
        if self.app.conf.topic_allow_declare:
            await super().create_topic(topic, partitions, replication, **options)

    @override
    def _new_consumer_thread(self) -> FetchThread:
        thread = FetchThread(self, loop=self.loop, beacon=self.beacon)
        thread.batched = self.options.topics
        return thread
