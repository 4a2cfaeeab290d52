"""Makes and deletes topics as another program would, and waits until the broker lists it so."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager

from aiokafka.admin import AIOKafkaAdminClient, NewTopic  # type: ignore[import-untyped]  # ships no types

from app.concerns import KafkaSettings

LISTED_SECONDS = 20.0


@asynccontextmanager
async def admin_of(kafka: KafkaSettings) -> AsyncIterator[AIOKafkaAdminClient]:
    """Yield an admin client, as another program has one."""
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap)
    await admin.start()
    try:
        yield admin
    finally:
        await admin.close()


async def make_topics(kafka: KafkaSettings, partitions: dict[str, int], **config: str) -> None:
    """Make topics, by name without prefix. Apache Kafka lists them a moment later."""
    made = [NewTopic(kafka.topic_prefix + name, count, 1, topic_configs=config) for name, count in partitions.items()]
    async with admin_of(kafka) as admin:
        await admin.create_topics(made)
        await _until_listed(admin, lambda listed: {topic.name for topic in made} <= listed)


async def delete_topics(kafka: KafkaSettings, names: Iterable[str]) -> None:
    """Delete topics, by full name."""
    gone = set(names)
    async with admin_of(kafka) as admin:
        await admin.delete_topics(list(gone))
        await _until_listed(admin, gone.isdisjoint)


async def _until_listed(admin: AIOKafkaAdminClient, holds: Callable[[set[str]], bool]) -> None:
    async with asyncio.timeout(LISTED_SECONDS):
        while not holds({each["topic"] for each in await admin.describe_topics()}):
            await asyncio.sleep(0.05)
