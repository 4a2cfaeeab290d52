"""Sends record batches whose compression is not what their header says."""

import struct

from aiokafka import AIOKafkaProducer  # type: ignore[import-untyped]  # ships no types
from aiokafka.record.util import calc_crc32c  # type: ignore[import-untyped]  # ships no types

from app.concerns import KafkaSettings

CODECS = {"gzip": 1, "snappy": 2, "lz4": 3, "zstd": 4}
# places in a batch of format 2; the checksum covers what follows it
CRC, ATTRIBUTES = slice(17, 21), slice(21, 23)


async def send_labelled(kafka: KafkaSettings, topic: str, value: bytes, codec: str) -> None:
    """Append one uncompressed record to partition 0, in a batch labelled as `codec`."""
    async with AIOKafkaProducer(bootstrap_servers=kafka.bootstrap) as producer:
        batch = producer.create_batch()
        batch.append(key=b"ada", value=value, timestamp=None)
        batch.close()
        labelled = bytearray(batch._build())
        labelled[ATTRIBUTES] = struct.pack(">h", CODECS[codec])
        labelled[CRC] = struct.pack(">I", calc_crc32c(bytes(labelled[ATTRIBUTES.start :])))
        batch._buffer = bytes(labelled)
        await (await producer.send_batch(batch, kafka.topic_prefix + topic, partition=0))
