"""What `headrace doctor` finds on real servers, and without any."""

from dataclasses import replace
from pathlib import Path
from time import time
from uuid import uuid4

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition  # type: ignore[import-untyped]  # ships no types
from apache_kafka import embedded_only
from certificates import make_certificates
from made_topics import make_topics
from prometheus_client import CollectorRegistry
from redis.asyncio import Redis
from redis_secured import redis_over_tls, server_with_tls

from app.checkup.doctor import Finding, Findings, Status, examine, passed
from app.checkup.kafka_server import check_broker, check_topics
from app.checkup.progress import check_lag, check_process
from app.checkup.redis_server import check_redis
from app.checkup.workers import check_workers
from app.concerns import KafkaSettings, RedisSettings, ServeSettings
from app.kafka.topics import create_topics, topics
from app.local.servers import embedded_redis
from app.settings import load
from app.store.packed import PackedRedis
from app.web.server import ServeConcerns, Surroundings, build_application

NOWHERE = "127.0.0.1:1"


def statuses(findings: Findings) -> dict[str, str]:
    return {finding.check: str(finding.status) for finding in findings}


def named(findings: Findings, check: str) -> Finding:
    [finding] = [each for each in findings if each.check == check]
    return finding


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
    await make_topics(kafka, {"views": 3})
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
    await make_topics(kafka, {"views": 3, "clicks": 5})
    finding = named(await check_topics(kafka), "partitions")
    assert finding.status is Status.FAILED
    assert "views 3, clicks 5" in finding.detail


async def test_topics_that_are_set_otherwise_are_a_warning(kafka: KafkaSettings) -> None:
    await make_topics(kafka, {"views": 1, "items": 1}, **{"max.message.bytes": "1000000", "cleanup.policy": "delete"})
    finding = named(await check_topics(kafka), "topic settings")
    assert finding.status is Status.WARNING
    assert "views has max.message.bytes=1000000" in finding.detail
    assert "items has cleanup.policy=delete, not compact" in finding.detail


async def test_lag_counts_what_is_not_committed(kafka: KafkaSettings) -> None:
    await create_topics(kafka)
    await send(kafka, "views", 50)
    finding = named(await check_lag(kafka), "lag")
    assert finding.detail == "50 records of events and items wait; no worker of this group has finished any yet"
    place = TopicPartition(topics(kafka).views, 0)
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka.bootstrap, group_id=kafka.group, enable_auto_commit=False)
    await consumer.start()
    consumer.assign([place])
    await consumer.commit({place: 20})
    await consumer.stop()
    assert named(await check_lag(kafka), "lag").detail == "30 records of events and items wait"
    assert named(await check_lag(kafka), "lag").detail == "30 records of events and items wait"


@embedded_only  # the others set the time of a record by their own clock, as the topics say
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
    assert found == dict.fromkeys(["redis", "redis vectors", "redis mode", "redis clock", "redis rights"], "ok")


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


async def test_a_user_without_a_right_is_told_which(tmp_path: Path) -> None:
    with embedded_redis(tmp_path) as url:
        own = RedisSettings(url=url.replace("redis://", "redis://few:sesame@"))
        async with PackedRedis.from_url(url) as redis:

            async def allow(*rules: str) -> None:
                assert await redis.exchange([("ACL", "SETUSER", "few", *rules)]) == [b"OK"]

            await allow("on", ">sesame", "~hr:*", "+@all", "-evalsha", "-info")
            finding = named(await check_redis(own), "redis rights")
            assert finding.detail == "this user may not EVALSHA"
            assert "ACL SETUSER" in finding.advice
            await allow("resetkeys", "~other:*", "+@all")
            assert "HGETALL" in named(await check_redis(own), "redis rights").detail
            await allow("-@all")
            [finding] = await check_redis(own)
            assert (finding.check, finding.status) == ("redis rights", Status.FAILED)
            assert await redis.dbsize() == 0


