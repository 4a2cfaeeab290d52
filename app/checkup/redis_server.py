"""Can Redis be used, and as what?"""

import time
from collections.abc import Callable
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import AuthenticationError, NoPermissionError, RedisError, ResponseError

from app.checkup.doctor import Finding, Findings, fail, ok, warn
from app.concerns import RedisSettings
from app.errors import HeadraceError, in_words
from app.store.address import shown_address
from app.store.connection import connect

LOWEST = (6, 2)
LARGEST_SKEW_SECONDS = 1.0


async def check_redis(settings: RedisSettings, clock: Callable[[], float] = time.time) -> Findings:
    """Reachable, new enough, not throwing keys away, able to hold vectors; and what its clock says."""
    try:
        redis = connect(settings)
    except HeadraceError as error:
        return [fail("redis", str(error), "correct HEADRACE_REDIS_URL")]
    try:
        async with redis:
            return await _look(redis, settings, clock)
    except AuthenticationError as error:
        advice = "put user and password into HEADRACE_REDIS_URL, percent-encoded: %23 for #, %25 for %"
        return [fail("redis", f"refuses to let us in: {in_words(error)}", advice)]
    except (RedisError, OSError) as error:
        detail = f"no Redis answers at {shown_address(settings.url)}: {in_words(error)}"
        return [fail("redis", detail, "start Redis, or set HEADRACE_REDIS_URL to where it is")]


async def _look(redis: Redis, settings: RedisSettings, clock: Callable[[], float]) -> list[Finding]:
    await redis.ping()
    try:
        info: dict[str, Any] = await redis.info()
    except (NoPermissionError, ResponseError) as error:
        advice = "allow this user INFO to have version and memory policy checked"
        return [
            ok("redis", f"answers at {shown_address(settings.url)}"),
            warn("redis version", in_words(error), advice),
        ]
    return [
        _version(info, settings),
        _memory(info),
        await _vectors(redis),
        _mode(info),
        await _clock(redis, clock),
    ]


def _version(info: dict[str, Any], settings: RedisSettings) -> Finding:
    text = str(info.get("redis_version", "0"))
    detail = f"{text} answers at {shown_address(settings.url)}"
    numbers = tuple(int(each) for each in text.split(".")[:2] if each.isdigit())
    if numbers >= LOWEST:
        return ok("redis", detail)
    return fail("redis", detail, "Headrace needs Redis {}.{} or newer".format(*LOWEST))


def _memory(info: dict[str, Any]) -> Finding:
    policy, limit = str(info.get("maxmemory_policy", "noeviction")), int(info.get("maxmemory", 0))
    if policy == "noeviction" or limit == 0:
        said = f"maxmemory {limit:,} bytes" if limit else "no maxmemory"
        return ok("redis memory", f"{said}, policy {policy}")
    advice = "set maxmemory-policy noeviction: a profile that is thrown away is counted anew"
    return warn("redis memory", f"policy {policy} may throw away profiles and lists", advice)


async def _vectors(redis: Redis) -> Finding:
    try:
        found = await redis.command_list(pattern="vsim")
    except ResponseError:  # Redis 6 does not know the question
        found = []
    if found:
        return ok("redis vectors", "vector sets are there")
    return warn("redis vectors", "no vector sets", "use Redis 8 for similar items by meaning; all else works without")


def _mode(info: dict[str, Any]) -> Finding:
    if not int(info.get("cluster_enabled", 0)):
        return ok("redis mode", str(info.get("redis_mode", "standalone")))
    advice = "keys that belong together share a hash tag, but the worker speaks to one node: give it a proxy's address"
    return warn("redis mode", "this node is part of a cluster", advice)


async def _clock(redis: Redis, clock: Callable[[], float]) -> Finding:
    before = clock()
    seconds, microseconds = await redis.time()
    skew = seconds + microseconds / 1e6 - (before + clock()) / 2
    detail = f"Redis is {abs(skew):.3f} s {'ahead of' if skew > 0 else 'behind'} this machine"
    if abs(skew) <= LARGEST_SKEW_SECONDS:
        return ok("redis clock", detail)
    return warn("redis clock", detail, "synchronise both with NTP: ages and freshness are wrong by this much")
