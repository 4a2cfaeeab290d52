"""What tests of `headrace forget` share: users, their events, and a search of every store."""

import json
import subprocess
import time
from typing import Any

import orjson
import redis as redis_py
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition  # type: ignore[import-untyped]  # no types
from workers import HEADRACE

from app.concerns import KafkaSettings
from app.kafka.topics import CONFIGS, SOURCES

GONE = "forget-me-41f0"
OTHERS = [f"u{number}" for number in range(12)]
EVENTS = 10 * (len(OTHERS) + 1)


def run(command: str, environ: dict[str, str], *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [HEADRACE, command, *arguments],
        env=environ,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )


def receipt_of(process: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    assert process.stdout.count("\n") == 1, process.stdout + process.stderr
    found: dict[str, Any] = json.loads(process.stdout)
    return found


async def send(kafka: KafkaSettings) -> None:
    """Events of all users with and without sessions, and broken ones of the user to forget."""
    async with AIOKafkaProducer(bootstrap_servers=kafka.bootstrap, linger_ms=20) as producer:
        for number in range(EVENTS):
            user = [*OTHERS, GONE][number % (len(OTHERS) + 1)]
            value: dict[str, object] = {
                "event_id": f"e{number}",
                "user_id": user,
                "item_id": f"i{number % 7}",
                "ts": time.time(),
            }
            value |= {"session_id": f"visit-{user}"} if number % 2 else {}
            await producer.send(kafka.topic_prefix + SOURCES[number % len(SOURCES)], orjson.dumps(value), user.encode())
        for user in (GONE, "u1"):
            for broken in (b'{"user_id": "%b", "ts": ' % user.encode(), b'{"user_id": "%b"}' % user.encode()):
                await producer.send(f"{kafka.topic_prefix}views", broken, user.encode())


async def topics_with(kafka: KafkaSettings, text: str) -> set[str]:
    """The topics that have the text in a key, a value or a header."""
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka.bootstrap, auto_offset_reset="earliest")
    await consumer.start()
    found = set()
    try:
        for name in CONFIGS:
            topic = kafka.topic_prefix + name
            places = [TopicPartition(topic, number) for number in range(kafka.partitions)]
            consumer.assign(places)
            while fetched := await consumer.getmany(timeout_ms=1_000):
                for record in (record for records in fetched.values() for record in records):
                    content = [record.key, record.value, *(part for _, part in record.headers)]
                    if any(text.encode() in (part or b"") for part in content):
                        found.add(name)
    finally:
        await consumer.stop()
    return found


def redis_with(store: "redis_py.Redis", prefix: str, text: str) -> list[bytes]:
    """The keys that have the text in their names or in their content, whatever their type."""
    found = []
    for key in store.scan_iter(f"{prefix}*"):
        content: Any
        match store.type(key):
            case b"string":
                content = store.get(key)
            case b"hash":
                content = store.hgetall(key)
            case b"zset":
                content = store.zrange(key, 0, -1)
            case other:
                raise AssertionError(f"{key!r} is a {other!r}")
        if text.encode() in key or text in repr(content):
            found.append(key)
    return found
