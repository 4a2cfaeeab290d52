"""Writes to Redis that come too late take nothing back, in real workers on real servers."""

import signal
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import orjson
import pytest
import redis
from aiokafka import AIOKafkaProducer  # type: ignore[import-untyped]  # ships no types
from aiokafka.partitioner import DefaultPartitioner  # type: ignore[import-untyped]  # nor here
from chaos.links import Link, running_links
from workers import environment, running_worker, unready_worker, until

from app.concerns import KafkaSettings, RedisSettings
from app.kafka.topics import create_topics
from app.store.keys import Keys

USERS = [f"u{number}" for number in range(40)]
PARTITION_OF = {user: DefaultPartitioner()(user.encode(), [0, 1], [0, 1]) for user in USERS}
BY_PARTITION = [[user for user in USERS if PARTITION_OF[user] == number] for number in (0, 1)]
ROUNDS = 5


class Shop:
    """Sends views, each of another item, and counts them in Redis."""

    def __init__(self, kafka: KafkaSettings, redis_settings: RedisSettings) -> None:
        self._kafka, self._keys = kafka, Keys(redis_settings.prefix)
        self._redis = redis.Redis.from_url(redis_settings.url)
        self.sent: Counter[str] = Counter()

    async def view(self, *users: str) -> None:
        async with AIOKafkaProducer(bootstrap_servers=self._kafka.bootstrap) as producer:
            for user in users:
                event = {"event_id": uuid4().hex, "user_id": user, "item_id": uuid4().hex, "session_id": user}
                value = orjson.dumps(event | {"ts": time.time()})
                await producer.send(f"{self._kafka.topic_prefix}views", value, key=user.encode())
                self.sent[user] += 1

    def stored(self) -> Counter[str]:
        """How many views each user's profile counts."""
        found: Counter[str] = Counter()
        for user in self.sent:
            counts = self._redis.hget(self._keys.profile(user), "counts")
            if isinstance(counts, bytes):
                found[user] = round(orjson.loads(counts)["view"])
        return found

    def newest_of_list(self, user: str) -> float:
        encoded = self._redis.get(self._keys.recommendation(user))
        assert isinstance(encoded, bytes)
        return float(orjson.loads(encoded)["event_ts"])

    def is_whole(self, users: Sequence[str] = ()) -> bool:
        """Whether these users' profiles count all their views; all users' where none is named."""
        stored = self.stored()
        return all(stored[user] == self.sent[user] for user in users or self.sent)

    def calls(self) -> int:
        """How many scripts Redis has run."""
        stats = self._redis.info("commandstats")
        return sum(int(stats[name]["calls"]) for name in ("cmdstat_evalsha", "cmdstat_eval") if name in stats)


@pytest.fixture
def kafka(kafka: KafkaSettings) -> KafkaSettings:
    return replace(kafka, partitions=2)


@pytest.fixture
def shop(kafka: KafkaSettings, redis_settings: RedisSettings) -> Shop:
    return Shop(kafka, redis_settings)


@pytest.fixture
def links(redis_settings: RedisSettings) -> Iterator[list[Link]]:
    """Each worker's only way to Redis."""
    port = int(redis_settings.url.rsplit(":", 1)[1].split("/")[0])
    with running_links() as running:
        yield [running.to(port) for _ in range(2)]


@pytest.fixture
def environs(kafka: KafkaSettings, redis_settings: RedisSettings, links: list[Link]) -> list[dict[str, str]]:
    """The environment of the worker behind each link."""
    return [
        environment(
            kafka,
            replace(redis_settings, url=f"redis://127.0.0.1:{link.port}/0"),
            HEADRACE_REDIS_TIMEOUT_SECONDS="1",
        )
        for link in links
    ]


async def test_a_write_that_arrives_after_newer_ones_changes_nothing(
    shop: Shop, environs: list[dict[str, str]], links: list[Link], tmp_path: Path
) -> None:
    with running_worker(environs[0], tmp_path / "first.log") as worker:
        await shop.view("ada")
        until(shop.is_whole, worker.log)
        links[0].stall_at(b"profile:{ada}")
        await shop.view("ada")
        until(shop.is_whole, worker.log)  # over another connection: the first write was given up
        assert links[0].has_stalled
        await shop.view("ada")
        until(shop.is_whole, worker.log)
        newest, calls = shop.newest_of_list("ada"), shop.calls()

        links[0].let_go()
        until(lambda: shop.calls() > calls, worker.log)
        assert shop.stored()["ada"] == 3
        assert shop.newest_of_list("ada") == newest
    with running_worker(environs[1], tmp_path / "second.log") as worker:
        await shop.view("ada")
        until(shop.is_whole, worker.log)


@pytest.mark.timeout(180)
async def test_a_worker_that_was_stopped_in_a_write_takes_nothing_back_when_it_goes_on(
    shop: Shop, environs: list[dict[str, str]], links: list[Link], tmp_path: Path
) -> None:
    environs[0]["HEADRACE_REDIS_TIMEOUT_SECONDS"] = "60"  # it goes on to wait for the answer
    with running_worker(environs[0], tmp_path / "first.log") as first:
        await shop.view("ada")
        until(shop.is_whole, first.log)
        links[0].stall_at(b"profile:{ada}")
        await shop.view("ada")
        until(lambda: links[0].has_stalled, first.log)
        first.process.send_signal(signal.SIGSTOP)
        with running_worker(environs[1], tmp_path / "second.log") as second:
            await shop.view("ada")
            until(shop.is_whole, second.log)
            links[0].let_go()
            first.process.send_signal(signal.SIGCONT)
            until(lambda: first.metric("headrace_refused_writes_total") > 0, first.log)
            until(lambda: first.read().events >= 2, first.log)
            assert shop.stored()["ada"] == 3
            await shop.view("ada")
            until(shop.is_whole, second.log)


@pytest.mark.timeout(180)
async def test_users_that_move_to_another_worker_while_redis_is_away_lose_nothing(
    kafka: KafkaSettings, shop: Shop, environs: list[dict[str, str]], links: list[Link], tmp_path: Path
) -> None:
    await create_topics(kafka)
    with ExitStack() as stack:
        first = stack.enter_context(running_worker(environs[0], tmp_path / "first.log"))
        await shop.view(*USERS)
        until(lambda: first.read().events == len(USERS), first.log)
        second = stack.enter_context(unready_worker(environs[1], tmp_path / "second.log"))
        links[0].cut()
        for _ in range(ROUNDS):
            await shop.view(*USERS)
        # The first worker gives its batch up, and goes on trying to write it.
        until(lambda: "not waiting" in first.log.read_text(), first.log)
        until(lambda: any(map(shop.is_whole, BY_PARTITION)), second.log)

        links[0].mend()
        until(lambda: first.read().events > len(USERS), first.log)
        until(shop.is_whole, second.log)
        await shop.view(*USERS)
        until(shop.is_whole, second.log)
