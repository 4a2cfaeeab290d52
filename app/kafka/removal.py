"""Removes records from the beginning of partitions, where the broker can, and whole topics."""

from collections.abc import Mapping

from aiokafka import TopicPartition  # type: ignore[import-untyped]  # aiokafka ships no types
from aiokafka.admin.records_to_delete import RecordsToDelete  # type: ignore[import-untyped]  # ships no types
from aiokafka.errors import KafkaError  # type: ignore[import-untyped]  # ships no types

from app.concerns import KafkaSettings
from app.kafka.clients import make_admin
from app.kafka.topics import CONFIGS

REQUEST_MILLISECONDS = 30_000


async def remove_before(settings: KafkaSettings, offsets: Mapping[TopicPartition, int]) -> str:
    """Remove the records before these offsets from their partitions.

    Returns why that failed; empty when it did not. Some brokers, as the embedded one, cannot remove
    records; a user may lack the right to; a compacted topic does not allow it.
    """
    admin = make_admin(settings, request_timeout_ms=REQUEST_MILLISECONDS)
    try:
        await admin.start()
        for place, offset in offsets.items():
            await admin.delete_records({place: RecordsToDelete(before_offset=offset)})
    except (KafkaError, OSError) as error:
        return str(error) or type(error).__name__
    finally:
        await admin.close()
    return ""


async def remove_topics(settings: KafkaSettings) -> str:
    """Remove all topics of these settings. Returns why that failed; empty when it did not."""
    admin = make_admin(settings, request_timeout_ms=REQUEST_MILLISECONDS)
    try:
        await admin.start()
        await admin.delete_topics([settings.topic_prefix + name for name in CONFIGS])
    except (KafkaError, OSError) as error:
        return str(error) or type(error).__name__
    finally:
        await admin.close()
    return ""
