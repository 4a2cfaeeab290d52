"""Kafka's records become columns."""

from aiokafka import ConsumerRecord  # type: ignore[import-untyped]  # ships no types

from app.kafka.raw_batch import to_raw_batch


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
