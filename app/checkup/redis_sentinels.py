"""Checks that the Sentinels of Redis answer, and that they name a primary with replicas."""

from app.checkup.doctor import Finding, fail, ok, warn
from app.store.sentinel_facts import PrimarySeen, SentinelFacts, ask_sentinels
from headrace.sentinel_address import EXAMPLE, SentinelAddress

CHECK = "redis sentinel"
RIGHTS = "give it the rights on Sentinels that docs/operations.md lists (ACL SETUSER)"
LOGIN = (
    "put the Sentinels' own login into HEADRACE_REDIS_URL, percent-encoded: "
    "?sentinel_password=…, and &sentinel_username=… where they have users"
)


async def check_sentinels(where: SentinelAddress, seconds: float) -> Finding:
    """Check the Sentinels of the address, and what they say of the primary."""
    facts = await ask_sentinels(where, seconds)
    count = len(where.sentinels)
    if not facts.known:
        return _nobody(facts, count)
    seen = [each[where.name] for each in facts.known.values() if where.name in each]
    if not seen:
        names = sorted({name for each in facts.known.values() for name in each})
        known = f", but {', '.join(map(repr, names))}" if names else ", and none at all"
        advice = f"put the name that they know into HEADRACE_REDIS_URL, as in {EXAMPLE}"
        return fail(CHECK, f"the Sentinels know no primary {where.name!r}{known}", advice)
    alive = [each for each in seen if not each.is_down]
    if not alive:
        advice = f"bring it or a replica back; SENTINEL CKQUORUM {where.name} says whether they can fail over"
        return fail(CHECK, f"the Sentinels take the primary {where.name!r} ({seen[0].address}) for down", advice)
    return _of_living(where, facts, alive[0])


def _of_living(where: SentinelAddress, facts: SentinelFacts, seen: PrimarySeen) -> Finding:
    count = len(where.sentinels)
    noun = "replica" if seen.replicas == 1 else "replicas"
    detail = (
        f"{len(facts.known)} of {count} Sentinels answer; {where.name} is {seen.address}, with {seen.replicas} {noun}"
    )
    if len(facts.known) < count:
        return warn(CHECK, f"{detail}; {_faults(facts)}", "bring the others back, or leave them out of the address")
    if not seen.replicas:
        return warn(CHECK, detail, "give it a replica: nothing takes over when this server fails")
    if seen.sentinels < seen.quorum:
        advice = "start more Sentinels, or lower the quorum: these cannot fail over"
        return warn(CHECK, f"{detail}; the quorum is {seen.quorum}, of {seen.sentinels} Sentinels", advice)
    return ok(CHECK, detail)


def _nobody(facts: SentinelFacts, count: int) -> Finding:
    if facts.others:
        advice = f"name the Sentinels (port 26379) in HEADRACE_REDIS_URL, as in {EXAMPLE}, or a server with redis://"
        return fail(CHECK, f"{', '.join(facts.others)} is a Redis server, no Sentinel", advice)
    if facts.no_login:
        return fail(CHECK, f"the Sentinels refuse to let us in: {next(iter(facts.no_login.values()))}", LOGIN)
    if facts.no_right:
        return fail(CHECK, f"this user may not ask the Sentinels: {next(iter(facts.no_right.values()))}", RIGHTS)
    noun = "the Sentinel does not answer" if count == 1 else f"none of the {count} Sentinels answers"
    advice = "start them, or correct their hosts and ports in HEADRACE_REDIS_URL; over TLS it is rediss+sentinel://"
    return fail(CHECK, f"{noun}: {_faults(facts)}", advice)


def _faults(facts: SentinelFacts) -> str:
    faults = {**facts.no_login, **facts.no_right, **facts.away, **dict.fromkeys(facts.others, "no Sentinel")}
    return "; ".join(f"{place}: {reason}" for place, reason in faults.items())
