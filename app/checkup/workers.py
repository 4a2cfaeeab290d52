"""Checks that the workers that run agree with each other, and with the settings of this command."""

from app.checkup.doctor import Findings, ok, warn
from app.errors import HeadraceError, in_words
from app.settings import Settings
from app.store.connection import connect
from app.store.keys import Keys
from app.store.members import RedisMembers
from app.store.store import STORE_ERRORS
from app.worker.terms import shared_settings
from models.contract.agreement import Terms

CHECK = "workers"


async def check_workers(settings: Settings) -> Findings:
    """List the workers that live, and the settings in which they differ.

    Models are compared between workers only: this command does not load any.
    """
    try:
        async with connect(settings.redis) as redis:
            found = await RedisMembers(redis, Keys(settings.redis.prefix)).living()
    except (*STORE_ERRORS, HeadraceError) as error:
        return [warn(CHECK, f"not checked: {in_words(error)}", "see the check of redis")]
    if not found:
        advice = "start one: `headrace worker`; until then events wait in Kafka and no list changes"
        return [warn(CHECK, "no worker runs on this Redis", advice)]
    try:
        terms = {member.worker_id: Terms.decode(member.terms) for member in found}
    except ValueError as error:
        return [warn(CHECK, f"{error}", "let all workers run one version of Headrace")]
    (_, first), *others = terms.items()
    count = f"{len(terms)} {'runs' if len(terms) == 1 else 'run'}"
    said = f"{count}, Headrace {', '.join(sorted({each.version for each in terms.values()}))}"
    differing = [
        f"{name}: {first.describe(names, each)}" for name, each in others if (names := first.differing_settings(each))
    ]
    if differing:
        advice = "give all workers the same settings and models, and restart those that differ"
        return [warn(CHECK, f"{said}; the first one is here, others there: {'; '.join(differing)}", advice)]
    here = Terms(first.version, shared_settings(settings))
    names = [name for name in here.differing_settings(first) if name in here.settings]
    if names:
        advice = "a worker started with the settings of this command ends, unless the others are stopped first"
        return [warn(CHECK, f"{said}, and work with other settings: {here.describe(names, first)}", advice)]
    return [ok(CHECK, f"{said}, on the same settings and models")]
