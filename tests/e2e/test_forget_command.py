"""`headrace forget` beside real workers: the user's id is in no store that can be changed."""

import json
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import orjson
import pytest
from aiokafka import AIOKafkaProducer  # type: ignore[import-untyped]  # no types
from apache_kafka import ON_APACHE_KAFKA
from forgetting import EVENTS, GONE, OTHERS, receipt_of, redis_with, run, send, topics_with
from shops import Shop
from workers import HEADRACE, RunningWorker, environment, running_worker, until

from app.concerns import KafkaSettings, RedisSettings
from app.kafka.topics import create_topics


def read_url(url: str) -> str:
    try:
        with urllib.request.urlopen(url) as answer:
            text: str = answer.read().decode()
    except urllib.error.HTTPError as error:
        text = error.read().decode()
    return text


@contextmanager
def serving(environ: dict[str, str]) -> Iterator[str]:
    with subprocess.Popen(
        [HEADRACE, "serve", "--port", "0", "--json"], env=environ, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        assert process.stdout is not None
        try:
            yield json.loads(process.stdout.readline())["url"]
        finally:
            process.terminate()


@contextmanager
def two_workers(environ: dict[str, str], folder: Path) -> Iterator[list[RunningWorker]]:
    with (
        running_worker(environ | {"HEADRACE_WORKER_STATE_DIR": str(folder / "a")}, folder / "a.log") as one,
        running_worker(environ | {"HEADRACE_WORKER_STATE_DIR": str(folder / "b")}, folder / "b.log") as other,
    ):
        until(lambda: all(worker.read().partitions for worker in (one, other)))
        yield [one, other]


async def test_a_forgotten_user_is_found_in_no_store_but_what_kafka_keeps(
    kafka: KafkaSettings, redis_settings: RedisSettings, shop: Shop, tmp_path: Path
) -> None:
    await create_topics(kafka)
    environ = environment(kafka, redis_settings, HEADRACE_WORKER_SNAPSHOT_SECONDS="1")
    with two_workers(environ, tmp_path) as workers:
        await send(kafka)
        until(lambda: sum(worker.read().events for worker in workers) >= EVENTS, tmp_path / "a.log")
        until(lambda: bool(shop.redis.zscore(shop.keys.recent_users(), GONE)), tmp_path / "a.log")
        until(lambda: sum(worker.metric("headrace_rejected_total") for worker in workers) == 4, tmp_path / "a.log")
        assert len(redis_with(shop.redis, redis_settings.prefix, GONE)) >= 3

        process = run("forget", environ, GONE, "--json")
        receipt = receipt_of(process)
        [user] = receipt["users"]
        assert user["partitions_answered"] == receipt["partitions"] == kafka.partitions
        assert user["erased"]["profiles"] == user["erased"]["lists"] == 1
        assert user["erased"]["interactions"] == 10
        assert user["erased"]["sessions"] >= 2
        assert user["left_in_redis"] == 0

        assert redis_with(shop.redis, redis_settings.prefix, GONE) == []
        assert len(redis_with(shop.redis, redis_settings.prefix, "u1")) >= 3  # others stay
        left = {each["topic"] for each in receipt["topics"] if each["records_left"]}
        assert await topics_with(kafka, GONE) == left
        # The embedded broker cannot remove records, so the quarantine could not be rewritten.
        refused = [] if ON_APACHE_KAFKA else ["quarantine"]
        assert [each["topic"] for each in receipt["topics"] if each["refused"]] == refused
        assert process.returncode == len(refused)
        with serving(environ) as url:
            paths = ["/recommendations/u1", "/", "/live", "/users", "/users/u1", "/metrics", f"/users/{GONE}"]
            assert [path for path in paths if GONE in read_url(url + path).replace(path, "")] == []
        for worker in workers:
            assert GONE not in read_url(f"{worker.url}/metrics")

        # Nothing makes the profile again, and the others are what the log gives.
        audit = run("audit", environ, "--all", "--json")
        assert audit.returncode == 0, audit.stdout
        assert json.loads(audit.stdout)["users"] == len(OTHERS)
        snapshots = [tmp_path / name / "worker.snapshot" for name in ("a", "b")]
        until(lambda: all(path.exists() for path in snapshots))
        for path in (*snapshots, tmp_path / "a.log", tmp_path / "b.log"):
            assert GONE.encode() not in path.read_bytes()
        await a_new_event_begins_a_new_profile(kafka, environ, shop)


async def a_new_event_begins_a_new_profile(kafka: KafkaSettings, environ: dict[str, str], shop: Shop) -> None:
    async with AIOKafkaProducer(bootstrap_servers=kafka.bootstrap) as producer:
        value = orjson.dumps({"event_id": "new", "user_id": GONE, "item_id": "i9", "ts": time.time()})
        await producer.send_and_wait(f"{kafka.topic_prefix}views", value, GONE.encode())
    until(lambda: bool(shop.redis.exists(shop.keys.profile(GONE))))
    recent = shop.redis.hget(shop.keys.profile(GONE), "recent")
    assert [row[0] for row in orjson.loads(recent)] == ["i9"]  # type: ignore[arg-type]  # redis-py: or awaitable
    assert run("audit", environ, "--user", GONE).returncode == 0
    again = run("forget", environ, "--from", "-", "--no-search", stdin=f"{GONE}\n\nnobody\n")
    assert f"{GONE}: 1 profile and 1 list erased" in again.stdout
    assert "nobody: 0 profile and 0 list erased" in again.stdout
    assert redis_with(shop.redis, shop.keys.prefix, GONE) == []


async def test_a_shop_may_send_the_request_itself_and_it_waits_for_a_worker(
    kafka: KafkaSettings, redis_settings: RedisSettings, shop: Shop, tmp_path: Path
) -> None:
    await create_topics(kafka)
    environ = environment(kafka, redis_settings)
    waiting = run("forget", environ, "u1", "--wait", "0.5", "--no-search")
    assert waiting.returncode == 1
    assert "The request stays in the topic forget" in waiting.stdout
    with running_worker(environ, tmp_path / "worker.log") as worker:
        until(lambda: worker.metric("headrace_forgotten_users_total") == kafka.partitions, worker.log)
        await send(kafka)
        worker.until_events(EVENTS)
        async with AIOKafkaProducer(bootstrap_servers=kafka.bootstrap) as producer:
            await producer.send_and_wait(f"{kafka.topic_prefix}forget", None, GONE.encode())
        until(lambda: not redis_with(shop.redis, redis_settings.prefix, GONE), worker.log)
    # A worker that learns from the beginning of the log makes nothing of the user again.
    with running_worker(environ, tmp_path / "second.log") as worker:
        assert redis_with(shop.redis, redis_settings.prefix, GONE) == []
        audit = run("audit", environ, "--all", "--json")
        assert audit.returncode == 0, audit.stdout
        assert json.loads(audit.stdout)["users"] == len(OTHERS)


def test_help_has_examples() -> None:
    process = run("forget", {}, "--help")
    assert process.returncode == 0
    assert "headrace forget u17 --purge" in process.stdout


@pytest.mark.parametrize(
    ("arguments", "said"), [((), "no user is named"), (("--from", "nowhere.txt"), "nowhere.txt cannot be read")]
)
def test_a_request_for_nobody_says_what_to_do(arguments: tuple[str, ...], said: str) -> None:
    process = run("forget", {}, *arguments)
    assert process.returncode == 1
    assert said in process.stderr
