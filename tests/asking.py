"""Lists for profiles that a test writes down, and profiles as they are stored."""

from collections.abc import Mapping, Sequence

import numpy as np

from models.contract.lists import Ranking
from models.processor import ListMaker
from models.profile import Profile
from models.recommender import Recommender, RecommenderSettings
from models.users.gather import NO_SESSION, ListRequests
from models.users.stored import StoredFields, encode_profiles


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
