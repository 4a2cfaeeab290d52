"""A share of all users, chosen by a hash of their ids, so that work on all fits into memory."""

from typing import NamedTuple

import xxhash


class Share(NamedTuple):
    """The users whose hash ends with the `bits` lowest bits of `number`: one in 2 ** bits."""

    bits: int = 0
    number: int = 0

    def holds(self, user_id: str) -> bool:
        """Whether the user belongs to this share."""
        return xxhash.xxh3_64_intdigest(user_id.encode()) & ((1 << self.bits) - 1) == self.number

    def halves(self) -> tuple["Share", "Share"]:
        """Two shares that have each user of this one once."""
        return Share(self.bits + 1, self.number), Share(self.bits + 1, self.number | 1 << self.bits)


class Chosen(NamedTuple):
    """The users with these ids."""

    user_ids: frozenset[str]

    def holds(self, user_id: str) -> bool:
        """Whether the user is one of them."""
        return user_id in self.user_ids


ALL_USERS = Share()
