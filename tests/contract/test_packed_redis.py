"""The packed connections against a real Redis, and against a line that breaks, hangs or splits what
it carries.
"""

import asyncio
import shutil
import ssl
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from redis.exceptions import ConnectionError, InvalidResponse, ReadOnlyError, ResponseError, TimeoutError
from redis_line import RedisLine

from app.concerns import RedisSettings
from app.local.servers import embedded_redis
from app.store import packed
from app.store.commands import execute
from app.store.connection import connect
from app.store.packed import PackedRedis

DEADLINE_SECONDS = 10.0


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[PackedRedis]:
    async with PackedRedis.from_url(redis_url, socket_timeout=5) as connected:
        yield connected


@pytest.fixture
def key() -> str:
    return f"test-{uuid4().hex}"


@asynccontextmanager
async def line_to(redis_url: str, timeout_seconds: float = 5.0) -> AsyncIterator[tuple[RedisLine, PackedRedis]]:
    line = RedisLine(urlsplit(redis_url).port or 0)
    async with await asyncio.get_running_loop().create_server(line.accept, "127.0.0.1", 0) as server:
        here = server.sockets[0].getsockname()[1]
        redis = connect(RedisSettings(f"redis://127.0.0.1:{here}/0", timeout_seconds=timeout_seconds))
        try:
            yield line, redis
        finally:
            await redis.aclose()
            line.cut()


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(DEADLINE_SECONDS):
        while not holds():
            await asyncio.sleep(0)


async def test_a_large_pipeline_is_answered_in_its_order(redis: PackedRedis, key: str) -> None:
    numbers = range(20_000)
    replies = await redis.exchange([("ECHO", str(number)) for number in numbers])
    assert replies == [str(number).encode() for number in numbers]
    large = b"x" * 5_000_000
    assert await redis.exchange([("SET", key, large), ("GET", key), ("DEL", key)]) == [b"OK", large, 1]


async def test_no_command_needs_no_connection() -> None:
    async with PackedRedis.from_url("redis://127.0.0.1:1/0") as away:
        assert await away.exchange([]) == []


async def test_an_error_in_the_middle_is_a_value_and_the_others_are_answered(redis: PackedRedis, key: str) -> None:
    before, error, after = await redis.exchange([("SET", key, "text"), ("HGET", key, "f"), ("GET", key)])
    assert (before, after) == (b"OK", b"text")
    assert isinstance(error, ResponseError)
    assert "WRONGTYPE" in str(error)
    with pytest.raises(ResponseError, match="WRONGTYPE"):
        await execute(redis, [("HGET", key, "f"), ("DEL", key)])
    assert await redis.exchange([("EXISTS", key)]) == [0]


async def test_bytes_that_are_no_text_come_back_as_they_were(redis: PackedRedis, key: str) -> None:
    every = bytes(range(256))
    assert await redis.exchange([("SET", key, every), ("GET", key), ("HSET", every, every, every)]) == [b"OK", every, 1]
    assert await redis.exchange([("HGETALL", every), ("DEL", every, key)]) == [{every: every}, 2]


async def test_an_error_may_quote_bytes_that_are_no_text(redis: PackedRedis) -> None:
    [error] = await redis.exchange([(b"\xff\xfe",)])
    assert "unknown command" in str(error)
    assert await redis.exchange([("PING",)]) == [b"PONG"]


async def test_replies_of_every_kind_are_told_from_none_at_all(redis: PackedRedis, key: str) -> None:
    commands: list[packed.Command] = [("GET", key), ("EXISTS", key), ("LRANGE", key, 0, -1), ("SMISMEMBER", key, "a")]
    assert await redis.exchange(commands) == [None, 0, [], [0]]


async def test_callers_on_one_connection_get_their_own_replies(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packed, "MOST_CONNECTIONS", 1)
    async with line_to(redis_url) as (line, redis):
        asked = [redis.exchange([("ECHO", str(n)), ("ECHO", f"{n}!")]) for n in range(300)]
        assert await asyncio.gather(*asked) == [[str(n).encode(), f"{n}!".encode()] for n in range(300)]
        assert line.connections == 1


async def test_a_slow_command_does_not_hold_up_others(redis: PackedRedis, key: str) -> None:
    waiting = asyncio.create_task(redis.exchange([("BLPOP", key, 0)]))
    async with asyncio.timeout(DEADLINE_SECONDS):
        assert await redis.exchange([("RPUSH", key, "go")]) == [1]
        assert await waiting == [[key.encode(), b"go"]]


