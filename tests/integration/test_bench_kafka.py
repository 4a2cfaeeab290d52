"""A measurement on a Kafka that runs already leaves nothing behind, and touches nothing else."""

import asyncio
from pathlib import Path

from aiokafka.admin import AIOKafkaAdminClient  # type: ignore[import-untyped]  # ships no types

from app.bench.broker import bench_kafka
from app.concerns import KafkaSettings
from app.kafka.topics import CONFIGS, create_topics

NOWHERE = "127.0.0.1:1"


def listed(kafka: KafkaSettings) -> set[str]:
    async def ask() -> set[str]:
        admin = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap)
        await admin.start()
        found = set(await admin.list_topics())
        await admin.close()
        return {name for name in found if name.startswith(kafka.topic_prefix)}

    return asyncio.run(ask())


def test_its_topics_are_its_own_and_gone_afterwards(kafka: KafkaSettings, tmp_path: Path) -> None:
    asyncio.run(create_topics(kafka))
    before = listed(kafka)
    with bench_kafka(kafka, {"HEADRACE_LOG_LEVEL": "debug"}, kafka.bootstrap, tmp_path) as (own, environ):
        asyncio.run(create_topics(own))
        assert listed(kafka) == before | {own.topic_prefix + name for name in CONFIGS}
        assert own.topic_prefix not in ("", kafka.topic_prefix)
        assert environ["HEADRACE_KAFKA_TOPIC_PREFIX"] == own.topic_prefix
        assert environ["HEADRACE_KAFKA_GROUP"] == own.group != kafka.group
        assert environ["HEADRACE_LOG_LEVEL"] == "debug"
    assert listed(kafka) == before


def test_a_login_leads_into_a_given_kafka_and_not_into_the_embedded_one(kafka: KafkaSettings, tmp_path: Path) -> None:
    variables = {"HEADRACE_KAFKA_SASL_USERNAME": "shop", "HEADRACE_KAFKA_BOOTSTRAP": NOWHERE}
    with bench_kafka(kafka, variables, kafka.bootstrap, tmp_path) as (_, environ):
        assert environ == environ | {
            "HEADRACE_KAFKA_SASL_USERNAME": "shop", "HEADRACE_KAFKA_BOOTSTRAP": kafka.bootstrap
        }  # fmt: skip
    with bench_kafka(kafka, variables, None, tmp_path) as (embedded, environ):
        assert "HEADRACE_KAFKA_SASL_USERNAME" not in environ
        assert environ["HEADRACE_KAFKA_BOOTSTRAP"] == embedded.bootstrap not in (NOWHERE, kafka.bootstrap)
