"""Topics are created once, and must fit together."""

import asyncio
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest
from aiokafka.admin import (  # type: ignore[import-untyped]  # ships no types
    AIOKafkaAdminClient,
)
from aiokafka.admin.config_resource import (  # type: ignore[import-untyped]  # ships no types
    ConfigResource,
    ConfigResourceType,
)
from made_topics import make_topics

from app.concerns import KafkaSettings
from app.errors import HeadraceError
from app.kafka.topics import CONFIGS, SOURCES, create_topics, topics

NOWHERE = "127.0.0.1:1"


async def partitions(kafka: KafkaSettings) -> dict[str, int]:
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap)
    await admin.start()
    found = {topic["topic"]: len(topic["partitions"]) for topic in await admin.describe_topics()}
    await admin.close()
    prefix = kafka.topic_prefix
    return {name.removeprefix(prefix): count for name, count in found.items() if name.startswith(prefix)}


def test_every_topic_carries_the_prefix() -> None:
    names = topics(KafkaSettings(topic_prefix="shop1."))
    assert (names.views, names.quarantine) == ("shop1.views", "shop1.quarantine")


async def test_all_topics_are_made_and_a_second_time_changes_nothing(kafka: KafkaSettings) -> None:
    await create_topics(kafka)
    await create_topics(replace(kafka, partitions=9))
    assert await partitions(kafka) == dict.fromkeys(CONFIGS, 4) | {"ranker": 1}


async def test_the_command_makes_all_topics_and_tells_their_partitions(kafka: KafkaSettings) -> None:
    environ = {"HEADRACE_KAFKA_BOOTSTRAP": kafka.bootstrap, "HEADRACE_KAFKA_TOPIC_PREFIX": kafka.topic_prefix}
    command = [str(Path(sys.executable).with_name("headrace")), "topics", "--json"]
    process = await asyncio.create_subprocess_exec(
        *command, env={**os.environ, **environ, "HEADRACE_KAFKA_PARTITIONS": "4"}, stdout=asyncio.subprocess.PIPE
    )
    printed, _ = await process.communicate()
    assert process.returncode == 0
    assert orjson.loads(printed)["partitions"] == {
        kafka.topic_prefix + name: count for name, count in (await partitions(kafka)).items()
    }
    assert await partitions(kafka) == dict.fromkeys(CONFIGS, 4) | {"ranker": 1}


async def test_topics_get_their_configuration(kafka: KafkaSettings) -> None:
    kafka = replace(kafka, max_message_bytes=2_000_000)
    await create_topics(kafka)
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap)
    await admin.start()
    found = {}
    for name in ("views", "items"):
        wanted = ConfigResource(ConfigResourceType.TOPIC, kafka.topic_prefix + name)
        [answer] = await admin.describe_configs([wanted])
        found[name] = {entry[0]: entry[1] for entry in answer.resources[0][4]}
    await admin.close()
    assert found["views"]["message.timestamp.type"] == "LogAppendTime"
    assert found["views"]["max.message.bytes"] == "2000000"
    assert found["items"]["cleanup.policy"] == "compact"


async def test_a_missing_topic_takes_the_partitions_of_the_existing_ones(kafka: KafkaSettings) -> None:
    await make_topics(kafka, {"views": 6})
    await create_topics(kafka)
    assert {name: (await partitions(kafka))[name] for name in (*SOURCES, "interactions")} == dict.fromkeys(
        (*SOURCES, "interactions"), 6
    )


async def test_topics_that_do_not_fit_together_are_refused_with_advice(kafka: KafkaSettings) -> None:
    await make_topics(kafka, {"views": 6})
    await make_topics(kafka, {"orders": 3})
    with pytest.raises(HeadraceError, match=r"views has 6, .*orders has 3; .*HEADRACE_KAFKA_TOPIC_PREFIX"):
        await create_topics(kafka)
    assert await partitions(kafka) == {"views": 6, "orders": 3}


async def test_no_broker_is_an_error_with_advice() -> None:
    with pytest.raises(HeadraceError, match=r"no Kafka answers at 127\.0\.0\.1:1.*HEADRACE_KAFKA_BOOTSTRAP"):
        await create_topics(KafkaSettings(bootstrap=NOWHERE))


async def test_topics_that_are_listed_a_moment_after_they_were_made_are_waited_for(
    kafka: KafkaSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    describe, calls = AIOKafkaAdminClient.describe_topics, []

    async def describe_late(admin: AIOKafkaAdminClient) -> list[dict[str, Any]]:
        calls.append(admin)
        found = await describe(admin)
        hidden = kafka.topic_prefix + "items"
        return [topic for topic in found if len(calls) > 3 or topic["topic"] != hidden]

    monkeypatch.setattr(AIOKafkaAdminClient, "describe_topics", describe_late)
    assert set(await create_topics(kafka)) == {kafka.topic_prefix + name for name in CONFIGS}
    assert len(calls) == 4