async def test_replies_that_come_byte_by_byte_are_put_together(redis_url: str, key: str) -> None:
    async with line_to(redis_url) as (line, redis):
        await redis.exchange([("PING",)])
        line.step = 1
        assert await redis.exchange([("SET", key, b"a\r\n$-1\r\nb"), ("GET", key)]) == [b"OK", b"a\r\n$-1\r\nb"]


async def test_a_cancelled_callers_replies_go_to_nobody_else(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packed, "MOST_CONNECTIONS", 1)
    async with line_to(redis_url) as (line, redis):
        await redis.exchange([("PING",)])
        line.hold()
        given_up = asyncio.create_task(redis.exchange([("ECHO", "theirs"), ("ECHO", "theirs too")]))
        kept = asyncio.create_task(redis.exchange([("ECHO", "ours")]))
        [connection] = redis._packed
        await until(lambda: connection.waiting == 2)
        given_up.cancel()
        line.release()
        assert await kept == [b"ours"]
        assert await redis.exchange([("ECHO", "next")]) == [b"next"]
        assert line.connections == 1
        with pytest.raises(asyncio.CancelledError):
            await given_up


async def test_a_caller_that_gives_up_while_connecting_leaves_the_connection_to_the_others(redis_url: str) -> None:
    async with line_to(redis_url) as (line, redis):
        line.hold()
        given_up = asyncio.create_task(redis.exchange([("ECHO", "theirs")]))
        kept = asyncio.create_task(redis.exchange([("ECHO", "ours")]))
        await until(lambda: line.connections == 1)
        given_up.cancel()
        line.release()
        assert await kept == [b"ours"]
        assert line.connections == 1


async def test_a_line_that_breaks_fails_all_that_wait_and_the_next_one_connects_again(
    redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packed, "MOST_CONNECTIONS", 1)
    async with line_to(redis_url) as (line, redis):
        await redis.exchange([("PING",)])
        line.hold()
        asked = [asyncio.create_task(redis.exchange([("ECHO", str(n))])) for n in range(3)]
        [connection] = redis._packed
        await until(lambda: connection.waiting == 3)
        line.cut()
        for each in asked:
            with pytest.raises(ConnectionError, match="Redis closed the connection"):
                await each
        assert await redis.exchange([("PING",)]) == [b"PONG"]
        assert line.connections == 2


async def test_a_connection_that_broke_while_idle_is_not_used_again(redis: PackedRedis) -> None:
    [number] = await redis.exchange([("CLIENT", "ID")])
    [connection] = redis._packed
    await redis.client_kill_filter(_id=number)
    await until(lambda: not connection.usable)
    assert await redis.exchange([("PING",)]) == [b"PONG"]


async def test_a_server_that_says_nothing_is_given_up_within_the_timeout(redis_url: str) -> None:
    async with line_to(redis_url, timeout_seconds=0.1) as (line, redis):
        await redis.exchange([("PING",)])
        line.hold()
        async with asyncio.timeout(DEADLINE_SECONDS):
            with pytest.raises(TimeoutError, match=r"within 0\.1 s"):
                await redis.exchange([("PING",)])
        line.release()
        assert await redis.exchange([("PING",)]) == [b"PONG"]
        assert line.connections == 2


async def test_a_pipeline_may_take_longer_than_the_timeout_while_replies_come(redis_url: str, key: str) -> None:
    async with line_to(redis_url, timeout_seconds=0.2) as (_, redis):
        replies = await redis.exchange([("BLPOP", key, 0.06)] * 10)
        assert replies == [None] * 10


async def test_a_reply_that_nobody_asked_for_ends_the_connection(redis_url: str) -> None:
    async with line_to(redis_url) as (line, redis):
        await redis.exchange([("PING",)])
        line.extra = b"+surplus\r\n"
        assert await redis.exchange([("PING",)]) == [b"PONG"]
        line.extra = b""
        assert await redis.exchange([("ECHO", "ours")]) == [b"ours"]
        assert line.connections == 2


async def test_what_is_not_redis_is_an_error(redis_url: str) -> None:
    async with line_to(redis_url) as (line, redis):
        await redis.exchange([("PING",)])
        line.extra = b"HTTP/1.1 200 OK\r\n\r\n"
        with pytest.raises(InvalidResponse):
            await redis.exchange([("ECHO", "a"), ("ECHO", "b"), ("BLPOP", "nothing", 5)])


