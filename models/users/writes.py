"""What is to be stored of users."""

from dataclasses import dataclass

from models.users.revision import Fence
from models.users.stored import StoredFields


@dataclass(frozen=True, slots=True)
class UserWrites:
    """What is to be stored of users, one entry each: the fields of their profiles, their lists as
    JSON, and the revisions that these supersede and make.
    """

    user_ids: list[str]
    profiles: list[StoredFields]
    lists: list[bytes]
    fence: Fence


@dataclass(frozen=True, slots=True)
class ListWrites:
    """Lists as JSON that replace those of the same profiles, one entry a user."""

    user_ids: list[str]
    lists: list[bytes]
    fence: Fence
