"""Everything works for a user of Redis that has only the rights of docs/operations.md: over TLS
with a client's certificate, and on a Unix socket.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest
from aiokafka import AIOKafkaProducer  # type: ignore[import-untyped]  # ships no types
from certificates import make_certificates
from forgetting import run
from redis_secured import (
    OPERATIONS,
    PASSWORD,
    QUOTED,
    SecuredRedis,
    redis_on_a_socket,
    redis_over_tls,
    rights,
    server_with_tls,
)
from workers import environment, running_worker, until

from app.concerns import KafkaSettings, RedisSettings
from app.store.lookup import Lookups

PREFIX = "shop1:"
NOW = 1_760_000_000
COMMANDS = (["doctor"], ["audit"], ["rebuild", "--user", "ben"], ["forget", "ada"])


def test_the_rights_are_the_commands_that_the_code_gives() -> None:
    # No other room gives commands to Redis.
    sources = "".join(path.read_text() for path in (OPERATIONS.parents[1] / "app" / "store").glob("*.py"))
    packed = re.findall(r'\("([A-Z]{3,})"', sources)
    scripted = re.findall(r"redis\.call\('([A-Z]+)'", sources)
    called = re.findall(r"\b(?:redis|pipeline)\.([a-z_]+)\(", sources)
    parts_of_the_client = {"add_argument", "execute", "exchange", "aclose", "pipeline", "call", "execute_command"}
    parts_of_the_client |= {"exchange_here", "with_replicas", "keys_like", "some_keys", "as_cluster"}
    names = {
        "cluster": "cluster|slots",
        "command_list": "command|list",
        "memory_usage": "memory|usage",
        "scan_iter": "scan",
    }
    used = {names.get(each, each) for each in map(str.lower, (*packed, *scripted))}
    used |= {names.get(each, each) for each in called if each not in parts_of_the_client}
    connecting = {"hello", "select", "client|setinfo"}
    given = {word[1:] for word in rights(PREFIX, vectors=True, cluster=True) if word.startswith("+")}
    assert given - connecting == used


@pytest.fixture(params=["tls", "socket"])
def secured(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SecuredRedis]:
    if request.param == "socket":
        with redis_on_a_socket(tmp_path, PREFIX) as server:
            yield server
        return
    if not server_with_tls():
        pytest.skip("no redis-server on this machine speaks TLS")
    with redis_over_tls(tmp_path, PREFIX, make_certificates(tmp_path)) as server:
        yield server


async def send(kafka: KafkaSettings) -> None:
    async with AIOKafkaProducer(bootstrap_servers=kafka.bootstrap, linger_ms=20) as producer:
        for number in range(3):
            item = {"item_id": f"i{number}", "title": f"Mug number {number}", "category": "kitchen"}
            await producer.send(f"{kafka.topic_prefix}items", orjson.dumps(item), f"i{number}".encode())
            for user in ("ada", "ben"):
                event = {"event_id": f"{user}{number}", "user_id": user, "item_id": f"i{number}", "ts": NOW + number}
                await producer.send(f"{kafka.topic_prefix}views", orjson.dumps(event), user.encode())


async def look_everything_up(url: str) -> None:
    """Ask what `headrace serve` and its page ask."""
    lookups = Lookups.connect(RedisSettings(url=url, prefix=PREFIX), recall_seconds=0.0)
    try:
        assert (await lookups.recommendations("ben", 5)).items
        assert await lookups.item("i1") is not None
        assert await lookups.profile("ben") is not None
        await lookups.similar("i1", 5)
        await lookups.recent_users(5)
        await lookups.live()
        await lookups.ping()
    finally:
        await lookups.close()


async def test_worker_and_commands_need_no_other_right(
    kafka: KafkaSettings, secured: SecuredRedis, tmp_path: Path
) -> None:
    on_socket = secured.url.startswith("unix")
    environ = environment(kafka, RedisSettings(url=secured.url, prefix=PREFIX, timeout_seconds=5))
    with running_worker(environ, tmp_path / "worker.log") as worker:
        await send(kafka)
        worker.until_events(6)
        until(lambda: worker.metric("headrace_items_total", outcome="upserted") == 3, worker.log)
        done = {name: run(name, environ, *arguments) for name, *arguments in COMMANDS[: 1 if on_socket else None]}
        await look_everything_up(secured.url)
    said = "".join(each.stdout + each.stderr for each in done.values()) + worker.log.read_text()
    assert secured.refused() == [], said
    assert {name: each.returncode for name, each in done.items()} == dict.fromkeys(done, 0), said
    assert PASSWORD not in said
    assert QUOTED not in said
    assert secured.admin.exists(f"{PREFIX}rec:{{ben}}")
    assert bool(secured.admin.exists(f"{PREFIX}rec:{{ada}}")) == on_socket  # or forgotten
