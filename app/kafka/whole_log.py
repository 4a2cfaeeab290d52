"""Reads all partitions of a topic from their beginning, outside any group."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Collection, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiokafka import AIOKafkaConsumer, TopicPartition  # type: ignore[import-untyped]  # ships no types

from app.concerns import KafkaSettings
from app.errors import HeadraceError
from app.kafka.clients import make_consumer
from app.kafka.consumer_stop import stop_consumer
from app.kafka.failure import KafkaAway, as_kafka_away
from app.kafka.listed import listed_partitions
from app.kafka.log_end import fetched_end, log_ends, true_end
from app.kafka.login_fault import kafka_away
from app.kafka.raw_batch import keep_parsed, to_raw_batch
from app.kafka.unreadable import explained
from models.contract.events import RawBatch

POLL_MILLISECONDS = 200
READ_AT_ONCE = 10_000


@dataclass(slots=True)
class WholeLog:
    """The `InteractionLog` port on Kafka. `progress` is told how much of the log was read, 0 to 1.

    Every method raises HeadraceError when Kafka does not answer.
    """

    consumer: AIOKafkaConsumer
    places: list[TopicPartition]
    begins: dict[TopicPartition, int]
    progress: Callable[[float], None]
    _positions: dict[TopicPartition, int] = field(init=False)

    def __post_init__(self) -> None:
        self.rewind()

    @property
    def is_whole(self) -> bool:
        """False when records were removed from the beginning of a partition, or are passed over."""
        return not any(self.begins.values())

    async def skip_to_newest(self, count: int) -> None:
        """Pass over all but about the newest `count` records of each partition."""
        with as_kafka_away():
            ends = await log_ends(self.consumer, self.places)
        self.begins = {place: max(begin, ends[place] - count) for place, begin in self.begins.items()}
        self.rewind()

    async def partitions_of(self, topics: Iterable[str]) -> set[tuple[str, int]]:
        """Return the partitions that exist of these topics, which are named with their prefix."""
        with as_kafka_away():
            return {(place.topic, place.partition) for place in await listed_partitions(self.consumer, topics)}

    def rewind(self) -> None:
        """Begin again at the beginning, or where `skip_to_newest` led to."""
        self._positions = dict(self.begins)
        for place, begin in self.begins.items():
            self.consumer.seek(place, begin)

    async def read(self) -> AsyncGenerator[RawBatch, None]:
        """Yield what follows what was read before, up to the end as it is now."""
        with as_kafka_away():
            answered = await log_ends(self.consumer, self.places)
            ends: dict[TopicPartition, int] = {}
            while any(self._positions[place] < ends.get(place, 1 << 62) for place in self.places):
                with explained(self.consumer):
                    fetched = await self.consumer.getmany(timeout_ms=POLL_MILLISECONDS)
                for place in self.places:
                    if place not in ends and (end := fetched_end(self.consumer, place)) is not None:
                        ends[place] = true_end(answered[place], end)
                for place, records in fetched.items():
                    yield to_raw_batch(place.topic, place.partition, records)
                for place in self.places:
                    # a position may pass records that are never handed over: a transaction's marker
                    self._positions[place] = await self.consumer.position(place)
                self._tell(answered | ends)

    def _tell(self, ends: dict[TopicPartition, int]) -> None:
        total = sum(max(0, end - self.begins[place]) for place, end in ends.items())
        done = sum(position - self.begins[place] for place, position in self._positions.items())
        self.progress(min(1.0, done / total) if total else 1.0)


@asynccontextmanager
async def whole_log(
    settings: KafkaSettings,
    name: str,
    progress: Callable[[float], None],
    *,
    partitions: Collection[int] | None = None,
    at_once: int = READ_AT_ONCE,
    newest: int | None = None,
) -> AsyncIterator[WholeLog]:
    """Open a topic of Headrace, `name` without its prefix, or some of its partitions.

    A batch has at most `at_once` records. With `newest`, about that many records at the end of each
    partition are read, and no others.

    Raises HeadraceError when Kafka does not answer, or has no such topic.
    """
    topic = settings.topic_prefix + name
    consumer = make_consumer(
        settings,
        auto_offset_reset="earliest",
        fetch_max_wait_ms=POLL_MILLISECONDS,
        max_partition_fetch_bytes=settings.max_message_bytes,
        max_poll_records=at_once,
    )
    try:
        log = await _open(consumer, settings, topic, progress, partitions)
        if newest is not None:
            await log.skip_to_newest(newest)
        yield log
    except KafkaAway as error:
        raise await kafka_away(settings, error, "") from error
    finally:
        await stop_consumer(consumer, consumer.stop)


async def _open(
    consumer: AIOKafkaConsumer,
    settings: KafkaSettings,
    topic: str,
    progress: Callable[[float], None],
    partitions: Collection[int] | None,
) -> WholeLog:
    with as_kafka_away():
        await consumer.start()
        keep_parsed(consumer, [topic])
        places = await listed_partitions(consumer, [topic])
        if not places:
            raise HeadraceError(
                f"Kafka at {settings.bootstrap} has no topic {topic}: check HEADRACE_KAFKA_TOPIC_PREFIX; "
                "the first worker creates the topics"
            )
        if partitions is not None:
            places = [place for place in places if place.partition in partitions]
        consumer.assign(places)
        return WholeLog(consumer, places, dict(await consumer.beginning_offsets(places)), progress)
