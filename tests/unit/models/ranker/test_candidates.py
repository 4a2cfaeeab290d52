"""Candidates: each source is heard, bounded, and says what it knows."""

import numpy as np
import pytest
from builders import NOW
from numpy.typing import NDArray
from small_lists import log_of, sessions_of

from models.ranker.arrays import (
    BY_CATEGORY,
    MOST,
    NO_ITEM,
    POPULAR,
    RECENT,
    RELATED,
    CandidateSources,
    FoundCandidates,
    Groups,
    Sessions,
    make_pool,
)
from models.ranker.candidates import find
from models.ranker.goods import Goods
from models.ranker.relations import MOST as MOST_RELATED
from models.ranker.relations import ItemRelations
from models.ranker.shelf import fill_shelf

ITEMS = 600


def groups(of: dict[int, list[int]], everywhere: list[int], most: int = BY_CATEGORY) -> Groups:
    """Popular items of groups 0, 1, … and of all; an item is of the group that lists it."""
    rows = [*of.values(), everywhere]
    group = np.full(ITEMS, -1, np.int32)
    for number, items in of.items():
        group[items] = number
    starts = np.cumsum([0, *map(len, rows)]).astype(np.int64)
    return Groups(np.array([item for row in rows for item in row], np.int32), starts, group, most)


def sources(
    relations: ItemRelations | None = None, by_category: Groups | None = None, goods: Goods | None = None
) -> CandidateSources:
    relations = relations or ItemRelations(30.0)
    relations.with_items(ITEMS)
    weight = np.ones(ITEMS, np.float32)
    nothing = groups({}, [])
    shelf = fill_shelf(goods or Goods(), weight)
    like = np.full((ITEMS, 3), NO_ITEM, np.int32)
    like[50, :2] = [8, 9]
    return CandidateSources(
        relations.arrays, NOW, relations.rate, by_category or nothing, nothing, shelf, 10, like, weight
    )


def candidates(given: CandidateSources, sessions: Sessions) -> dict[int, "NDArray[np.void]"]:
    """What is said of each candidate of the first session, in their order."""
    found = FoundCandidates.empty(len(sessions.sizes))
    find(given, sessions, make_pool(ITEMS, MOST_RELATED), found)
    size = int(found.sizes[0])
    assert len(set(found.items[0, :size].tolist())) == size <= MOST
    return dict(zip(found.items[0, :size].tolist(), found.said[0, :size], strict=True))


def said_of(found: dict[int, "NDArray[np.void]"], name: str) -> dict[int, float]:
    """What is said of all candidates under one name."""
    return {item: float(said[name]) for item, said in found.items()}


def test_the_sessions_own_items_come_first_the_newest_first() -> None:
    found = candidates(sources(), sessions_of([1, 2, 1, 3]))

    assert list(found) == [3, 1, 2]
    assert said_of(found, "place") == {3: 0, 1: 1, 2: 2}
    assert said_of(found, "times") == {3: 1, 1: 2, 2: 1}


def test_what_followed_the_last_item_in_this_session_is_counted() -> None:
    found = candidates(sources(), sessions_of([1, 2, 1, 3, 1]))

    assert said_of(found, "followed") == {1: 0, 2: 1, 3: 1}


def test_what_followed_in_other_sessions_is_found_by_its_share() -> None:
    relations = ItemRelations(30.0)
    log = log_of([[1, 2], [1, 2], [1, 3]])
    relations.learn(log.items, np.full(len(log.items), NOW), relations.follow(log.sessions, log.items))

    found = candidates(sources(relations), sessions_of([1]))

    assert next(iter(found)) == 1
    assert set(found) == {1, 2, 3}
    assert found[2]["next_last"] == pytest.approx(2 / (3 + 2))  # two of three, with the row's prior of 2
    assert found[3]["next_last"] == pytest.approx(1 / (3 + 2))
    assert found[2]["forward_last"] == found[2]["forward_all"]
    assert found[2]["together_all"] == pytest.approx(2 / np.sqrt((3 + 10) * (2 + 10)))


