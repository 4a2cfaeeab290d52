"""Compares the stored profiles with those that the log gives."""

import asyncio
import math
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from agents.log_reading import USERS_AT_ONCE, portions, read_on, read_profiles
from agents.ports import Clock
from agents.upkeep_ports import InteractionLog, StoredProfiles
from models.profile import Profile, ProfileSettings
from models.users.difference import contradicted_fields, differing_fields, is_ahead
from models.users.rebuilding import Rebuilding, Users
from models.users.share import ALL_USERS, Chosen
from models.users.stored import decode_profile

AGAIN_SECONDS = 0.5
DESCRIBED = 1_000


class ProfileFault(StrEnum):
    """What is wrong with a stored profile."""

    DIFFERS = "differs"
    MISSING = "missing"
    AHEAD = "ahead of the log"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class Difference:
    """A stored profile that is not what the log gives, and the parts that differ."""

    user_id: str
    problem: ProfileFault
    fields: tuple[str, ...] = ()
    stored: Profile = field(default_factory=Profile)
    rebuilt: Profile = field(default_factory=Profile)


@dataclass(slots=True)
class Report:
    """What an audit found.

    `expired` users have no profile, as they stayed away for too long. `older` ones have a profile
    of which the log, whose beginning was removed, has nothing. Of the `differing` users, the first
    1,000 are in `differences`.
    """

    is_whole: bool = True
    interactions: int = 0
    same: int = 0
    expired: int = 0
    older: int = 0
    differing: int = 0
    differences: list[Difference] = field(default_factory=list)

    @property
    def users(self) -> int:
        """The number of users that were looked at."""
        return self.same + self.expired + self.older + self.differing

    def add(self, difference: Difference) -> None:
        """Count a user whose profile differs."""
        self.differing += 1
        if len(self.differences) < DESCRIBED:
            self.differences.append(difference)


@dataclass(slots=True)
class Audit:
    """Reads the log, makes the profiles again, and compares them with what is stored.

    Workers may go on meanwhile. Redis is written before the log, so a profile that is ahead of the
    log is compared again with what was appended since, for `patience_seconds`. Profiles expire
    `expire_seconds` after their last write. At most `at_once` users are in memory; where there are
    more, the log is read several times.
    """

    log: InteractionLog
    store: StoredProfiles
    settings: ProfileSettings
    expire_seconds: float
    clock: Clock
    patience_seconds: float = 10.0
    at_once: int = USERS_AT_ONCE
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    tell: Callable[[str], None] = lambda _: None

    async def users(self, user_ids: Iterable[str]) -> Report:
        """Compare the profiles of these users. One that nothing knows is in no count."""
        return await self._audit(Chosen(frozenset(user_ids)), self.at_once, others=False)

    async def sample(self, count: int) -> Report:
        """Compare between half of `count` and `count` users of the log, or all that it has.

        Which users these are depends on their ids only.
        """
        return await self._audit(ALL_USERS, count, others=False)

    async def all(self) -> Report:
        """Compare every profile that is stored or in the log."""
        return await self._audit(ALL_USERS, self.at_once, others=True)

    async def _audit(self, users: Users, most: int, *, others: bool) -> Report:
        report, left = Report(is_whole=self.log.is_whole), list[Users]([users])
        while left:
            self.tell("reading")
            empty = Rebuilding(self.settings, left.pop(), self.expire_seconds)
            rebuilt, rest, count = await read_profiles(self.log, empty, most)
            report.interactions = max(report.interactions, count)
            left += rest if others else []
            known = rebuilt.user_ids
            if isinstance(users, Chosen):
                known = sorted(users.user_ids)
            elif others:
                known += await self._not_in_log(rebuilt)
            differing = await self._compare(rebuilt, known, report)
            for each in await self._without_expiry(differing, rebuilt.returned, report):
                report.add(each)
        return report

    async def _compare(self, rebuilt: Rebuilding, user_ids: Sequence[str], report: Report) -> list[Difference]:
        """Count those that are the same. Returns those that are not."""
        deadline, differing = self.clock() + self.patience_seconds, list[Difference]()
        while user_ids:
            ahead: list[Difference] = []
            for some in portions(user_ids):
                for found in await self._differences(rebuilt, some, report):
                    (ahead if found.problem is ProfileFault.AHEAD else differing).append(found)
            user_ids = [each.user_id for each in ahead]
            if ahead and self.clock() >= deadline:
                return differing + ahead
            if ahead:
                self.tell("waiting for the log")
                await self.sleep(AGAIN_SECONDS)
                await read_on(self.log, rebuilt)
        return differing

    async def _differences(self, rebuilt: Rebuilding, user_ids: Sequence[str], report: Report) -> list[Difference]:
        oldest = self.clock() - self.expire_seconds
        found = []
        for user, fields in zip(user_ids, await self.store.load(user_ids), strict=True):
            try:
                stored = decode_profile(user, fields)
            except (ValueError, KeyError, TypeError):
                found.append(Difference(user, ProfileFault.UNREADABLE))
                continue
            seen_at = rebuilt.seen_at(user)
            if stored is None:
                if seen_at >= oldest:
                    found.append(Difference(user, ProfileFault.MISSING, rebuilt=rebuilt.profile(user)))
                report.expired += 0 < seen_at < oldest
            elif not seen_at and not self.log.is_whole:
                report.older += 1
            elif difference := self._difference(user, stored, rebuilt.profile(user)):
                found.append(difference)
            else:
                report.same += 1
        return found

    def _difference(self, user: str, stored: Profile, rebuilt: Profile) -> Difference | None:
        is_whole = self.log.is_whole
        differing = (
            differing_fields(stored, rebuilt) if is_whole else contradicted_fields(stored, rebuilt, self.settings)
        )
        if not differing:
            return None
        problem = ProfileFault.AHEAD if is_ahead(stored, rebuilt, is_whole=is_whole) else ProfileFault.DIFFERS
        return Difference(user, problem, tuple(differing), stored, rebuilt)

    async def _not_in_log(self, rebuilt: Rebuilding) -> list[str]:
        self.tell("looking for profiles that the log does not know")
        known, others = set(rebuilt.user_ids), set[str]()
        async for some in self.store.user_ids():
            others.update(user for user in some if user not in known and rebuilt.users.holds(user))
        return sorted(others)

    async def _without_expiry(
        self, differing: list[Difference], returned: set[str], report: Report
    ) -> list[Difference]:
        """Those that differ also if no profile ever expired: a worker may have kept one in
        memory.
        """
        again = {each.user_id for each in differing if each.user_id in returned}
        if not again:
            return differing
        rebuilt, _, _ = await read_profiles(self.log, Rebuilding(self.settings, Chosen(frozenset(again)), math.inf))
        still = {each.user_id for each in await self._compare(rebuilt, sorted(again), report)}
        return [each for each in differing if each.user_id not in again or each.user_id in still]
