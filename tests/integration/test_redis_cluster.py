"""The store on a real Redis Cluster: every command reaches the node that owns its key."""

import signal
from collections.abc import AsyncIterator, Iterator

import pytest
from redis.exceptions import NoPermissionError, ResponseError
from redis_cluster import RedisCluster, redis_cluster
from workers import free_port

from app.checkup.redis_server import check_redis
from app.concerns import RedisSettings
from app.store import replica_wait
from app.store.catalogue_pages import CatalogueChoice, read_catalogue
from app.store.clustered import START, Place
from app.store.commands import execute
from app.store.connection import connect
from app.store.keys import Keys
from app.store.list_count import count_lists, users_with_lists
from app.store.packed import Command, PackedRedis
from app.store.scripts import Script
from headrace import AsyncHeadrace, Headrace
from headrace.refusals import translate
from headrace.slots import slot_of

MANY = [f"k{number}" for number in range(300)]
LIST = b'{"user_id":"u","items":[{"item_id":"i","score":1,"source":"s"}],"event_ts":1,"generated_at":2,"model":"m"}'


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisCluster]:
    with redis_cluster(tmp_path_factory.mktemp("cluster")) as running:
        yield running


@pytest.fixture
async def redis(cluster: RedisCluster) -> AsyncIterator[PackedRedis]:
    async with connect(RedisSettings(url=cluster.url)) as connected:
        yield connected
        for node in cluster.nodes[:3]:
            node.ask("FLUSHALL")


async def test_commands_of_all_nodes_are_answered_in_their_order(cluster: RedisCluster, redis: PackedRedis) -> None:
    await execute(redis, [("SET", key, key) for key in MANY])
    assert await execute(redis, [("GET", key) for key in MANY]) == [key.encode() for key in MANY]
    assert all(node.client.dbsize() for node in cluster.nodes[:3])


async def test_what_is_written_is_on_a_replica_when_it_is_answered(cluster: RedisCluster, redis: PackedRedis) -> None:
    await execute(redis, [("SET", key, key) for key in MANY])
    assert [node.client.dbsize() for node in cluster.nodes[3:]] == [node.client.dbsize() for node in cluster.nodes[:3]]


