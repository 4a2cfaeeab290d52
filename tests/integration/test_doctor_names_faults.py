"""For each fault of a real Kafka or Redis, `headrace doctor` names what is wrong and what to set.

Faults of Sentinels are in test_redis_sentinel.py, all ways to log in to Kafka in
test_kafka_login.py.
"""

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

import pytest
import redis
from apache_kafka import PASSWORD, TOPIC, ApacheKafka, allow
from made_topics import make_topics
from redis_cluster import RedisCluster, redis_cluster
from redis_pair import Pair, two_servers

from app.checkup.doctor import Findings, Status
from app.checkup.kafka_server import check_broker, check_topics
from app.checkup.progress import check_lag
from app.checkup.redis_server import check_redis
from app.concerns import KafkaSettings, RedisSettings
from app.kafka.topics import create_topics

HOUR = 3_600_000
KafkaCheck = Callable[[KafkaSettings], Awaitable[Findings]]


class Fault(NamedTuple):
    """What is wrong with the topics, and what the doctor says of it."""

    partitions: dict[str, int]
    config: dict[str, str]
    check: str
    status: Status
    detail: str
    advice: str


TOPICS: dict[str, Fault] = {
    "message size too small": Fault(
        {"views": 1, "quarantine": 1},
        {"max.message.bytes": "1000000"},
        "topic settings",
        Status.WARNING,
        "views has max.message.bytes=1000000, less than 16777216",
        "HEADRACE_KAFKA_MAX_MESSAGE_BYTES",
    ),
    "retention too short": Fault(
        {"views": 1, "interactions": 1},
        {"retention.ms": str(6 * HOUR)},
        "retention",
        Status.WARNING,
        "Kafka keeps views for 6 h, interactions for 6 h only",
        "raise retention.ms",
    ),
    "compacted topic that deletes": Fault(
        {"items": 1},
        {"cleanup.policy": "delete"},
        "topic settings",
        Status.WARNING,
        "items has cleanup.policy=delete, not compact",
        "kafka-configs",
    ),
    "partitions that do not fit together": Fault(
        {"views": 2, "clicks": 3},
        {},
        "partitions",
        Status.FAILED,
        "must be equal, but are views 2, clicks 3",
        "add partitions to the smaller ones",
    ),
    "wrong prefix": Fault({"view": 1}, {}, "topics", Status.WARNING, "-views, ", "check HEADRACE_KAFKA_TOPIC_PREFIX"),
}


@pytest.mark.parametrize("name", TOPICS)
async def test_topics_that_are_set_wrong(kafka: KafkaSettings, name: str) -> None:
    fault = TOPICS[name]
    await make_topics(kafka, fault.partitions, **fault.config)
    found = {each.check: each for each in await check_topics(kafka)}[fault.check]
    assert (found.status, fault.detail in found.detail, fault.advice in found.advice) == (fault.status, True, True), (
        found
    )


@pytest.mark.parametrize("milliseconds", [24 * HOUR, -1])
async def test_a_topic_that_keeps_a_day_or_all_is_fine(kafka: KafkaSettings, milliseconds: int) -> None:
    await make_topics(kafka, {"views": 1}, **{"retention.ms": str(milliseconds)})
    assert "retention" not in {each.check for each in await check_topics(kafka)}


LOGINS: dict[str, tuple[KafkaCheck, dict[str, Any], str, str]] = {
    "login wrong": (check_broker, {"sasl_password": "sesame"}, "refuses user replay", "HEADRACE_KAFKA_SASL_PASSWORD"),
    "TLS CA missing": (check_broker, {"tls_ca_file": ""}, "cannot be trusted", "HEADRACE_KAFKA_TLS_CA_FILE"),
    "ACL of topics missing": (check_topics, {}, "missing: ", "give this user the rights that docs/operations.md lists"),
    "ACL of the group missing": (
        check_lag,
        {},
        "this user may not: ",
        "give this user the rights that docs/operations.md lists",
    ),
}


