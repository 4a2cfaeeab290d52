"""Each process works on an Apache Kafka that allows it no more than docs/operations.md lists."""

import re
import subprocess
from pathlib import Path
from uuid import uuid4

import orjson
import pytest
from apache_kafka import GROUP, PASSWORD, ROLES, TOPIC, ApacheKafka, allow
from conftest import ReadTopic
from shops import Shop
from workers import HEADRACE, environment, running_worker, until

from app.concerns import KafkaSettings, RedisSettings
from app.kafka.clients import make_producer
from app.kafka.topics import create_topics

OPERATIONS = Path(__file__).parents[2] / "docs" / "operations.md"
LOOKED_AT = ("kafka", "topics", "partitions", "topic settings", "lag")
EVENT = {"event_id": "e1", "user_id": "ada", "item_id": "i1", "ts": 1_760_000_000}


def listed_rights() -> list[tuple[str, str, str]]:
    """Role, operation and topic of each line, and of each name in it, of the table."""
    section = OPERATIONS.read_text(encoding="utf-8").split("### Rights in Kafka")[1].split("###")[0]
    found = []
    for role, operations, names in re.findall(r"^\| `(\w+)` \| ([\w, ]+) \| (.+) \|$", section, re.MULTILINE):
        topics = re.findall(r"`(\w+)`", names)
        found += [(role, operation, topic) for operation in operations.split(", ") for topic in topics]
    return found


@pytest.fixture
async def kafka(apache: ApacheKafka) -> KafkaSettings:
    """Topics that exist, and the rights of all roles on them."""
    name = f"test-{uuid4().hex[:12]}"
    kafka = KafkaSettings(bootstrap=apache.open, topic_prefix=f"{name}-", group=name, partitions=2)
    await create_topics(kafka)
    rights = [(role, TOPIC, kafka.topic_prefix + topic, operation) for role, operation, topic in listed_rights()]
    rights += [(role, GROUP, kafka.group, "Read") for role in ("worker", "doctor")]
    await allow(kafka.bootstrap, rights)
    return kafka


def environ_of(role: str, kafka: KafkaSettings, redis: RedisSettings, apache: ApacheKafka) -> dict[str, str]:
    return environment(
        kafka,
        redis,
        HEADRACE_KAFKA_BOOTSTRAP=apache.sasl,
        HEADRACE_KAFKA_SECURITY_PROTOCOL="SASL_PLAINTEXT",
        HEADRACE_KAFKA_SASL_USERNAME=role,
        HEADRACE_KAFKA_SASL_PASSWORD=PASSWORD,
    )


def test_the_table_names_all_roles() -> None:
    assert {role for role, _, _ in listed_rights()} == set(ROLES)


async def test_worker_replay_and_doctor_need_no_more_than_is_listed(
    apache: ApacheKafka,
    kafka: KafkaSettings,
    redis_settings: RedisSettings,
    shop: Shop,
    read_topic: ReadTopic,
    tmp_path: Path,
) -> None:
    log = tmp_path / "events.jsonl"
    log.write_bytes(orjson.dumps({**EVENT, "event_id": "e2", "kind": "view"}))
    with running_worker(environ_of("worker", kafka, redis_settings, apache), tmp_path / "worker.log") as worker:
        async with make_producer(kafka) as producer:
            await producer.send_and_wait(f"{kafka.topic_prefix}views", b"no event", key=b"ada")
            await producer.send_and_wait(f"{kafka.topic_prefix}views", orjson.dumps(EVENT), key=b"ada")
        sent = headrace("replay", environ_of("replay", kafka, redis_settings, apache), str(log), "--anyway")
        assert sent.returncode == 0, sent.stderr
        until(lambda: worker.metric("headrace_events_total", outcome="accepted") == 2, worker.log)
        until(lambda: bool(shop.redis.exists(shop.keys.recommendation("ada"))), worker.log)
        looked = headrace("doctor", environ_of("doctor", kafka, redis_settings, apache), "--json")
        found = {each["check"]: each for each in orjson.loads(looked.stdout)["findings"]}
    assert [each for each in found.values() if "uthoriz" in str(each)] == []
    assert {name: found[name]["status"] for name in LOOKED_AT} == dict.fromkeys(LOOKED_AT, "ok")
    assert "uthoriz" not in worker.log.read_text()
    assert len(await read_topic(f"{kafka.topic_prefix}quarantine")) == 1


def headrace(command: str, environ: dict[str, str], *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([HEADRACE, command, *arguments], env=environ, capture_output=True, text=True, check=False)
