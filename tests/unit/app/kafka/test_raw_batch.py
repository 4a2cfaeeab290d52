"""Kafka's records become columns."""

from types import SimpleNamespace

from aiokafka import ConsumerRecord, TopicPartition  # type: ignore[import-untyped]  # ships no types
from aiokafka.consumer.fetcher import (  # type: ignore[import-untyped]  # ships no types
    READ_UNCOMMITTED,
    FetchError,
    FetchResult,
    PartitionRecords,
)
from aiokafka.record.default_records import (  # type: ignore[import-untyped]  # ships no types
    DefaultRecordBatchBuilder,
)
from aiokafka.record.memory_records import MemoryRecords  # type: ignore[import-untyped]  # ships no types

from app.kafka.raw_batch import keep_parsed, to_raw_batch


def record(
    offset: int, milliseconds: int, key: bytes | None, value: bytes | None, *headers: tuple[str, bytes]
) -> object:
    return ConsumerRecord("items", 2, offset, milliseconds, 1, key, value, None, 1, 1, headers)


def test_each_part_of_the_records_becomes_a_column_and_times_are_in_seconds() -> None:
    batch = to_raw_batch("items", 2, [record(7, 1500, b"k", None), record(9, 2250, None, b"v", ("model", b"x"))])
    assert (batch.topic, batch.partition, len(batch)) == ("items", 2, 2)
    assert batch.offsets.tolist() == [7, 9]
    assert batch.times.tolist() == [1.5, 2.25]
    assert (batch.keys, batch.values) == ([b"k", None], [None, b"v"])
    assert list(batch.headers) == [(), (("model", b"x"),)]


def fetched(topic: str) -> FetchResult:
    """What aiokafka holds of a partition with two records."""
    builder = DefaultRecordBatchBuilder(2, 0, 0, -1, -1, -1, 1 << 16)
    builder.append(0, 1500, b"k", None, [])
    builder.append(1, 2250, None, b"v", [("model", b"x")])
    tp, records = TopicPartition(topic, 2), MemoryRecords(bytes(builder.build()))
    parsed = PartitionRecords(tp, records, None, 0, None, None, True, READ_UNCOMMITTED)
    return FetchResult(tp, assignment=None, partition_records=parsed, backoff=0)


def test_records_that_stay_as_they_were_parsed_become_the_same_columns() -> None:
    usual, kept, others = fetched("views"), fetched("views"), fetched("other")
    fetcher = SimpleNamespace(_records={})
    keep_parsed(SimpleNamespace(_fetcher=fetcher), {"views"})
    fetcher._records[TopicPartition("views", 2)] = kept
    fetcher._records[TopicPartition("other", 2)] = others
    fetcher._records[TopicPartition("views", 3)] = failed = FetchError(error=RuntimeError(), backoff=0)
    assert list(fetcher._records.values()) == [kept, others, failed]
    records, copies, untouched = (list(each._partition_records) for each in (kept, usual, others))
    assert not any(isinstance(each, ConsumerRecord) for each in records)
    assert all(isinstance(each, ConsumerRecord) for each in [*copies, *untouched])
    found, expected = to_raw_batch("views", 2, records), to_raw_batch("views", 2, copies)
    assert (found.keys, found.values) == (expected.keys, expected.values) == ([b"k", None], [None, b"v"])
    assert found.times.tolist() == expected.times.tolist() == [1.5, 2.25]
    assert found.offsets.tolist() == [0, 1]
    assert [tuple(each) for each in found.headers] == list(expected.headers)
