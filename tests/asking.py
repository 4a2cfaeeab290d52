"""Lists for profiles that a test writes down, and profiles as they are stored."""

from collections.abc import Mapping, Sequence

import numpy as np

from models.contract.lists import Ranking
from models.processor import ListMaker
from models.profile import Profile
from models.recommender import Recommender, RecommenderSettings
from models.users.gather import NO_SESSION, ListRequests
from models.users.revision import NO_REVISION, Fence, pack_revisions
from models.users.stored import StoredFields, encode_profiles
from models.users.writes import ListWrites, UserWrites


def requests_for(recommender: Recommender, profiles: Sequence[Profile], session: int = NO_SESSION) -> ListRequests:
    """What the lists of users with these profiles are made from."""
    maker = ListMaker.of(recommender, len(profiles) + 1)
    maker.table.find([])
    slots = maker.table.add({f"u{number}": profile for number, profile in enumerate(profiles)})
    return maker.request(slots, np.full(len(profiles), session, np.uint64))


def rankings(recommender: Recommender, profiles: Sequence[Profile], session: int = NO_SESSION) -> list[Ranking]:
    """The lists of users with these profiles."""
    lists = recommender.recommend(requests_for(recommender, profiles, session))
    return [lists.ranking(row, recommender.items.names) for row in range(len(profiles))]


def stored(profiles: Mapping[str, Profile]) -> dict[str, StoredFields]:
    """The profiles' fields as a worker stores them."""
    maker = ListMaker.of(Recommender(RecommenderSettings()), len(profiles) + 1)
    maker.table.find([])
    slots = maker.table.add(profiles)
    asked = maker.request(slots, np.zeros(len(slots), np.uint64))
    return dict(zip(profiles, encode_profiles(maker.table, slots, asked, maker.names), strict=True))


def fence(users: int, before: int = NO_REVISION, after: int = 1) -> Fence:
    """A write of so many users that supersedes one revision and makes another."""
    return Fence(*(pack_revisions(np.full(users, revision, np.uint64)) for revision in (before, after)))


def writes(fields: Mapping[str, StoredFields], encoded: bytes, before: int = NO_REVISION, after: int = 1) -> UserWrites:
    """Profiles, all with the same list, behind one revision."""
    return UserWrites(list(fields), list(fields.values()), [encoded] * len(fields), fence(len(fields), before, after))


def list_writes(lists: Mapping[str, bytes], before: int, after: int) -> ListWrites:
    """Lists behind one revision of their users' profiles."""
    return ListWrites(list(lists), list(lists.values()), fence(len(lists), before, after))