@pytest.mark.parametrize("name", LOGINS)
async def test_a_login_or_right_that_is_missing(apache: ApacheKafka, name: str) -> None:
    check, wrong, detail, advice = LOGINS[name]
    prefix = f"test-{uuid4().hex[:12]}"
    made = await create_topics(KafkaSettings(bootstrap=apache.open, topic_prefix=prefix, partitions=1))
    if "group" in name:
        await allow(apache.open, [("replay", TOPIC, topic, "Read") for topic in made])
    settings = KafkaSettings(
        bootstrap=apache.sasl_tls,
        topic_prefix=prefix,
        group=prefix,
        security_protocol="SASL_SSL",
        sasl_username="replay",
        sasl_password=PASSWORD,
        tls_ca_file=str(apache.certificates.ca),
    )
    found = next(iter(await check(replace(settings, **wrong))))
    assert found.status is not Status.OK
    assert detail in found.detail
    assert advice in found.advice
    assert "sesame" not in found.detail + found.advice


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    with two_servers(tmp_path_factory.mktemp("pair")) as running:
        yield running


def port_of(server: "redis.Redis") -> int:
    return int(server.connection_pool.connection_kwargs["port"])


async def test_a_replica_takes_no_writes(pair: Pair) -> None:
    [found] = [each for each in await check_redis(RedisSettings(url=at(pair.second))) if each.check == "redis mode"]
    assert found.status is Status.FAILED
    assert found.detail == f"a replica of 127.0.0.1:{port_of(pair.first)}, which takes no writes (READONLY)"
    assert "set HEADRACE_REDIS_URL to the primary" in found.advice
    assert "redis+sentinel://" in found.advice


def at(server: "redis.Redis", login: str = "") -> str:
    return f"redis://{login}127.0.0.1:{port_of(server)}/0"


@pytest.mark.parametrize(
    ("login", "check", "detail", "advice"),
    [
        ("ada:wrong@", "redis", "refuses to let us in", "put user and password into HEADRACE_REDIS_URL"),
        ("few:sesame-few@", "redis rights", "this user may not SET", "docs/operations.md"),
    ],
)
async def test_a_login_or_a_right_that_redis_lacks(
    pair: Pair, login: str, check: str, detail: str, advice: str
) -> None:
    pair.first.execute_command(  # type: ignore[no-untyped-call]  # redis-py has no types here
        "ACL", "SETUSER", "few", "on", ">sesame-few", "~*", "-@all", "+ping", "+hello", "+client|setinfo", "+select",
        "+info", "+get", "+time", "+command|list",
    )  # fmt: skip
    [found] = [each for each in await check_redis(RedisSettings(url=at(pair.first, login))) if each.check == check]
    assert found.status is Status.FAILED
    assert detail in found.detail
    assert advice in found.advice
    assert "sesame" not in found.detail + found.advice


async def test_several_hosts_that_are_no_cluster(pair: Pair) -> None:
    url = f"redis://127.0.0.1:{port_of(pair.first)},127.0.0.1:{port_of(pair.second)}/0"
    [found] = [each for each in await check_redis(RedisSettings(url=url)) if each.check == "redis mode"]
    assert (found.status, found.detail) == (Status.FAILED, "several hosts, which are no cluster")
    assert "name one host in HEADRACE_REDIS_URL" in found.advice


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[RedisCluster]:
    with redis_cluster(tmp_path / "cluster") as running:
        yield running


async def test_a_cluster_is_told_from_one_server_and_a_primary_without_a_replica_is_named(
    cluster: RedisCluster,
) -> None:
    def mode(findings: Findings) -> tuple[Status, str, str]:
        [found] = [each for each in findings if each.check == "redis mode"]
        return found.status, found.detail, found.advice

    whole = mode(await check_redis(RedisSettings(url=cluster.url)))
    assert whole == (Status.OK, "a cluster of 3 primaries, 3 of them with a replica", "")
    cluster.nodes[0].ask("CLUSTER", "FORGET", cluster.nodes[4].ask("CLUSTER", "MYID"))
    status, detail, advice = mode(await check_redis(RedisSettings(url=cluster.url)))
    assert (status, detail) == (Status.WARNING, "a cluster of 3 primaries, 2 of them with a replica")
    assert "give each primary a replica" in advice
