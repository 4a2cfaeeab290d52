"""Topics that every worker reads whole: caught up before the first batch, then followed."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import pytest
from builders import NOW
from prometheus_client import CollectorRegistry

from agents.metrics import Metrics
from app.concerns import KafkaSettings
from app.health import Health
from app.kafka.failure import kafka_retry_errors
from app.kafka.outbox import KafkaOutbox, make_batch_producer
from app.kafka.replicas import KafkaReplicas
from app.kafka.topics import create_topics, topics
from app.retry import Retry
from models.contract.events import RawBatch

DEADLINE_SECONDS = 20


@dataclass
class Follower:
    """Keeps every batch, until it is broken."""

    batches: list[RawBatch] = field(default_factory=list)
    broken: bool = False

    def handle(self, batch: RawBatch) -> None:
        if self.broken:
            raise RuntimeError("a bug in the follower")
        self.batches.append(batch)

    def values(self) -> set[bytes | None]:
        return {value for batch in self.batches for value in batch.values}


@dataclass
class Log:
    """The topics of a shop, and two followers of them."""

    kafka: KafkaSettings
    partitions: dict[str, int]
    outbox: KafkaOutbox
    items: Follower = field(default_factory=Follower)
    interactions: Follower = field(default_factory=Follower)

    def replicas(self) -> KafkaReplicas:
        names = topics(self.kafka)
        followers = {names.items: self.items.handle, names.interactions: self.interactions.handle}
        return KafkaReplicas(self.kafka, followers, self.partitions, self.outbox.retry)

    async def add(self, *values: bytes, partition: int = 0) -> None:
        await self.outbox.interactions(partition, ["u1"] * len(values), values)

    async def add_item(self, key: bytes, value: bytes | None) -> None:
        await self.outbox.producer.send_and_wait(topics(self.kafka).items, value, key=key)


@pytest.fixture
async def log(kafka: KafkaSettings) -> AsyncIterator[Log]:
    partitions = await create_topics(kafka)
    producer = make_batch_producer(kafka)
    await producer.start()
    retry = Retry("Kafka", kafka_retry_errors(), Health(), Metrics(CollectorRegistry()).retries)
    yield Log(kafka, partitions, KafkaOutbox(producer, topics(kafka), retry))
    await producer.stop()


@asynccontextmanager
async def running(replicas: KafkaReplicas) -> AsyncIterator[asyncio.Task[None]]:
    await replicas.start()
    task = asyncio.create_task(replicas.run())
    try:
        async with asyncio.timeout(DEADLINE_SECONDS):
            yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await replicas.stop()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(DEADLINE_SECONDS):
        while not condition():
            await asyncio.sleep(0.005)


async def test_both_topics_are_learned_whole_before_it_is_caught_up(log: Log) -> None:
    await log.add(b"0", b"1", partition=0)
    await log.add(b"2", partition=3)
    await log.add_item(b"i1", b"item 1")
    await log.add_item(b"i2", None)
    replicas = log.replicas()
    async with running(replicas):
        before = replicas.behind
        await replicas.caught_up()
        assert (before, replicas.behind) == (True, False)
    assert log.interactions.values() == {b"0", b"1", b"2"}
    assert log.items.values() == {b"item 1", None}


async def test_an_empty_log_is_caught_up_with_at_once(log: Log) -> None:
    replicas = log.replicas()
    async with running(replicas):
        await replicas.caught_up()
    assert log.interactions.batches == log.items.batches == []


async def test_what_comes_later_is_followed_without_being_asked(log: Log) -> None:
    replicas = log.replicas()
    async with running(replicas):
        await replicas.caught_up()
        await log.add(b"new", partition=2)
        await until(lambda: log.interactions.values() == {b"new"})


async def test_after_a_new_assignment_it_is_behind_until_the_log_is_learned_again(log: Log) -> None:
    replicas = log.replicas()
    async with running(replicas):
        await replicas.caught_up()
        for number in range(500):
            await log.add(str(number).encode())
        replicas.partitions_assigned()
        assert replicas.behind
        await replicas.caught_up()
        assert len(log.interactions.values()) == 500
        assert not replicas.behind


async def test_partitions_that_never_had_a_record_are_told_once_for_each_assignment(log: Log) -> None:
    replicas, told = log.replicas(), list[list[tuple[str, int]]]()

    async def tell(empty: Collection[tuple[str, int]]) -> None:
        told.append(sorted(empty))

    replicas.before_first = tell
    await log.add(b"0", partition=1)
    names = topics(log.kafka)
    places = [(topic, number) for topic in (names.interactions, names.items) for number in range(log.kafka.partitions)]
    empty = sorted(set(places) - {(names.interactions, 1)})
    async with running(replicas):
        await asyncio.gather(replicas.caught_up(), replicas.caught_up())
        assert told == [empty]
        await log.add(b"1", partition=2)
        await replicas.caught_up()
        assert told == [empty]
        replicas.partitions_assigned()
        await replicas.caught_up()
        assert told == [empty, [place for place in empty if place != (names.interactions, 2)]]


async def test_whoever_gives_up_waiting_does_not_make_the_others_believe_it_is_learned(log: Log) -> None:
    await log.add(b"0")
    replicas = log.replicas()
    await replicas.start()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await replicas.caught_up()  # nothing reads yet
    assert replicas.behind
    waiting = [asyncio.create_task(replicas.caught_up()) for _ in range(2)]
    task = asyncio.create_task(replicas.run())
    async with asyncio.timeout(DEADLINE_SECONDS):
        for each in asyncio.as_completed(waiting):
            await each
            assert log.interactions.values() == {b"0"}
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await replicas.stop()


async def test_an_assignment_while_it_catches_up_is_not_forgotten(log: Log) -> None:
    await log.add(b"0")
    replicas = log.replicas()
    await replicas.start()
    waiting = asyncio.create_task(replicas.caught_up())
    await asyncio.sleep(0)
    replicas.partitions_assigned()
    await log.add(b"1")
    task = asyncio.create_task(replicas.run())
    async with asyncio.timeout(DEADLINE_SECONDS):
        await waiting
    assert log.interactions.values() == {b"0", b"1"}
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await replicas.stop()


async def test_batches_hold_offsets_keys_and_the_brokers_times(log: Log) -> None:
    await log.add(b"0", b"1", partition=1)
    replicas = log.replicas()
    async with running(replicas):
        await replicas.caught_up()
    [batch] = log.interactions.batches
    assert (batch.topic, batch.partition) == (topics(log.kafka).interactions, 1)
    assert batch.offsets.tolist() == [0, 1]
    assert batch.keys == [b"u1", b"u1"]
    assert batch.values == [b"0", b"1"]
    assert (batch.times > NOW).all()
    assert len(batch.times) == 2


async def test_a_long_log_comes_in_batches_of_bounded_size_and_in_order(log: Log) -> None:
    count, limit = 5_000, 100
    values = [str(number).encode() for number in range(count)]
    for start in range(0, count, limit):
        # One append per loop: the embedded broker's answer for the end is too low
        # (app/kafka/log_end.py).
        await log.add(*values[start : start + limit])
    log.kafka = replace(log.kafka, fetch_max_records=limit)
    replicas = log.replicas()
    async with running(replicas):
        await replicas.caught_up()
    assert [value for batch in log.interactions.batches for value in batch.values] == values
    assert max(len(batch) for batch in log.interactions.batches) <= 5 * limit


async def test_a_bug_in_a_follower_ends_the_reading_instead_of_passing_over_a_batch(log: Log) -> None:
    log.interactions.broken = True
    await log.add(b"0")
    replicas = log.replicas()
    async with running(replicas) as task:
        with pytest.raises(RuntimeError, match="a bug in the follower"):
            await task
        assert replicas.behind
