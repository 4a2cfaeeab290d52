"""`headrace audit` as a command, on what a real worker stored."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import orjson
import pytest
from aiokafka import AIOKafkaProducer  # type: ignore[import-untyped]  # ships no types
from builders import NOW
from shops import Shop
from workers import HEADRACE, environment, running_worker

from app.concerns import KafkaSettings, RedisSettings
from app.kafka.topics import SOURCES, create_topics

USERS, EVENTS = 150, 900


def audit(environ: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [HEADRACE, "audit", *arguments], env=environ, capture_output=True, text=True, timeout=120, check=False
    )


def result(process: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    assert process.stdout.count("\n") == 1, process.stdout + process.stderr
    found: dict[str, Any] = json.loads(process.stdout)
    return found


async def send(kafka: KafkaSettings) -> None:
    """Events of all kinds, with and without a session id, in a mixed order of times."""
    await create_topics(kafka)
    async with AIOKafkaProducer(bootstrap_servers=kafka.bootstrap, linger_ms=20) as producer:
        for number in range(EVENTS):
            user, event = f"u{number % USERS}", {"event_id": f"e{number}", "item_id": f"i{number % 37}"}
            event |= {"user_id": user, "ts": NOW + number * 1_201.2345 - (number % 7) * 10_000}  # type: ignore[dict-item]  # a number among texts
            event |= {"session_id": f"s{number // 90}"} if number % 2 else {}
            await producer.send(
                kafka.topic_prefix + SOURCES[(number + number // USERS) % len(SOURCES)],
                orjson.dumps(event),
                user.encode(),
            )


async def test_what_a_worker_stored_is_the_same_and_what_is_changed_after_that_is_found(
    kafka: KafkaSettings, redis_settings: RedisSettings, shop: Shop, tmp_path: Path
) -> None:
    await send(kafka)
    # The smallest cache: profiles leave it, and come back from Redis.
    environ = environment(kafka, redis_settings, HEADRACE_WORKER_PROFILE_CACHE="100")
    with running_worker(environ, tmp_path / "worker.log") as worker:
        worker.until_events(EVENTS)
        live = audit(environ, "--all")  # beside the worker
        assert live.returncode == 0, live.stdout + live.stderr
    assert live.stdout.startswith(f"{USERS} users compared with {EVENTS} interactions\n")
    same = audit(environ, "--users", "1000", "--json")
    assert same.returncode == 0, same.stdout + same.stderr
    found = result(same)
    assert (found["users"], found["same"], found["interactions"]) == (USERS, USERS, EVENTS)
    assert found["log_is_whole"] is True

    shop.redis.delete(shop.keys.profile("u3"))
    shop.redis.hset(shop.keys.profile("u4"), "recent", b"[]")
    named = audit(environ, "--json")
    pseudonyms = {each["user_id"] for each in result(named)["differences"]}
    assert len(pseudonyms) == 2
    assert all(re.fullmatch(r"user-[0-9a-f]{16}", each) for each in pseudonyms)
    changed = audit(environ, "--json", "--show-ids")
    assert changed.returncode == 1
    problems = {each["user_id"]: each for each in result(changed)["differences"]}
    assert problems.keys() == {"u3", "u4"}
    assert problems["u3"]["problem"] == "missing"
    assert problems["u3"]["stored"] is None
    assert problems["u4"]["problem"] == "differs"
    assert "recent" in problems["u4"]["fields"]
    assert problems["u4"]["stored"]["recent"] != problems["u4"]["log"]["recent"]

    one = audit(environ, "--user", "u3", "--user", "u6")
    assert one.returncode == 1
    assert one.stdout.splitlines()[-1] == "u3: missing"
    assert audit(environ, "--user", "u6").returncode == 0
    nobody = audit(environ, "--user", "nobody")
    assert nobody.returncode == 1
    assert "neither Redis nor the topic interactions knows nobody" in nobody.stderr


def test_help_has_examples() -> None:
    process = audit({}, "--help")
    assert process.returncode == 0
    assert "headrace audit --all --json" in process.stdout


@pytest.mark.parametrize("arguments", [("--users", "0"), ("--wait", "long"), ("--all", "--user", "u1")])
def test_a_wrong_argument_is_refused_in_words(arguments: tuple[str, ...]) -> None:
    process = audit({}, *arguments)
    assert process.returncode == 2
    assert "Traceback" not in process.stderr


def test_what_is_missing_is_named(broker: str, redis_url: str) -> None:
    away = audit({"HEADRACE_KAFKA_BOOTSTRAP": "127.0.0.1:1", "HEADRACE_REDIS_URL": redis_url})
    assert (away.returncode, away.stdout) == (1, "")
    assert "check HEADRACE_KAFKA_BOOTSTRAP" in away.stderr
    empty = audit(
        {
            "HEADRACE_KAFKA_BOOTSTRAP": broker,
            "HEADRACE_KAFKA_TOPIC_PREFIX": "nothing-",
            "HEADRACE_REDIS_URL": redis_url,
        }
    )
    assert empty.returncode == 1
    assert "has no topic nothing-interactions" in empty.stderr
