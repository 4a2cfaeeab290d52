"""Asks Kafka about its brokers and topics. Changes nothing."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiokafka.admin import AIOKafkaAdminClient  # type: ignore[import-untyped]  # ships no types
from aiokafka.admin.config_resource import (  # type: ignore[import-untyped]  # ships no types
    ConfigResource,
    ConfigResourceType,
)

from app.concerns import KafkaSettings
from app.kafka.clients import make_admin
from app.kafka.failure import as_kafka_away
from app.kafka.topics import CONFIGS

REQUEST_MILLISECONDS = 5_000
CONFIG_ENTRIES = 4  # index of the list of entries in aiokafka's answer to describe_configs


@dataclass(frozen=True, slots=True)
class ExistingTopics:
    """Headrace's topics that exist, by name without prefix, and the number of brokers.

    `copies` counts the brokers that hold a partition, of each topic's worst partition.
    """

    partitions: Mapping[str, int]
    copies: Mapping[str, int]
    configs: Mapping[str, Mapping[str, str]]
    brokers: int


async def describe_brokers(settings: KafkaSettings) -> list[str]:
    """Return the addresses that the brokers of the cluster advertise. Raises KafkaAway."""
    async with _admin(settings) as admin:
        cluster = await admin.describe_cluster()
    return [f"{each['host']}:{each['port']}" for each in cluster["brokers"]]


async def describe_topics(settings: KafkaSettings) -> ExistingTopics:
    """Return those of Headrace's topics that exist. Raises KafkaAway."""
    prefix = settings.topic_prefix
    async with _admin(settings) as admin:
        # All topics are requested, because a request for one topic by name may create it.
        listed = {topic["topic"]: topic["partitions"] for topic in await admin.describe_topics()}
        found = {name: listed[prefix + name] for name in CONFIGS if prefix + name in listed}
        return ExistingTopics(
            {name: len(partitions) for name, partitions in found.items()},
            {
                name: min((len(each["replicas"]) for each in partitions), default=0)
                for name, partitions in found.items()
            },
            {name: await _config(admin, prefix + name) for name in found},
            len((await admin.describe_cluster())["brokers"]),
        )


@asynccontextmanager
async def _admin(settings: KafkaSettings) -> AsyncIterator[AIOKafkaAdminClient]:
    with as_kafka_away():
        admin = make_admin(settings, request_timeout_ms=REQUEST_MILLISECONDS)
        try:
            await admin.start()
            yield admin
        finally:
            await admin.close()


async def _config(admin: AIOKafkaAdminClient, topic: str) -> dict[str, str]:
    found: dict[str, str] = {}
    # Send one request for each topic: the embedded broker answers only for the first of several.
    for answer in await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic)]):
        for resource in answer.resources:
            found |= {entry[0]: entry[1] for entry in resource[CONFIG_ENTRIES]}
    return found
