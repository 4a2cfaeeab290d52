"""Small shops for tests of the learned ranker: what is known of items, lists of a few candidates, a
log.
"""

from collections.abc import Sequence

import numpy as np
from builders import NOW

from models.contract.events import Kind
from models.items.facts import RATES
from models.ranker.arrays import NEIGHBOURS, NO_ITEM, FoundCandidates, Sessions
from models.ranker.feature_kernel import Facts
from models.ranker.goods import NO_PRICE
from models.ranker.relations import TRAIL
from models.recommender import LearningBatch


def facts_of(items: int) -> Facts:
    """Facts that say nothing of this many items."""
    return Facts(
        now=NOW,
        events=np.zeros(items, np.int32),
        repeats=np.zeros(items, np.int32),
        counts=np.zeros((items, len(Kind), len(RATES)), np.float32),
        counted_at=np.zeros(items),
        rates=RATES,
        category=np.full(items, -1, np.int32),
        brand=np.full(items, -1, np.int32),
        price=np.full(items, NO_PRICE, np.float32),
        weight=np.ones(items, np.float32),
    )


def sessions_of(*seen: Sequence[int]) -> Sessions:
    """Sessions that hold these items, oldest first, and for which neighbours found nothing."""
    items = np.zeros((len(seen), TRAIL), np.int32)
    for row, each in enumerate(seen):
        items[row, : len(each)] = each
    voted = np.full((len(seen), NEIGHBOURS), NO_ITEM, np.int32)
    sizes = np.array([len(each) for each in seen], np.int32)
    return Sessions(items, sizes, voted, np.zeros((len(seen), NEIGHBOURS), np.float32))


def one_list(seen: Sequence[int], candidates: Sequence[int]) -> tuple[Sessions, FoundCandidates]:
    """A session, and candidates of which no source said anything."""
    found = FoundCandidates.empty(1)
    found.items[0, : len(candidates)], found.sizes[0] = candidates, len(candidates)
    found.said["place"] = -1
    return sessions_of(seen), found


def log_of(sessions: Sequence[Sequence[int]], first: int = 1) -> LearningBatch:
    """Sessions of item numbers, one after the other, a second between any two events."""
    items = [item for each in sessions for item in each]
    named = [first + number for number, each in enumerate(sessions) for _ in each]
    count = len(items)
    return LearningBatch(
        items=np.array(items, np.int32),
        sessions=np.array(named, np.uint64),
        ts=NOW + np.arange(count, dtype=np.float64),
        kinds=np.full(count, Kind.CLICK, np.int32),
    )
