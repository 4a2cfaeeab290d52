"""Record batches that cannot be decompressed, on a real broker: the error says where they are."""

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition  # type: ignore[import-untyped]  # ships no types
from apache_kafka import embedded_only
from batch_workers import send
from compressed import CODECS, send_labelled

from app.checkup.doctor import Status
from app.checkup.progress import check_lag
from app.concerns import KafkaSettings
from app.kafka.topics import create_topics
from app.kafka.unreadable import UnreadableRecords, explained


async def read_views(kafka: KafkaSettings) -> None:
    """Fetch all records of partition 0, as the worker does."""
    async with AIOKafkaConsumer(bootstrap_servers=kafka.bootstrap, auto_offset_reset="earliest") as consumer:
        place = TopicPartition(f"{kafka.topic_prefix}views", 0)
        consumer.assign([place])
        with explained(consumer):
            while await consumer.position(place) == 0 or consumer.highwater(place) != await consumer.position(place):
                await consumer.getmany(timeout_ms=1000)


@pytest.fixture
async def one_partition(kafka: KafkaSettings) -> KafkaSettings:
    settings = KafkaSettings(kafka.bootstrap, kafka.group, kafka.topic_prefix, partitions=1)
    await create_topics(settings)
    return settings


@embedded_only  # Apache Kafka refuses the batch
@pytest.mark.parametrize("codec", CODECS)
async def test_a_broken_batch_is_named_with_its_topic_partition_and_offset(
    one_partition: KafkaSettings, codec: str
) -> None:
    await send(one_partition, [b"good", b"good"])
    await send_labelled(one_partition, "views", b"not compressed at all", codec)
    with pytest.raises(UnreadableRecords) as raised:
        await read_views(one_partition)
    assert f"{one_partition.topic_prefix}views-0 from offset 2 cannot be decompressed" in str(raised.value)
    assert "--reset-offsets" in str(raised.value)


@embedded_only  # Apache Kafka refuses the batch
async def test_a_codec_whose_library_is_missing_leads_to_the_lock_file(
    one_partition: KafkaSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aiokafka.codec.has_lz4", lambda: False)
    await send_labelled(one_partition, "views", b"of a codec that is missing", "lz4")
    with pytest.raises(UnreadableRecords) as raised:
        await read_views(one_partition)
    assert "lz4" in raised.value.detail
    assert "lock file" in str(raised.value)


@embedded_only  # Apache Kafka refuses the batch
async def test_doctor_names_records_that_cannot_be_read_instead_of_blaming_the_connection(
    one_partition: KafkaSettings,
) -> None:
    await send_labelled(one_partition, "views", b"not compressed at all", "zstd")
    [finding] = await check_lag(one_partition)
    assert finding.status is Status.FAILED
    assert "views-0 from offset 0 cannot be decompressed" in finding.detail
    assert "compression.type" in finding.advice


@pytest.mark.parametrize("codec", CODECS)
async def test_doctor_reads_compressed_records(one_partition: KafkaSettings, codec: str) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=one_partition.bootstrap, compression_type=codec)
    async with producer:
        await producer.send_and_wait(f"{one_partition.topic_prefix}views", b"{}" * 1000)
    lag, clock = await check_lag(one_partition)
    assert (lag.status, clock.status) == (Status.OK, Status.OK)
    assert lag.detail.startswith("1 records of events and items wait")
