"""Checks that Redis can be used, and for what."""

import time
from collections.abc import Callable, Mapping
from typing import Any

from app.checkup.doctor import Finding, Findings, Status, fail, ok, warn
from app.checkup.redis_sentinels import check_sentinels
from app.concerns import RedisSettings
from app.errors import HeadraceError
from app.store.server_facts import IsSentinel, LoginRefused, RightsMissing, ServerAway, ServerFacts, ask_server
from headrace.address import addresses, shown_address
from headrace.sentinel_address import EXAMPLE, read_sentinel
from headrace.slots import SLOTS

LOWEST = (6, 2)
GIVE_RIGHTS = "give it the rights on keys and commands that docs/operations.md lists (ACL SETUSER)"
LARGEST_SKEW_SECONDS = 1.0


async def check_redis(settings: RedisSettings, clock: Callable[[], float] = time.time) -> Findings:
    """Check that Redis answers, is new enough, keeps all keys and has vector sets.

    Also checks its clock.
    """
    sentinels = await _check_sentinels(settings)
    if any(each.status is Status.FAILED for each in sentinels):
        return sentinels
    return [*await _check_server(settings, clock), *sentinels]


async def _check_sentinels(settings: RedisSettings) -> list[Finding]:
    where = read_sentinel(settings.url)
    return [] if where is None else [await check_sentinels(where, settings.timeout_seconds)]


async def _check_server(settings: RedisSettings, clock: Callable[[], float]) -> list[Finding]:
    try:
        facts = await ask_server(settings, clock)
    except RightsMissing as error:
        return [fail("redis rights", str(error), GIVE_RIGHTS)]
    except IsSentinel as error:
        return [fail("redis mode", str(error), f"give HEADRACE_REDIS_URL the name of the primary too: {EXAMPLE}")]
    except LoginRefused as error:
        advice = "put user and password into HEADRACE_REDIS_URL, percent-encoded: %23 for #, %25 for %"
        return [fail("redis", f"refuses to let us in: {error}", advice)]
    except ServerAway as error:
        detail = f"no Redis answers at {shown_address(settings.url)}: {error}"
        return [fail("redis", detail, _way_in(str(error), settings.url))]
    except HeadraceError as error:
        return [fail("redis", str(error), "correct HEADRACE_REDIS_URL")]
    return _findings(facts, settings)


def _way_in(reason: str, url: str) -> str:
    if "certificate verify failed" in reason.lower():
        return "name the certificates that sign Redis's: HEADRACE_REDIS_URL=rediss://…?ssl_ca_certs=FILE"
    if url.lower().startswith("rediss://"):
        hint = "where it asks for a certificate, add ssl_certfile=FILE&ssl_keyfile=FILE"
        return f"start Redis, or set HEADRACE_REDIS_URL to where it is; {hint}; without TLS it is redis://"
    closes = "closed" in reason or "reset" in reason
    hint = "; where it speaks TLS, the address begins with rediss://" if closes else ""
    return f"start Redis, or set HEADRACE_REDIS_URL to where it is{hint}"


def _findings(facts: ServerFacts, settings: RedisSettings) -> list[Finding]:
    if facts.info is None:
        advice = "allow this user INFO to have version and memory policy checked"
        return [
            ok("redis", f"answers at {shown_address(settings.url)}"),
            warn("redis version", facts.refusal, advice),
            _rights(facts),
        ]
    return [
        _version(facts.info, settings),
        _memory(facts.info),
        _vectors(has_them=facts.has_vector_sets),
        _mode(facts, facts.info, settings),
        _clock(facts.ahead_seconds),
        _rights(facts),
    ]


def _rights(facts: ServerFacts) -> Finding:
    if not facts.missing_rights:
        return ok("redis rights", "this user may do what Headrace does")
    return fail("redis rights", f"this user may not {', '.join(facts.missing_rights)}", GIVE_RIGHTS)


def _version(info: Mapping[str, Any], settings: RedisSettings) -> Finding:
    text = str(info.get("redis_version", "0"))
    detail = f"{text} answers at {shown_address(settings.url)}"
    numbers = tuple(int(each) for each in text.split(".")[:2] if each.isdigit())
    if numbers >= LOWEST:
        return ok("redis", detail)
    return fail("redis", detail, "Headrace needs Redis {}.{} or newer".format(*LOWEST))


def _memory(info: Mapping[str, Any]) -> Finding:
    policy, limit = str(info.get("maxmemory_policy", "noeviction")), int(info.get("maxmemory", 0))
    if policy == "noeviction" or limit == 0:
        maxmemory = f"maxmemory {limit:,} bytes" if limit else "no maxmemory"
        return ok("redis memory", f"{maxmemory}, policy {policy}")
    advice = "set maxmemory-policy noeviction: a profile that Redis evicts starts again from zero"
    return warn("redis memory", f"policy {policy} may evict profiles and lists", advice)


def _vectors(*, has_them: bool) -> Finding:
    if has_them:
        return ok("redis vectors", "vector sets are there")
    return warn("redis vectors", "no vector sets", "use Redis 8 for similar items by meaning; all else works without")


def _one_server(info: Mapping[str, Any], settings: RedisSettings) -> Finding:
    if len(addresses(settings.url)) > 1:
        return fail("redis mode", "several hosts, which are no cluster", "name one host in HEADRACE_REDIS_URL")
    if info.get("role") == "slave":
        primary = f"{info.get('master_host')}:{info.get('master_port')}"
        advice = f"set HEADRACE_REDIS_URL to the primary, or to the Sentinels that know it, as in {EXAMPLE}"
        return fail("redis mode", f"a replica of {primary}, which takes no writes (READONLY)", advice)
    return ok("redis mode", str(info.get("redis_mode", "standalone")))


def _mode(facts: ServerFacts, info: Mapping[str, Any], settings: RedisSettings) -> Finding:
    if not int(info.get("cluster_enabled", 0)):
        return _one_server(info, settings)
    cluster = facts.cluster
    if cluster is None:  # the missing rights are told of
        return warn("redis mode", "a node of a cluster whose nodes are not known", GIVE_RIGHTS)
    detail = f"a cluster of {cluster.primaries} primaries, {cluster.replicated} of them with a replica"
    if cluster.slots < SLOTS:
        advice = "bring the failed nodes back, or give their slots to others (redis-cli --cluster check)"
        return fail("redis mode", f"{detail}; {SLOTS - cluster.slots:,} slots have no owner", advice)
    if cluster.replicated < cluster.primaries:
        advice = "give each primary a replica: what is on one without is lost when it fails"
        return warn("redis mode", detail, advice)
    return ok("redis mode", detail)


def _clock(skew: float) -> Finding:
    detail = f"Redis is {abs(skew):.3f} s {'ahead of' if skew > 0 else 'behind'} this machine"
    if abs(skew) <= LARGEST_SKEW_SECONDS:
        return ok("redis clock", detail)
    return warn("redis clock", detail, "synchronise both with NTP: ages and freshness are wrong by this much")
