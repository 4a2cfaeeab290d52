"""Writes Headrace's topics: whole batches at a time, and nothing returns before the broker has
them.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from aiokafka import AIOKafkaProducer  # type: ignore[import-untyped]  # ships no types
from aiokafka.errors import (  # type: ignore[import-untyped]  # ships no types
    KafkaError,
    MessageSizeTooLargeError,
    RecordListTooLargeError,
)

from app.concerns import KafkaSettings
from app.kafka.clients import make_producer
from app.kafka.own_records import OwnRecords
from app.kafka.topics import QUARANTINE_HEADROOM_BYTES, Topics
from app.retry import Retry
from models.contract.forgetting import Copied, forgotten_headers
from models.contract.formats import QUARANTINE, header
from models.contract.moved import Moved
from models.contract.outcome import Rejected
from models.quality.assessment import Assessment, encode_headers

Headers = list[tuple[str, bytes]]
Record = tuple[bytes | None, bytes | None, Headers]

# Below the usual max.message.bytes of a topic; a record larger than this travels alone. Where a
# topic takes less, a batch is halved until it fits.
BATCH_BYTES = 524_288
TOO_LARGE = (MessageSizeTooLargeError, RecordListTooLargeError)
MAX_DETAIL_CHARACTERS = 500


class RecordTooLarge(KafkaError):  # type: ignore[misc]  # the class has no types
    """A topic takes no record as large as this one; it is sent again until the topic does."""

    def __init__(self, topic: str, size: int) -> None:
        super().__init__(f"{topic} takes no record of {size:,} bytes: raise max.message.bytes of the topic")


def make_batch_producer(settings: KafkaSettings) -> AIOKafkaProducer:
    """A producer for batches; `acks=all`, so that what is committed later cannot be lost."""
    size = settings.max_message_bytes + QUARANTINE_HEADROOM_BYTES
    return make_producer(settings, acks="all", max_batch_size=BATCH_BYTES, max_request_size=2 * size)


@dataclass(frozen=True, slots=True)
class KafkaOutbox:
    """The `Outbox` port on Kafka.

    Records of a batch go to the partition number that they came from: what is about one user stays
    in one place and in order, and no key has to be hashed. `own` gets to know the interactions that
    were appended.
    """

    producer: AIOKafkaProducer
    topics: Topics
    retry: Retry
    own: OwnRecords = field(default_factory=OwnRecords)

    async def start(self) -> None:
        """Connect, however long Kafka is away."""
        await self.retry(self.producer.start)

    async def stop(self) -> None:
        """Send what is on its way, and disconnect."""
        await self.producer.stop()

    async def interactions(self, partition: int, keys: Sequence[str], values: Sequence[bytes]) -> None:
        """Append accepted events to the partition with the number that they came from."""
        records = [(key.encode(), value, NO_HEADERS) for key, value in zip(keys, values, strict=True)]
        await self._append(self.topics.interactions, partition, records)

    async def forgotten(self, partition: int, sessions: Mapping[str, Collection[int]]) -> None:
        """Append to `interactions` that these users are forgotten."""
        records: list[Record] = [(user.encode(), None, forgotten_headers(each)) for user, each in sessions.items()]
        await self._append(self.topics.interactions, partition, records)

    async def append_again(self, partition: int, copied: Sequence[Copied]) -> int:
        """Append records that are in `interactions` already, each with its time. Returns the first
        one's offset, or -1 if they do not stand one after the other.
        """
        return await self.retry(lambda: self._send_again(partition, copied))

    async def recommendations(self, partition: int, lists: Mapping[str, bytes | None]) -> None:
        """Append lists, keyed by user; None says that the user is forgotten."""
        records = [(user.encode(), value, NO_HEADERS) for user, value in lists.items()]
        await self._append(self.topics.recommendations, partition, records)

    async def vectors(self, partition: int, assessed: Mapping[str, Assessment | None]) -> None:
        """Append what the models say of items, keyed by item; None deletes."""
        records = [_assessment(item_id, said) for item_id, said in assessed.items()]
        await self._append(self.topics.vectors, partition, records)

    async def move(self, moved: Sequence[Moved]) -> None:
        """Append events to `moved`, each to the partition of its user, with its origin in the
        headers.
        """
        by_home: dict[int, list[Record]] = {}
        for each in moved:
            by_home.setdefault(each.home, []).append((each.user_id.encode(), each.value, each.headers()))
        for home, records in by_home.items():
            await self._append(self.topics.moved, home, records)

    async def quarantine(self, rejected: Sequence[Rejected]) -> None:
        """Append what could not be accepted, its bytes untouched, its reason in the headers."""
        by_partition: dict[int, list[Record]] = {}
        for each in rejected:
            by_partition.setdefault(each.partition, []).append((each.key, each.value, _headers(each)))
        for partition, records in by_partition.items():
            await self._append(self.topics.quarantine, partition, records)

    async def ranker(self, records: Mapping[bytes, bytes]) -> None:
        """Append weights of the learned ranker to the topic's only partition."""
        await self._append(self.topics.ranker, 0, [(key, value, NO_HEADERS) for key, value in records.items()])

    async def _append(self, topic: str, partition: int, records: Sequence[Record]) -> None:
        waiting = list(records)
        if waiting:
            await self.retry(lambda: self._send(topic, partition, waiting))

    async def _send(self, topic: str, partition: int, waiting: list[Record]) -> None:
        """Append the records, and take those out of `waiting` that the broker has."""
        known = await self.producer.partitions_for(topic)
        target, at_once = partition % len(known), len(waiting)
        while waiting:
            batch = next(self._batches((*record, None) for record in islice(waiting, at_once)))
            count = batch.record_count()
            try:
                # One after the other: a reader takes what comes behind a later offset for a repeat.
                await self._send_batch(batch, topic, target)
            except TOO_LARGE as error:
                if count == 1:
                    raise RecordTooLarge(topic, batch.size()) from error
                at_once = count // 2
            else:
                del waiting[:count]

    async def _send_again(self, partition: int, copied: Sequence[Copied]) -> int:
        first = reached = -1
        for batch in self._batches(copied):
            offset = await self._send_batch(batch, self.topics.interactions, partition)
            if reached not in (-1, offset):
                return -1
            first = offset if first < 0 else first
            reached = offset + batch.record_count()
        return first

    async def _send_batch(self, batch: Any, topic: str, partition: int) -> int:
        count = batch.record_count()
        offset: int = (await (await self.producer.send_batch(batch, topic, partition=partition))).offset
        if topic == self.topics.interactions:
            self.own.note(partition, offset, count)
        return offset

    def _batches(self, records: Iterable[tuple[bytes | None, bytes | None, Headers, int | None]]) -> Iterator[Any]:
        batch = self.producer.create_batch()
        for key, value, headers, time in records:
            if batch.append(key=key, value=value, timestamp=time, headers=headers) is None:
                yield batch
                batch = self.producer.create_batch()
                batch.append(key=key, value=value, timestamp=time, headers=headers)
        yield batch


NO_HEADERS: Headers = []


def _assessment(item_id: str, said: Assessment | None) -> Record:
    return (
        (item_id.encode(), None, NO_HEADERS) if said is None else (item_id.encode(), said.vector, encode_headers(said))
    )


def _headers(rejected: Rejected) -> Headers:
    return [
        ("reason", rejected.reason.encode()),
        ("detail", rejected.detail[:MAX_DETAIL_CHARACTERS].encode()),
        ("source-topic", rejected.topic.encode()),
        ("source-partition", str(rejected.partition).encode()),
        ("source-offset", str(rejected.offset).encode()),
        header(QUARANTINE),
    ]
