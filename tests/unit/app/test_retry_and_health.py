"""A call to a dependency that is away is retried, and the worker is not ready meanwhile."""

import asyncio
import logging
from dataclasses import replace

import pytest
from prometheus_client import CollectorRegistry

from agents.metrics import Metrics, total
from app.errors import HeadraceError
from app.health import Health
from app.retry import Retry


class Broken(Exception):
    """The error that the dependency raises."""


class Dependency:
    """Fails `failures` times, then answers. It keeps what health said at each call."""

    def __init__(self, health: Health, failures: int) -> None:
        self.health, self.failures = health, failures
        self.ready: list[bool] = []

    async def call(self) -> str:
        self.ready.append(self.health.ready)
        if len(self.ready) <= self.failures:
            raise Broken("the line is cut")
        return "answer"


@pytest.fixture
def health() -> Health:
    return Health(starting="")


@pytest.fixture
def metrics() -> Metrics:
    return Metrics(CollectorRegistry())


@pytest.fixture
def pauses() -> list[float]:
    """The pauses that were requested. None of them is waited for."""
    return []


@pytest.fixture
def retry(health: Health, metrics: Metrics, pauses: list[float]) -> Retry:
    async def sleep(seconds: float) -> None:
        pauses.append(seconds)
        await asyncio.sleep(0)

    return Retry("Redis", (Broken,), health, metrics.retries, sleep)


async def test_what_works_at_once_is_called_once(retry: Retry, health: Health, metrics: Metrics) -> None:
    dependency = Dependency(health, failures=0)
    assert await retry(dependency.call) == "answer"
    assert dependency.ready == [True]
    assert total(metrics.retries) == 0


async def test_it_is_tried_until_it_works_and_not_ready_meanwhile(
    retry: Retry, health: Health, metrics: Metrics, pauses: list[float]
) -> None:
    dependency = Dependency(health, failures=3)
    assert await retry(dependency.call) == "answer"
    assert dependency.ready == [True, False, False, False]
    assert health.ready
    assert total(metrics.retries, dependency="Redis") == len(pauses) == 3


async def test_pauses_grow_up_to_the_longest(retry: Retry, health: Health, pauses: list[float]) -> None:
    await retry(Dependency(health, failures=9).call)
    assert pauses == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0, 5.0]


async def test_health_says_what_is_away_and_why(retry: Retry, health: Health) -> None:
    trying = asyncio.create_task(retry(Dependency(health, failures=1).call))
    async with asyncio.timeout(5):
        while health.ready:
            await asyncio.sleep(0)
    assert health.detail == "Redis is away: the line is cut"
    assert await trying == "answer"
    assert health.detail == ""


async def test_an_error_without_words_is_named(retry: Retry, health: Health) -> None:
    details = []

    async def call() -> None:
        details.append(health.detail)
        if len(details) == 1:
            raise Broken

    await retry(call)
    assert details == ["", "Redis is away: Broken"]


async def test_another_error_is_a_bug_and_passes_through(retry: Retry, health: Health) -> None:
    async def call() -> None:
        raise KeyError("bug")

    with pytest.raises(KeyError):
        await retry(call)
    assert health.ready


async def test_what_is_refused_is_not_tried_again(retry: Retry, health: Health, pauses: list[float]) -> None:
    firm = replace(retry, refuses=lambda error: "cut" in str(error))
    with pytest.raises(HeadraceError, match=r"Redis refuses a command, .*: the line is cut\. Ask `headrace doctor`"):
        await firm(Dependency(health, failures=1).call)
    assert pauses == []
    assert health.ready


async def test_an_outage_is_logged_when_it_begins_and_when_it_ends(
    retry: Retry, health: Health, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, logger="app.retry"):
        await retry(Dependency(health, failures=5).call)
    assert [record.message for record in caplog.records] == [
        "Redis is away, trying again until it is back: the line is cut",
        "Redis is back",
    ]


async def test_a_caller_that_succeeds_says_nothing_of_another_that_still_fails(retry: Retry, health: Health) -> None:
    broken = Dependency(health, failures=1_000_000)
    trying = asyncio.create_task(retry(broken.call))
    async with asyncio.timeout(5):
        while not broken.ready[1:]:
            await asyncio.sleep(0)
    assert await retry(Dependency(health, failures=0).call) == "answer"
    assert await retry(Dependency(health, failures=2).call) == "answer"
    assert health.detail == "Redis is away: the line is cut"
    trying.cancel()
    await asyncio.wait({trying})
    assert health.ready


@pytest.mark.parametrize(
    ("starting", "away", "detail"),
    [
        ("", {}, ""),
        ("it starts", {}, "it starts"),
        ("", {"Redis": "refused"}, "Redis is away: refused"),
        ("it starts", {"Redis": "refused", "Kafka": "gone"}, "it starts; Redis is away: refused; Kafka is away: gone"),
    ],
)
def test_a_worker_is_ready_when_nothing_is_in_the_way(starting: str, away: dict[str, str], detail: str) -> None:
    health = Health(starting)
    for name, error in away.items():
        health.fails(name, "a caller", error)
    assert health.detail == detail
    assert health.ready == (not detail)


def test_a_new_worker_is_not_ready() -> None:
    assert not Health().ready


def test_what_else_is_in_the_way_is_asked_each_time(health: Health) -> None:
    health.starting = ""
    reasons = ["it has not begun to read views-0"]
    health.also = lambda: reasons[0]
    assert (health.ready, health.detail) == (False, "it has not begun to read views-0")
    reasons[0] = ""
    assert (health.ready, health.detail) == (True, "")
