"""The thread that talks to Kafka: whole partition batches, each tagged with the assignment and seek
it belongs to.
"""

import asyncio
from collections import Counter
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from aiokafka.errors import (  # type: ignore[import-untyped]  # aiokafka ships no types
    KafkaError,
    NoError,
    RebalanceInProgressError,
)
from aiokafka.protocol.group import HeartbeatRequest  # type: ignore[import-untyped]  # aiokafka ships no types
from faust.transport.drivers import aiokafka as driver
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread, ensure_aiokafka_TP
from faust.types import TP
from mode.threads import ServiceThread, WorkerThread
from typing_extensions import override

from app.kafka.clients import ISOLATION
from app.kafka.consumer_stop import stop_consumer
from app.kafka.fetch_wait import LONG_POLL_MS, adapt_wait
from app.kafka.fetched import Fetched, Start, Whereabouts
from app.kafka.log_end import true_end
from app.kafka.log_start import Beginning
from app.kafka.raw_batch import keep_parsed
from app.kafka.unreadable import explained

STARTING_POLL_SECONDS = 0.01
MEMBER_SECONDS = 5.0
THREAD_END_SECONDS = 1.0  # once its services have ended

T = TypeVar("T", bound=tuple[str, int])


async def find_beginnings(consumer: Any, partitions: Iterable[T]) -> dict[T, Beginning]:
    """The first record of each partition that has one and a leader. Raises KafkaError and
    TimeoutError.
    """
    # The first record since 1970 is the first; the answer has its time, too, where that of
    # `beginning_offsets` has not.
    asked = {ensure_aiokafka_TP(TP(*tp)): 0 for tp in partitions if has_leader(consumer, tp)}
    answers = await consumer.offsets_for_times(asked) if asked else {}
    found = {TP(*tp): answer for tp, answer in answers.items() if answer is not None and answer.timestamp >= 0}
    return {tp: Beginning(found[TP(*tp)].offset, found[TP(*tp)].timestamp) for tp in partitions if TP(*tp) in found}


def has_leader(consumer: Any, partition: tuple[str, int]) -> bool:
    """Whether a broker leads the partition, as far as is known; if not, the cluster is asked
    soon.
    """
    leader = consumer._client.cluster.leader_for_partition(ensure_aiokafka_TP(TP(*partition)))
    if leader is None or leader == -1:
        consumer._client.force_metadata_update()
        return False
    return True


class FetchWorker(WorkerThread):
    """A thread that does not keep the process alive: a worker that failed has to end, whatever
    Kafka does.
    """

    def __init__(self, service: ServiceThread) -> None:
        super().__init__(service)
        self.daemon = True

    @override
    def stop(self) -> None:
        # mode would wait for ever, and with it everything else on the event loop that called this.
        self.is_stopped.wait(THREAD_END_SECONDS)


