"""Makes stored profiles again from the log, beside workers that write them."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto

from agents.log_reading import USERS_AT_ONCE, portions, read_on, read_profiles
from agents.ports import Clock, WriteOutcome
from agents.upkeep_ports import InteractionLog, RebuiltProfiles, Replacement
from models.profile import Profile, ProfileSettings
from models.users.difference import contradicted_fields, differing_fields, is_ahead
from models.users.rebuilding import Rebuilding, Users
from models.users.revision import OCTETS, REVISION, next_revisions, pack_revisions, unpack_revisions
from models.users.stored import StoredFields, decode_profile

AGAIN_SECONDS = 0.5


class Verdict(Enum):
    """What is to become of a stored profile."""

    SAME = auto()
    REPLACE = auto()
    AHEAD = auto()
    KEEP = auto()


@dataclass(slots=True)
class Rebuilt:
    """What a rebuild did, in users.

    `kept` are profiles that hold older events than the log does. `ahead` ones hold events that the
    log does not have.
    """

    same: int = 0
    written: int = 0
    expired: int = 0
    kept: int = 0
    ahead: int = 0
    interactions: int = 0

    @property
    def users(self) -> int:
        """The number of users of whom the log had something."""
        return self.same + self.written + self.expired + self.kept + self.ahead


@dataclass(slots=True)
class Rebuild:
    """Replaces profiles that are missing, or not what the log gives.

    A write names the revision that it supersedes. If a worker writes first, the write is refused,
    and the profile is compared again with what the log has by then. A profile that holds more than
    the log does is never replaced. `mark`, drawn by chance, tells these writes from others.
    """

    log: InteractionLog
    store: RebuiltProfiles
    settings: ProfileSettings
    expire_seconds: float
    clock: Clock
    mark: int
    patience_seconds: float = 10.0
    at_once: int = USERS_AT_ONCE
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    tell: Callable[[str], None] = lambda _: None
    _written: set[str] = field(default_factory=set)

    async def run(self, users: Users) -> Rebuilt:
        """Rebuild the profiles of these users. One of whom the log has nothing is left alone."""
        done, left = Rebuilt(), [users]
        while left:
            self.tell("reading")
            empty = Rebuilding(self.settings, left.pop(), self.expire_seconds)
            rebuilt, rest, count = await read_profiles(self.log, empty, self.at_once)
            left += rest
            done.interactions = max(done.interactions, count)
            self._written.clear()
            await self._store(rebuilt, done)
            # Who was forgotten meanwhile stays so: the log says it before the store is emptied.
            await read_on(self.log, rebuilt)
            await self.store.remove(sorted(self._written.difference(rebuilt.user_ids)))
        return done

    async def _store(self, rebuilt: Rebuilding, done: Rebuilt) -> None:
        deadline, user_ids = self.clock() + self.patience_seconds, rebuilt.user_ids
        while user_ids:
            again: list[str] = []
            for number, some in enumerate(portions(user_ids)):
                self.tell(f"comparing, {number * len(some):,} of {len(user_ids):,} users")
                again += await self._store_some(rebuilt, some, done)
            if again and self.clock() >= deadline:
                done.ahead += len(again)
                return
            if again:
                self.tell("waiting for the log")
                await self.sleep(AGAIN_SECONDS)
                await read_on(self.log, rebuilt)
            known = set(rebuilt.user_ids)
            user_ids = [user for user in again if user in known]

    async def _store_some(self, rebuilt: Rebuilding, user_ids: Sequence[str], done: Rebuilt) -> list[str]:
        """Returns those to compare again."""
        again, replaced = list[str](), dict[str, bytes]()
        now = self.clock()
        for user, fields in zip(user_ids, await self.store.load(user_ids), strict=True):
            if not fields and rebuilt.seen_at(user) + self.expire_seconds <= now:
                done.expired += 1
                continue
            match self._verdict(user, fields, rebuilt):
                case Verdict.SAME:
                    done.same += 1
                case Verdict.KEEP:
                    done.kept += 1
                case Verdict.AHEAD:
                    again.append(user)
                case Verdict.REPLACE:
                    replaced[user] = fields.get(REVISION) or b""
        outcomes = await self.store.replace(self._replacements(rebuilt, replaced, now))
        for user, outcome in zip(replaced, outcomes, strict=True):
            if outcome is WriteOutcome.REFUSED:
                again.append(user)
            else:
                self._written.add(user)
                done.written += 1
        return again

    def _verdict(self, user: str, fields: StoredFields, rebuilt: Rebuilding) -> Verdict:
        try:
            stored = decode_profile(user, fields)
        except (ValueError, KeyError, TypeError):
            stored = None  # another program wrote it
        if stored is None:
            return Verdict.REPLACE
        made, is_whole = rebuilt.profile(user), self.log.is_whole
        # A worker that kept a profile in memory until its user came back stored it whole.
        may_hold_more = not is_whole or user in rebuilt.returned
        if not self._differ(stored, made, is_whole=not may_hold_more):
            return Verdict.SAME
        if is_ahead(stored, made, is_whole=is_whole):
            return Verdict.AHEAD
        if may_hold_more and contradicted_fields(made, stored, self.settings):
            return Verdict.KEEP
        return Verdict.REPLACE

    def _differ(self, stored: Profile, made: Profile, *, is_whole: bool) -> bool:
        if is_whole:
            return bool(differing_fields(stored, made))
        return bool(contradicted_fields(stored, made, self.settings))

    def _replacements(self, rebuilt: Rebuilding, replaced: dict[str, bytes], now: float) -> list[Replacement]:
        if not replaced:
            return []
        readable = [each if len(each) == OCTETS else b"" for each in replaced.values()]
        self.mark += 1
        after = pack_revisions(next_revisions(unpack_revisions([each or None for each in readable]), self.mark))
        rows = zip(replaced.items(), rebuilt.encode(list(replaced)), after, strict=True)
        return [
            Replacement(user, fields, before, revision, self._expires_in(rebuilt.seen_at(user), now))
            for (user, before), fields, revision in rows
        ]

    def _expires_in(self, seen_at: float, now: float) -> int:
        return max(1, round(seen_at + self.expire_seconds - now))