def test_weights_of_long_ago_are_small_beside_the_prior() -> None:
    relations = ItemRelations(30.0)
    log = log_of([[1, 2]])
    relations.learn(log.items, np.full(2, NOW - 300 * 86_400.0), relations.follow(log.sessions, log.items))

    found = candidates(sources(relations), sessions_of([1]))

    assert found[2]["next_last"] == pytest.approx(2**-10 / (2**-10 + 2), rel=1e-3)


def test_what_neighbours_vote_for_is_found_in_the_order_of_their_votes() -> None:
    sessions = sessions_of([1])
    sessions.voted[0, :3], sessions.votes[0, :3] = [7, 1, 9], [4, 3, 2]

    found = candidates(sources(), sessions)

    assert said_of(found, "votes") == {1: 0.75, 7: 1, 9: 0.5}
    assert found[9]["vote_rank"] == pytest.approx(1 / 3)


def test_popular_items_of_the_last_items_category_and_of_all_are_found() -> None:
    found = candidates(sources(by_category=groups({0: [5, 6, 1], 1: [8]}, [8, 5])), sessions_of([8, 1]))

    assert list(found) == [1, 8, 5, 6]
    assert said_of(found, "category_rank") == pytest.approx({1: 1 / 3, 8: 0, 5: 1, 6: 0.5})
    assert said_of(found, "popular_rank") == pytest.approx({1: 0, 8: 1, 5: 0.5, 6: 0})


def test_items_of_like_price_in_category_and_brand_lie_side_by_side() -> None:
    goods = Goods()
    for item, brand, price in ((1, "A", 10.0), (2, "A", 11.0), (3, "A", 30.0), (4, "B", 10.5)):
        goods.describe(item, "lamps", brand, price)

    found = candidates(sources(goods=goods), sessions_of([2]))

    assert said_of(found, "beside_rank") == {2: 0, 1: 1, 3: 1}


def test_the_nearest_in_meaning_are_found_but_for_what_is_not_shown() -> None:
    given = sources()
    both = candidates(given, sessions_of([50]))
    given.weight[8] = 0

    assert said_of(both, "like_rank") == {50: 0, 8: 1, 9: 0.5}
    assert said_of(candidates(given, sessions_of([50])), "like_rank") == {50: 0, 9: 0.5}


def test_no_source_gives_more_than_its_bound() -> None:
    relations = ItemRelations(30.0)
    followers = {item: range(100 + 50 * (item % 8), 150 + 50 * (item % 8)) for item in range(1, 41)}
    log = log_of([[item, other] for item, others in followers.items() for other in others])
    relations.learn(log.items, np.full(len(log.items), NOW), relations.follow(log.sessions, log.items))
    everywhere = list(range(550, 590))
    given = sources(relations, groups({0: [40, *range(500, 540)]}, everywhere))

    found = candidates(given, sessions_of(list(range(1, 41))))

    own = [item for item, said in found.items() if said["place"] >= 0]
    assert own == list(range(40, 40 - RECENT, -1))
    assert sum(said["category_rank"] > 0 for said in found.values()) == BY_CATEGORY
    assert sum(said["popular_rank"] > 0 for said in found.values()) == POPULAR
    assert sum(said["forward_all"] > 0 and said["place"] < 0 for said in found.values()) == RELATED


def test_what_is_not_shown_is_no_candidate_by_relations() -> None:
    relations = ItemRelations(30.0)
    log = log_of([[1, 2], [1, 3]])
    relations.learn(log.items, log.ts, relations.follow(log.sessions, log.items))
    given = sources(relations)
    given.weight[2] = 0

    assert set(candidates(given, sessions_of([1]))) == {1, 3}


def test_one_list_leaves_nothing_behind_for_the_next() -> None:
    relations = ItemRelations(30.0)
    log = log_of([[1, 2], [1, 3], [4, 5]])
    relations.learn(log.items, log.ts, relations.follow(log.sessions, log.items))
    both = FoundCandidates.empty(2)
    find(sources(relations), sessions_of([1, 1], [4]), make_pool(ITEMS, MOST_RELATED), both)

    alone = candidates(sources(relations), sessions_of([4]))

    size = int(both.sizes[1])
    assert both.items[1, :size].tolist() == list(alone)
    assert [row.tolist() for row in both.said[1, :size]] == [row.tolist() for row in alone.values()]