async def test_a_demoted_server_is_left_by_every_connection(tmp_path: Path) -> None:
    with embedded_redis(tmp_path) as url:
        async with line_to(url) as (line, redis):
            await asyncio.gather(*(redis.exchange([("PING",)]) for _ in range(2)))
            await redis.replicaof("127.0.0.1", 1)
            opened = line.connections
            [before, error] = await redis.exchange([("PING",), ("SET", "k", "v")])
            assert (before, type(error)) == (b"PONG", ReadOnlyError)
            await redis.replicaof("NO", "ONE")
            assert await redis.exchange([("SET", "k", "v")]) == [b"OK"]
            assert line.connections == opened + 2  # one of each kind


async def test_user_password_database_and_name_are_those_of_the_address(tmp_path: Path) -> None:
    with embedded_redis(tmp_path) as url:
        port = urlsplit(url).port
        async with PackedRedis.from_url(url) as open_to_all:
            await open_to_all.acl_setuser(
                "shop", enabled=True, passwords=["+p@ss/wörd"], categories=["+@all"], keys=["*"]
            )
            await open_to_all.config_set("requirepass", "another")
        address = f"redis://shop:p%40ss%2Fw%C3%B6rd@127.0.0.1:{port}/3?client_name=lists"
        async with PackedRedis.from_url(address) as redis:
            who, name, _ = await redis.exchange([("ACL", "WHOAMI"), ("CLIENT", "GETNAME"), ("SET", "k", "v")])
            assert (who, name) == (b"shop", b"lists")
            [info] = await redis.exchange([("CLIENT", "INFO")])
            assert b"db=3" in info
        async with PackedRedis.from_url(f"redis://shop:secret-word@127.0.0.1:{port}/0") as refused:
            with pytest.raises(ConnectionError) as raised:
                await refused.exchange([("PING",)])
            assert "secret-word" not in str(raised.value)


async def test_a_unix_socket_is_reached(tmp_path: Path) -> None:
    with embedded_redis(tmp_path) as url:
        # A socket that leads to the server, as the embedded one listens on TCP alone.
        line = RedisLine(urlsplit(url).port or 0)
        async with await asyncio.get_running_loop().create_unix_server(line.accept, tmp_path / "s"):
            async with PackedRedis.from_url(f"unix://{tmp_path / 's'}") as redis:
                assert await redis.exchange([("PING",)]) == [b"PONG"]
            line.cut()


@pytest.mark.skipif(shutil.which("openssl") is None, reason="makes the certificate with openssl")
async def test_tls_is_spoken_where_the_address_says_so(redis_url: str, tmp_path: Path) -> None:
    certificate, private = tmp_path / "cert.pem", tmp_path / "key.pem"
    command = (
        "openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=localhost -addext subjectAltName=DNS:localhost"
    )
    subprocess.run([*command.split(), "-keyout", private, "-out", certificate], check=True, capture_output=True)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, private)
    line = RedisLine(urlsplit(redis_url).port or 0)
    server = await asyncio.get_running_loop().create_server(line.accept, "localhost", 0, ssl=context)
    async with server:
        address = f"rediss://localhost:{server.sockets[0].getsockname()[1]}/0"
        async with PackedRedis.from_url(f"{address}?ssl_ca_certs={certificate}") as redis:
            large = b"x" * 1_000_000
            assert await redis.exchange([("ECHO", large), ("PING",)]) == [large, b"PONG"]
        async with PackedRedis.from_url(address) as distrustful:
            with pytest.raises(ConnectionError, match="certificate verify failed"):
                await distrustful.exchange([("PING",)])
        line.cut()


async def test_closing_ends_those_that_wait_for_a_connection(redis_url: str) -> None:
    async with line_to(redis_url) as (line, redis):
        line.hold()
        waiting = asyncio.create_task(redis.exchange([("PING",)]))
        await until(lambda: line.connections == 1)
        await redis.aclose()
        with pytest.raises(ConnectionError, match="was closed"):
            await waiting


@pytest.mark.parametrize("ask", [lambda redis: redis.exchange([("PING",)]), lambda redis: redis.ping()])
async def test_a_server_that_is_away_is_a_connection_error(ask: Callable[[PackedRedis], Awaitable[object]]) -> None:
    async with PackedRedis.from_url("redis://:secret@127.0.0.1:1/0") as away:
        with pytest.raises(ConnectionError) as raised:
            await ask(away)
        assert "secret" not in str(raised.value)