@pytest.mark.skipif(not server_with_tls(), reason="no redis-server on this machine speaks TLS")
async def test_what_is_wrong_with_tls_to_redis_is_told(tmp_path: Path) -> None:
    with redis_over_tls(tmp_path, "hr:", made := make_certificates(tmp_path)) as server:
        assert passed(await check_redis(RedisSettings(url=server.url)))
        address, _, options = server.url.partition("?")
        for url, advice in {
            address: "rediss://…?ssl_ca_certs=FILE",
            f"{address}?ssl_ca_certs={made.other_ca}": "rediss://…?ssl_ca_certs=FILE",
            f"{address}?ssl_ca_certs={made.ca}": "add ssl_certfile=FILE&ssl_keyfile=FILE",
            address.replace("rediss", "redis"): "the address begins with rediss://",
            f"{address.replace('open@', 'wrong@')}?{options}": "put user and password into HEADRACE_REDIS_URL",
        }.items():
            [finding] = await check_redis(RedisSettings(url=url))
            assert finding.status is Status.FAILED
            assert advice in finding.advice, finding
            assert "sesame" not in str(finding)


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


async def process(status: int, *, is_headrace: bool = True) -> TestServer:
    async def readyz(request: web.Request) -> web.Response:
        answer = {"ready": status == 200, "detail": "Redis is away"}
        return web.json_response(answer, status=status, headers={"Server": "headrace"} if is_headrace else {})

    application = web.Application()
    application.router.add_get("/readyz", readyz)
    server = TestServer(application)
    await server.start_server()
    return server


@pytest.mark.parametrize(("status", "wanted"), [(200, "ok"), (503, "warning")])
async def test_a_process_is_asked_whether_it_is_ready(status: int, wanted: str) -> None:
    server = await process(status)
    assert server.port is not None
    [finding] = await check_process("worker", "0.0.0.0", server.port)
    assert str(finding.status) == wanted
    assert ("Redis is away" in finding.detail) == (status != 200)
    await server.close()


@pytest.mark.parametrize("status", [200, 404, 503])
async def test_the_answer_of_another_program_is_not_taken_for_a_worker(status: int) -> None:
    server = await process(status, is_headrace=False)
    assert server.port is not None
    [finding] = await check_process("worker", "127.0.0.1", server.port)
    assert finding.status is Status.WARNING
    assert finding.detail.startswith("another program answers at http://127.0.0.1:")
    assert "HEADRACE_WORKER_PORT" in finding.advice
    await server.close()


async def test_a_worker_is_not_taken_for_the_look_ups_and_they_not_for_a_worker(redis_settings: RedisSettings) -> None:
    worker = await process(200)
    assert worker.port is not None
    [finding] = await check_process("serve", "127.0.0.1", worker.port)
    assert (finding.status, finding.detail.split(" at ")[0]) == (Status.WARNING, "`headrace worker` answers")
    await worker.close()
    concerns = ServeConcerns(ServeSettings(), redis_settings, KafkaSettings())
    async with TestServer(build_application(concerns, Surroundings(CollectorRegistry()))) as serve:
        assert serve.port is not None
        [finding] = await check_process("worker", "127.0.0.1", serve.port)
        assert (finding.status, finding.detail.split(" at ")[0]) == (Status.WARNING, "`headrace serve` answers")
        [finding] = await check_process("serve", "127.0.0.1", serve.port)
        assert finding.status is Status.OK


async def test_a_process_that_does_not_run_is_no_fault() -> None:
    assert [each.status for each in await check_process("serve", "127.0.0.1", 1)] == [Status.OK]
    assert [each.status for each in await check_process("serve", "127.0.0.1", 0)] == [Status.OK]


async def test_a_port_of_another_program_is_a_warning(redis_url: str) -> None:
    port = int(redis_url.removesuffix("/0").rpartition(":")[2])
    [finding] = await check_process("worker", "127.0.0.1", port)
    assert finding.status is Status.WARNING
    assert "HEADRACE_WORKER_PORT" in finding.advice


async def test_that_no_worker_runs_is_a_warning_with_what_to_do(redis_settings: RedisSettings) -> None:
    alone = replace(redis_settings, prefix=f"nobody-{uuid4().hex}:")
    [found] = await check_workers(replace(load({}), redis=alone))
    assert (found.status, found.detail) == (Status.WARNING, "no worker runs on this Redis")
    assert "headrace worker" in found.advice
