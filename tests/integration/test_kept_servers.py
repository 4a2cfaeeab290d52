"""The embedded servers whose folder keeps what they hold."""

from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition  # type: ignore[import-untyped]  # no types
from redis import Redis

from app.errors import HeadraceError
from app.local.kept import kept_servers


async def send(kafka: str, value: bytes) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=kafka)
    await producer.start()
    await producer.send_and_wait("views", value, key=b"ada", partition=0)
    await producer.stop()


async def first_record(kafka: str) -> bytes:
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka, auto_offset_reset="earliest")
    await consumer.start()
    try:
        consumer.assign([TopicPartition("views", 0)])
        value: bytes = (await consumer.getone()).value
        return value
    finally:
        await consumer.stop()


async def test_records_and_keys_are_there_after_all_servers_were_killed(tmp_path: Path) -> None:
    with kept_servers(tmp_path / "kept", tmp_path) as servers:
        broker, store, _ = servers
        with Redis.from_url(store.address) as redis:
            redis.set("greeting", "hello")
        await send(broker.address, b"a view")
        for server in servers:
            server.process.kill()
            assert server.process.wait() != 0
    with kept_servers(tmp_path / "kept", tmp_path) as (broker, store, _):
        with Redis.from_url(store.address) as redis:
            assert redis.get("greeting") == b"hello"
        assert await first_record(broker.address) == b"a view"


def test_a_folder_serves_one_command_at_a_time(tmp_path: Path) -> None:
    with (
        kept_servers(tmp_path / "kept", tmp_path),
        pytest.raises(HeadraceError, match="another `headrace up` uses"),
        kept_servers(tmp_path / "kept", tmp_path),
    ):
        pass


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(HeadraceError, match="name another folder"), kept_servers(tmp_path / "file", tmp_path):
        pass
