"""The store of users in memory; `fakes` has the other ports."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from fakes import Away, Diary

from agents.ports import Erased, WriteOutcome
from models.profile import Profile
from models.users.revision import REVISION
from models.users.stored import StoredFields, decode_profile
from models.users.writes import ListWrites, UserWrites


@dataclass
class MemoryUsers:
    """The `UserStore` port in memory."""

    diary: Diary = field(default_factory=Diary)
    fields: dict[str, StoredFields] = field(default_factory=dict)
    lists: dict[str, bytes] = field(default_factory=dict)
    away: bool = False

    @property
    def profiles(self) -> dict[str, Profile]:
        """The profiles that are stored."""
        return {user: decode_profile(user, fields) or Profile() for user, fields in self.fields.items()}

    async def load(self, user_ids: Sequence[str]) -> list[StoredFields]:
        return [self.fields.get(user, {}) for user in user_ids]

    async def write(self, writes: UserWrites) -> list[WriteOutcome]:
        if self.away:
            raise Away("the store")
        self.diary.entries.append("store")
        rows = zip(writes.user_ids, writes.profiles, writes.lists, *writes.fence, strict=True)
        return [self._write(*row) for row in rows]

    async def correct(self, writes: ListWrites) -> list[WriteOutcome]:
        if self.away:
            raise Away("the store")
        self.diary.entries.append("store")
        rows = zip(writes.user_ids, writes.lists, *writes.fence, strict=True)
        return [self._correct(*row) for row in rows]

    async def forget(self, user_ids: Sequence[str]) -> list[Erased]:
        if self.away:
            raise Away("the store")
        self.diary.entries.append("forget")
        return [
            Erased(*(int(each.pop(user, None) is not None) for each in (self.fields, self.lists))) for user in user_ids
        ]

    def _write(self, user: str, changed: StoredFields, encoded: bytes, before: bytes, after: bytes) -> WriteOutcome:
        stored = self.revision(user)
        if stored != before:
            return WriteOutcome.DONE if stored == after else WriteOutcome.REFUSED
        fields = {**self.fields.get(user, {}), **changed, REVISION: after}
        self.fields[user] = {name: value for name, value in fields.items() if value is not None}
        self.lists[user] = encoded
        return WriteOutcome.DONE

    def _correct(self, user: str, encoded: bytes, before: bytes, after: bytes) -> WriteOutcome:
        if self.revision(user) not in (before, after):
            return WriteOutcome.REFUSED
        if user not in self.fields:
            return WriteOutcome.GONE
        self.fields[user] = {**self.fields[user], REVISION: after}
        if user not in self.lists:
            return WriteOutcome.GONE
        self.lists[user] = encoded
        return WriteOutcome.DONE

    def revision(self, user: str) -> bytes:
        """The stored revision of the user's profile; empty for none."""
        return self.fields.get(user, {}).get(REVISION) or b""
