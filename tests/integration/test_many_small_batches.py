"""A broker that needs longer than the wait of a fetch to collect its records is read all the
same.
"""

import asyncio
from pathlib import Path

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition  # type: ignore[import-untyped]  # no types

from app.kafka.fetch_wait import LONG_POLL_MS, adapt_wait
from app.local.kept import kept_servers

RECORDS = 900  # each a batch, in a file of its own


async def send_singly(kafka: str) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=kafka)
    await producer.start()
    for number in range(RECORDS):
        await producer.send_and_wait("views", b"%d" % number, key=b"ada", partition=0)
    await producer.stop()


async def read(kafka: str) -> list[bytes]:
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka, fetch_max_wait_ms=LONG_POLL_MS)
    await consumer.start()
    adapt_wait(consumer)
    place, found = TopicPartition("views", 0), list[bytes]()
    consumer.assign([place])
    consumer.seek(place, 0)
    try:
        async with asyncio.timeout(60):
            while len(found) < RECORDS:
                found += [record.value for record in (await consumer.getmany(timeout_ms=1000)).get(place, [])]
    finally:
        await consumer.stop()
    return found


async def test_all_records_are_read_from_a_broker_that_keeps_each_batch_in_a_file(tmp_path: Path) -> None:
    with kept_servers(tmp_path / "kept", tmp_path) as (broker, _, _):
        await send_singly(broker.address)
        assert await read(broker.address) == [b"%d" % number for number in range(RECORDS)]