async def test_a_write_that_no_replica_has_in_time_is_warned_of_and_done(
    cluster: RedisCluster, redis: PackedRedis, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    await execute(redis, [("GET", key) for key in MANY])
    monkeypatch.setattr(replica_wait, "REPLICA_MILLISECONDS", 50)
    owner = cluster.owner("k")
    replica = cluster.nodes[cluster.nodes.index(owner) + 3]
    replica.process.send_signal(signal.SIGSTOP)
    try:
        assert await execute(redis, [("SET", "k", 1), ("GET", "k")]) == [b"OK", b"1"]
    finally:
        replica.process.send_signal(signal.SIGCONT)
    assert f"no replica of 127.0.0.1:{owner.port} had a write within 0.05 s" in caplog.text


async def test_scripts_and_transactions_run_where_their_keys_are(redis: PackedRedis) -> None:
    add = Script("return redis.call('INCR', KEYS[1]) + redis.call('INCR', KEYS[2])", keys=2)
    calls = [add.call(f"a{{{key}}}", f"b{{{key}}}") for key in MANY]
    assert await add.run(redis, calls) == [2] * len(MANY)
    transactions: list[Command] = []
    for key in MANY:
        transactions += [("MULTI",), ("DEL", f"a{{{key}}}"), ("INCR", f"b{{{key}}}"), ("EXEC",)]
    assert (await execute(redis, transactions))[3::4] == [[1, 2]] * len(MANY)


async def test_all_keys_are_found_also_by_who_asks_for_them_first(cluster: RedisCluster, redis: PackedRedis) -> None:
    keys, users = Keys("hr:"), [*MANY, "}odd", "}"]
    await execute(redis, [("SET", keys.recommendation(user), LIST) for user in users])
    settings = RedisSettings(url=cluster.url)
    assert await count_lists(settings) == len(users)
    assert await users_with_lists(settings, len(users)) == sorted(users)


async def test_the_shops_client_finds_lists_on_all_nodes(cluster: RedisCluster, redis: PackedRedis) -> None:
    keys = Keys("hr:")
    await execute(redis, [("SET", keys.recommendation(user), LIST) for user in MANY])
    with Headrace(cluster.url) as headrace:
        found = headrace.recommendations_of(MANY)
    async with AsyncHeadrace(cluster.url) as asynchronous:
        assert await asynchronous.recommendations_of(MANY) == found
    assert {user: [each.item_id for each in listed] for user, listed in found.items()} == {key: ["i"] for key in MANY}


async def test_the_catalogue_is_read_from_all_nodes_page_by_page(cluster: RedisCluster, redis: PackedRedis) -> None:
    keys = Keys("hr:")
    await execute(redis, [("HSET", keys.item(item), "title", item) for item in MANY])
    found: list[str] = []
    place: Place | None = START
    while place is not None:
        page = await read_catalogue(redis, keys, CatalogueChoice(), place, 20)
        found += [entry.item_id for entry in page.entries]
        place = page.place
    assert sorted(found) == sorted(MANY)


async def test_a_slot_on_its_way_to_another_node_is_read_and_written(cluster: RedisCluster, redis: PackedRedis) -> None:
    await execute(redis, [("SET", "here", "1")])
    source = cluster.owner("here")
    target = next(node for node in cluster.nodes[:3] if node is not source)
    slot, names = slot_of("here"), {node.port: node.ask("CLUSTER", "MYID") for node in (source, target)}
    target.ask("CLUSTER", "SETSLOT", slot, "IMPORTING", names[source.port])
    source.ask("CLUSTER", "SETSLOT", slot, "MIGRATING", names[target.port])
    try:
        assert await execute(redis, [("GET", "here"), ("SET", "{here}new", "2")]) == [b"1", b"OK"]
        assert await execute(redis, [("GET", "{here}new")]) == [b"2"]
        source.ask("MIGRATE", "127.0.0.1", target.port, "here", 0, 5000)
    finally:
        for node in (target, source):
            node.ask("CLUSTER", "SETSLOT", slot, "NODE", names[target.port])
    assert await execute(redis, [("GET", "here"), ("GET", "{here}new")]) == [b"1", b"2"]


async def test_who_meets_the_cluster_while_another_learns_its_nodes_has_each_command_done_once(
    redis: PackedRedis,
) -> None:
    commands: list[Command] = [("INCR", key) for key in MANY]
    heard = await redis.exchange_here(commands)
    await redis.as_cluster().primaries()
    assert await redis.as_cluster().go_on(commands, heard) == [1] * len(MANY)


async def test_of_several_hosts_one_that_lives_is_enough(cluster: RedisCluster, redis: PackedRedis) -> None:
    keys, ports = Keys("hr:"), [free_port(), cluster.nodes[1].port]
    await execute(redis, [("SET", keys.recommendation(user), LIST) for user in MANY])
    url = "redis://" + ",".join(f"127.0.0.1:{port}" for port in ports) + "/0"
    async with connect(RedisSettings(url=url)) as several:
        assert await execute(several, [("GET", keys.recommendation(user)) for user in MANY]) == [LIST] * len(MANY)
    with Headrace(url) as headrace:
        assert [each.item_id for each in headrace.recommendations(MANY[0])] == ["i"]
    async with AsyncHeadrace(url) as asking:
        assert [each.item_id for each in await asking.recommendations(MANY[0])] == ["i"]
    found = {each.check: each for each in await check_redis(RedisSettings(url=url))}
    assert (found["redis"].status, found["redis mode"].status) == ("ok", "ok")


async def test_several_hosts_that_are_no_cluster_are_told_as_such(redis_url: str) -> None:
    url = redis_url.replace("/0", ",127.0.0.1:1/0")
    async with connect(RedisSettings(url=url)) as several:
        with pytest.raises(ResponseError) as raised:
            await execute(several, [("GET", "k")])
    assert "name one" in str(translate(raised.value))
    found = {each.check: each for each in await check_redis(RedisSettings(url=url))}
    assert found["redis mode"].status == "failed"


async def test_a_user_who_may_not_ask_where_slots_are_is_told(cluster: RedisCluster) -> None:
    for node in cluster.nodes:
        node.ask("ACL", "SETUSER", "few", "on", ">sesame", "~*", "+@all", "-cluster|slots")
    url = cluster.url.replace("redis://", "redis://few:sesame@")
    async with connect(RedisSettings(url=url)) as redis:
        await execute(redis, [("GET", key) for key in MANY])  # follows what each node says
        with pytest.raises(NoPermissionError, match="cluster"):
            await execute(redis, [("GET", key) for key in MANY])