class FetchThread(AIOKafkaConsumerThread):
    """Faust's consumer thread, which can tell a fetch that is still valid from one that a rebalance
    or seek overtook.

    Tags and seeks are made on this thread without a pause in between, so a batch is either read
    before a seek and carries the old number, or after it and carries the new one. `batched` are the
    topics whose records are turned into columns.
    """

    batched: Container[str] = ()

    @override
    def __post_init__(self) -> None:
        super().__post_init__()
        self._seeks: Counter[TP] = Counter()
        self._handed: dict[TP, int] = {}

    Worker = FetchWorker

    @override
    async def on_start(self) -> None:
        await super().on_start()
        keep_parsed(self._consumer, self.batched)
        adapt_wait(self._consumer)

    @override
    async def stop(self) -> None:
        # mode neither stops a thread that is just starting, which would run for ever, nor frees one
        # never started.
        if self._thread is None:
            self.thread_loop.close()
            return
        while not self._started.is_set() and self._thread.is_alive():
            await asyncio.sleep(STARTING_POLL_SECONDS)
        await super().stop()

    @override
    async def on_thread_stop(self) -> None:
        await stop_consumer(self._consumer, super().on_thread_stop)

    @override
    def _create_worker_consumer(self, transport: driver.Transport) -> Any:
        consumer = super()._create_worker_consumer(transport)
        consumer._fetch_max_wait_ms = LONG_POLL_MS
        consumer._isolation_level = ISOLATION  # Faust sets it only with transactions of its own
        return consumer

    async def fetch(self, partitions: set[TP], timeout: float) -> list[Fetched]:
        """What has arrived for these partitions, waiting up to `timeout` seconds for the first
        record.
        """
        fetched: list[Fetched] = await self.call_thread(self._fetch, partitions, timeout)
        return fetched

    def is_current(self, fetched: Fetched | Whereabouts) -> bool:
        """Whether neither a rebalance nor a seek came between fetching or looking and now."""
        return fetched.assignment is self._assignment() and fetched.seek == self._seeks[fetched.tp]

    async def rewind(self) -> dict[TP, Start]:
        """Seek every assigned partition to its committed offset, or to its beginning where nothing
        is committed.
        """
        starts: dict[TP, Start] = await self.call_thread(self._rewind)
        return starts

    async def seek_to(self, tp: TP, offset: int) -> None:
        """Seek one partition."""
        await self.call_thread(self._seek_now, {tp: offset})

    async def whereabouts(self, expected: Mapping[TP, int | None]) -> dict[TP, Whereabouts]:
        """Position and end of those of the partitions that are still assigned. Raises KafkaError
        and TimeoutError.

        `expected` is the offset that the reader waits for, by partition.
        """
        found: dict[TP, Whereabouts] = await self.call_thread(self._whereabouts, expected)
        return found

    async def led(self, partitions: Sequence[TP]) -> set[TP]:
        """Those of the partitions that a broker leads, as far as is known."""
        found: set[TP] = await self.call_thread(self._led, partitions)
        return found

    async def is_member(self) -> bool:
        """Whether the group's coordinator says now that the assignment of this member holds."""
        found: bool = await self.call_thread(self._is_member)
        return found

    async def _is_member(self) -> bool:
        coordinator = self._ensure_consumer()._coordinator
        heartbeat = HeartbeatRequest(coordinator.group_id, coordinator.generation, coordinator.member_id)
        try:
            # A connection may be dead. While this waits, the thread does little else.
            async with asyncio.timeout(MEMBER_SECONDS):
                answer = await coordinator._send_req(heartbeat)
        except (KafkaError, TimeoutError):
            return False
        # While a group prepares a rebalance, the assignments of its present members hold.
        return answer.error_code in (NoError.errno, RebalanceInProgressError.errno)

    async def _led(self, partitions: Sequence[TP]) -> set[TP]:
        return {tp for tp in partitions if has_leader(self._ensure_consumer(), tp)}

    async def look_for_missing_topics(self) -> None:
        """Ask the cluster again for topics that it did not list, as one that is being made again.

        When it lists them, the group's leader hands their partitions out. Without this, the client
        would ask after 5 minutes.
        """
        await self.call_thread(self._look_for_missing_topics)

    async def _look_for_missing_topics(self) -> None:
        consumer = self._ensure_consumer()
        known = consumer._client.cluster.partitions_for_topic
        if not all(known(topic) for topic in consumer.subscription()):
            consumer._client.force_metadata_update()

    async def beginnings(self, partitions: Sequence[TP]) -> dict[TP, Beginning]:
        """The first record of those of the partitions that have one. Raises KafkaError and
        TimeoutError.
        """
        found: dict[TP, Beginning] = await self.call_thread(self._beginnings, partitions)
        return found

    async def _beginnings(self, partitions: Sequence[TP]) -> dict[TP, Beginning]:
        return await find_beginnings(self._ensure_consumer(), partitions)

    async def _fetch(self, partitions: set[TP], timeout: float) -> list[Fetched]:
        consumer = self._ensure_consumer()
        with explained(consumer):
            records = await self._fetch_records(
                consumer, partitions, timeout=timeout, max_records=consumer._max_poll_records
            )
        # Without a pause since the positions moved: whoever looks sees both.
        self._handed |= {TP(*tp): batch[-1].offset + 1 for tp, batch in records.items()}
        assignment = self._assignment()
        return [
            Fetched(TP(*tp), batch, assignment, self._seeks[TP(*tp)], self._end(assignment, tp))
            for tp, batch in records.items()
        ]

    async def _rewind(self) -> dict[TP, Start]:
        consumer = self._ensure_consumer()
        partitions = [TP(*tp) for tp in sorted(consumer.assignment())]
        answers = await asyncio.gather(*(consumer.committed(ensure_aiokafka_TP(tp)) for tp in partitions))
        committed: dict[TP, int | None] = dict(zip(partitions, answers, strict=True))
        fresh = [tp for tp, offset in committed.items() if offset is None]
        # One partition without a leader must not hold up the others; the client finds its beginning
        # once it has one.
        led = [ensure_aiokafka_TP(tp) for tp in fresh if has_leader(consumer, tp)]
        beginnings = await consumer.beginning_offsets(led) if led else {}
        beginnings |= {tp: offset for tp, offset in committed.items() if offset is not None}
        starts = {tp: Start(beginnings.get(tp), offset) for tp, offset in committed.items()}
        await self._seek_now({tp: start.offset for tp, start in starts.items() if start.offset is not None})
        return starts

    async def _seek_now(self, offsets: Mapping[TP, int]) -> None:
        consumer = self._ensure_consumer()
        assigned = consumer.assignment()
        for tp, offset in offsets.items():
            if tp in assigned:
                consumer.seek(ensure_aiokafka_TP(tp), offset)
                self._seeks[tp] += 1
                self._handed[tp] = offset

    async def _whereabouts(self, expected: Mapping[TP, int | None]) -> dict[TP, Whereabouts]:
        # The broker is asked, because the ends that come with fetches stop coming when fetching
        # stops.
        consumer = self._ensure_consumer()
        led = [ensure_aiokafka_TP(tp) for tp in expected if has_leader(consumer, tp)]
        asked: dict[TP, int] = await consumer.end_offsets(led) if led else {}
        assignment = self._assignment()
        found = {}
        for tp, end in asked.items():
            state = assignment.state_value(ensure_aiokafka_TP(tp)) if assignment is not None else None
            if state is not None:
                position = state.position if state.has_valid_position else None
                ours, lso = TP(*tp), state.lso
                handed, seek = self._handed.get(ours), self._seeks[ours]
                found[ours] = Whereabouts(ours, position, true_end(end, lso), lso is not None, handed, assignment, seek)
        further = [tp for tp, at in found.items() if (at.position or 0) > (expected[tp] or 0)]
        # Asked for after the positions were taken: a jump to the beginning shows in the answer.
        beginnings = await consumer.beginning_offsets([ensure_aiokafka_TP(tp) for tp in further]) if further else {}
        return found | {TP(*tp): replace(found[TP(*tp)], beginning=offset) for tp, offset in beginnings.items()}

    def _assignment(self) -> Any:
        consumer = self._ensure_consumer()
        subscription = consumer._subscription.subscription
        return subscription.assignment if subscription is not None else None

    @staticmethod
    def _end(assignment: Any, tp: Any) -> int | None:
        state = assignment.state_value(tp) if assignment is not None else None
        return state.lso if state is not None else None
