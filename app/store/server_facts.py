"""Asks a Redis server for its version, memory policy, vector sets and clock. Changes nothing."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import AuthenticationError, NoPermissionError, RedisError, ResponseError

from app.concerns import RedisSettings
from app.errors import HeadraceError, in_words
from app.store.connection import connect
from app.store.keys import Keys
from app.store.packed import PackedRedis
from app.store.rights import missing_rights
from headrace.address import addresses, check_address
from headrace.sentinel_address import is_sentinel


class ServerAway(HeadraceError):
    """No Redis server answers at the address."""


class RightsMissing(HeadraceError):
    """The user may not even ask whether Redis is there."""


class IsSentinel(HeadraceError):
    """A Sentinel answers, which holds no data."""


class LoginRefused(HeadraceError):
    """Redis does not accept the user or the password."""


@dataclass(frozen=True, slots=True)
class ClusterFacts:
    """How many nodes own slots, how many of these have a replica, and how many slots have an
    owner.
    """

    primaries: int
    replicated: int
    slots: int


@dataclass(frozen=True, slots=True)
class ServerFacts:
    """The server's answers.

    `info` is None if this user may not ask for it; `refusal` then says why. `ahead_seconds` is how
    far the server's clock is ahead of this machine's. `missing_rights` are commands.
    """

    info: Mapping[str, Any] | None
    refusal: str = ""
    has_vector_sets: bool = False
    cluster: ClusterFacts | None = None
    ahead_seconds: float = 0.0
    missing_rights: tuple[str, ...] = ()


async def ask_server(settings: RedisSettings, clock: Callable[[], float]) -> ServerFacts:
    """Ask the configured Redis for its facts; of several hosts, the first that answers.

    Raises ServerAway, LoginRefused, and HeadraceError for an address that cannot be used.
    """
    check_address(settings.url)
    *others, last = addresses(settings.url)
    for url in others:
        with suppress(ServerAway):
            return await _ask_server(replace(settings, url=url), clock)
    return await _ask_server(replace(settings, url=last), clock)


async def _ask_server(settings: RedisSettings, clock: Callable[[], float]) -> ServerFacts:
    redis = connect(settings)
    try:
        async with redis:
            facts = await _ask(redis, clock)
            is_node = bool(facts.info and int(facts.info.get("cluster_enabled", 0)))
            missing = await missing_rights(
                redis,
                Keys(settings.prefix),
                vectors=facts.has_vector_sets,
                cluster=is_node,
                replicas=is_sentinel(settings.url),
            )
            cluster = await _ask_cluster(redis) if is_node and not missing else None
            return replace(facts, missing_rights=tuple(missing), cluster=cluster)
    except NoPermissionError as error:
        raise RightsMissing(in_words(error)) from error
    except AuthenticationError as error:
        raise LoginRefused(in_words(error)) from error
    except (RedisError, OSError) as error:
        raise ServerAway(in_words(error)) from error


async def _ask(redis: Redis, clock: Callable[[], float]) -> ServerFacts:
    await redis.ping()
    try:
        info: dict[str, Any] = await redis.info()
    except (NoPermissionError, ResponseError) as error:
        return ServerFacts(None, refusal=in_words(error))
    if info.get("redis_mode") == "sentinel":
        raise IsSentinel("a Redis Sentinel answers, which holds no data")
    has_vector_sets = await _has_vector_sets(redis)
    before = clock()
    seconds, microseconds = await redis.time()
    ahead = seconds + microseconds / 1e6 - (before + clock()) / 2
    return ServerFacts(info, has_vector_sets=has_vector_sets, ahead_seconds=ahead)


async def _ask_cluster(redis: PackedRedis) -> ClusterFacts:
    nodes = redis.as_cluster()
    primaries = await nodes.primaries()
    return ClusterFacts(len(primaries), len(nodes.slots.replicated), len(nodes.slots.owners))


async def _has_vector_sets(redis: Redis) -> bool:
    try:
        return bool(await redis.command_list(pattern="vsim"))
    except ResponseError:  # Redis 6 does not know this command
        return False
