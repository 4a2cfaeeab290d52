"""Redis behind Sentinels: everybody finds the primary, also after a failover, and `doctor` says
what is wrong with an address.
"""

from collections.abc import Iterator

import pytest
from redis.exceptions import ConnectionError, RedisError
from redis_secured import QUOTED, USER, rights
from redis_sentinels import NAME, RedisSentinels, redis_sentinels
from workers import until

from app.checkup.doctor import Finding, Status
from app.checkup.redis_server import check_redis
from app.concerns import RedisSettings
from app.store.connection import connect
from app.store.packed import PackedRedis
from headrace import AsyncHeadrace, Headrace
from headrace.errors import StoreAway, UnusableSetting


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisSentinels]:
    with redis_sentinels(tmp_path_factory.mktemp("sentinels")) as running:
        yield running


async def found_by_doctor(url: str, check: str = "redis sentinel") -> Finding:
    findings = await check_redis(RedisSettings(url=url, timeout_seconds=1.0))
    return next(each for each in findings if each.check == check)


async def test_all_is_well_where_the_sentinels_name_a_primary_with_replicas(watched: RedisSentinels) -> None:
    findings = {each.check: each for each in await check_redis(RedisSettings(url=watched.url))}
    assert {each.status for each in findings.values()} == {Status.OK}
    said = findings["redis sentinel"].detail
    assert said == f"3 of 3 Sentinels answer; {NAME} is 127.0.0.1:{watched.primary().port}, with 2 replicas"
    assert watched.hosts in findings["redis"].detail


@pytest.mark.parametrize(
    ("form", "check", "detail", "advice"),
    [
        (
            "redis+sentinel://{hosts}/lists/0",
            "redis sentinel",
            f"know no primary 'lists', but '{NAME}'",
            "put the name",
        ),
        ("redis+sentinel://127.0.0.1:1/shop-lists/0", "redis sentinel", "the Sentinel does not answer", "start them"),
        ("redis+sentinel://{server}/shop-lists/0", "redis sentinel", "is a Redis server, no Sentinel", "port 26379"),
        (
            "redis+sentinel://{hosts}/shop-lists/0?sentinel_username=ada&sentinel_password=sesame",
            "redis sentinel",
            "refuse to let us in",
            "sentinel_password",
        ),
        ("redis://{sentinel}/0", "redis mode", "a Redis Sentinel answers", "redis+sentinel://"),
        ("redis+sentinel://{hosts}/shop-lists/0?db=x", "redis", "cannot be used", "correct HEADRACE_REDIS_URL"),
        ("redis+sentinel://{hosts}", "redis", "needs Sentinels and the name", "correct HEADRACE_REDIS_URL"),
    ],
)
async def test_doctor_names_what_is_wrong_and_what_to_set(
    watched: RedisSentinels, form: str, check: str, detail: str, advice: str
) -> None:
    sentinel, server = (f"127.0.0.1:{each.port}" for each in (watched.sentinels[0], watched.servers[0]))
    finding = await found_by_doctor(form.format(hosts=watched.hosts, sentinel=sentinel, server=server), check)
    assert finding.status is Status.FAILED
    assert detail in finding.detail
    assert advice in finding.advice
    assert "sesame" not in finding.detail + finding.advice


async def test_a_sentinel_that_is_away_is_a_warning(watched: RedisSentinels) -> None:
    url = watched.url.replace("//", "//127.0.0.1:1,")
    finding = await found_by_doctor(url)
    assert finding.status is Status.WARNING
    assert finding.detail.startswith("3 of 4 Sentinels answer")
    with Headrace(url) as headrace:
        assert headrace.recommendations("ada") == []


async def test_a_right_that_only_a_failover_needs_is_missed(watched: RedisSentinels) -> None:
    url = watched.url_of(USER, QUOTED, rights("hr:", vectors=True), sentinel_password="open")
    assert (await found_by_doctor(url, "redis rights")).detail == "this user may not WAIT"


async def test_a_name_that_nobody_knows_is_told_to_who_looks_up(watched: RedisSentinels) -> None:
    url = watched.url.replace(NAME, "lists")
    with Headrace(url) as headrace, pytest.raises(StoreAway, match="no Sentinel names a primary 'lists'"):
        headrace.recommendations("ada")
    async with AsyncHeadrace(url) as headrace:
        with pytest.raises(StoreAway, match="no Sentinel names a primary 'lists'"):
            await headrace.recommendations("ada")
    async with connect(RedisSettings(url=url)) as redis:
        with pytest.raises(ConnectionError, match="no Sentinel names a primary 'lists'"):
            await redis.exchange([("GET", "x")])
    with pytest.raises(UnusableSetting, match="needs Sentinels and the name"):
        Headrace("redis+sentinel://127.0.0.1:26379")


async def test_open_connections_go_over_to_the_new_primary(watched: RedisSentinels) -> None:
    before = watched.primary()
    before.ask("SET", "hr:rec:{eva}", b'{"user_id":"eva","items":[["mug",1.0,"view"]],"event_ts":1}')
    async with connect(RedisSettings(url=watched.url)) as redis, AsyncHeadrace(watched.url) as later:
        with Headrace(watched.url) as headrace:
            await redis.exchange([("SET", "where", "before")])
            headrace.recommendations("ada")
            await later.recommendations("ada")
            watched.sentinels[0].ask("SENTINEL", "FAILOVER", NAME)
            until(lambda: watched.primary() is not before)
            until(lambda: before.client.info("replication")["role"] == "slave")
            await until_written(redis, "after")
            assert watched.get("where") == b"after"
            until(lambda: answers(headrace))
            assert await later.recommendations("ada") == []


async def until_written(redis: PackedRedis, value: str) -> None:
    for _ in range(3):  # the first tries may find the old primary
        try:
            [reply] = await redis.exchange([("SET", "where", value)])
        except RedisError:
            continue
        if reply == b"OK":
            return
    raise AssertionError("nobody takes a write")


def answers(headrace: Headrace) -> bool:
    try:
        return headrace.recommendations("ada") == []
    except StoreAway:
        return False
