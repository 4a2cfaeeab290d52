"""Declare what audits, rebuilds and requests to forget need of the outside world.

`agents.ports` has what the processing of events needs.
"""

from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import NamedTuple, Protocol

from agents.ports import WriteOutcome
from models.contract.events import RawBatch
from models.users.stored import StoredFields


class StoredProfiles(Protocol):
    """Reads the profiles of all users."""

    async def load(self, user_ids: Sequence[str]) -> list[StoredFields]:
        """Return the stored fields of these users' profiles, in their order; empty for none."""

    def user_ids(self) -> AsyncGenerator[list[str], None]:
        """Yield the users who have profiles, some at a time; one may come twice."""


class Replacement(NamedTuple):
    """A profile that takes the place of another one.

    `supersedes` is the revision of that, empty for none; `revision` the new one. It expires after
    `expire_seconds`.
    """

    user_id: str
    fields: StoredFields
    supersedes: bytes
    revision: bytes
    expire_seconds: int


class RebuiltProfiles(Protocol):
    """Stores profiles that were made from the log; lists are left alone."""

    async def load(self, user_ids: Sequence[str]) -> list[StoredFields]:
        """Return the stored fields of these users' profiles, in their order; empty for none."""

    async def replace(self, profiles: Sequence[Replacement]) -> list[WriteOutcome]:
        """Put each in the place of the one that it supersedes, whole. Returns what became of
        each.
        """

    async def remove(self, user_ids: Sequence[str]) -> None:
        """Remove these profiles."""


class InteractionLog(Protocol):
    """Reads the topic `interactions` whole."""

    @property
    def is_whole(self) -> bool:
        """Return False when records were removed from its beginning, as retention does."""

    def read(self) -> AsyncGenerator[RawBatch, None]:
        """Yield what follows what was read before, up to the end as it is now."""

    def rewind(self) -> None:
        """Begin again at the beginning."""


class PartitionLog(Protocol):
    """One partition of `interactions`, read by its owner, who is the only one to write it."""

    def read(self, partition: int) -> AsyncGenerator[RawBatch, None]:
        """Yield all records, from the beginning to the end as it is now."""

    async def rewrite(self, partition: int, forgotten: Mapping[str, int]) -> bool:
        """Append all records again without those of users who are forgotten up to an offset, then
        remove the old ones.

        Returns False, and removes nothing, if Kafka does not remove records, or if others append
        meanwhile.
        """


class Receipts(Protocol):
    """Keeps what was erased for a request, for the one who asked; without the user's id."""

    async def write(self, request_id: str, partition: int, counts: Mapping[str, int]) -> None:
        """Note what was erased of one partition."""
