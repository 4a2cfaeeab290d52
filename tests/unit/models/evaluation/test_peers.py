"""Recommenders to compare with: each finds what its source says, and lists no item twice."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from numpy.typing import NDArray
from small_lists import log_of

from models.evaluation.related_peers import ItemNeighbours, ItemTransitions, PopularItems
from models.evaluation.session_peers import SessionNeighbours, WeighedSessionNeighbours
from models.ranker.relations import TRAIL, Prefixes

NOBODY = 10**6
Peer = Callable[[], PopularItems]


def listed(peer: PopularItems, seen: Sequence[int], own: int = NOBODY) -> list[int]:
    """The list for a session that holds these items, oldest first."""
    before = Prefixes(np.zeros((1, TRAIL), np.int32), np.array([len(seen)], np.int32))
    before.items[0, : len(seen)] = seen
    items: NDArray[np.int32] = peer.answers(before, np.array([own], np.uint64), np.zeros(1, np.int32)).items
    return [item for item in items[0].tolist() if item >= 0]


def taught(make: Peer, *sessions: Sequence[int]) -> PopularItems:
    peer, log = make(), log_of(sessions)
    peer.learn(log, log.sessions)
    return peer


def test_popular_items_come_in_the_order_of_their_events() -> None:
    assert listed(taught(PopularItems, [1, 2, 3], [3, 2], [3]), [9]) == [3, 2, 1]


def test_what_followed_the_newest_item_comes_first_the_nearest_before_the_farther() -> None:
    peer = taught(ItemTransitions, [1, 2, 3], [1, 2, 3], [4, 5], [5, 5, 5])

    assert listed(peer, [4, 1])[:2] == [2, 3]


def test_items_of_the_same_sessions_come_first_whichever_came_before() -> None:
    peer = taught(ItemNeighbours, [2, 1], [2, 1], [3, 1], [4, 5], [5, 5, 5])

    assert listed(peer, [9, 1])[:2] == [2, 3]


def test_the_nearest_sessions_vote_for_what_stands_near_the_newest_common_item() -> None:
    peer = taught(SessionNeighbours, [1, 2, 3], [1, 2, 3, 7], [8, 4], [4, 4])

    assert listed(peer, [1, 2])[:3] == [1, 3, 7]  # 1 and 3 stand equally near to 2


def test_votes_for_rare_items_weigh_more_where_all_else_is_equal() -> None:
    common = [[5], [5], [5], [5]]
    peer = taught(WeighedSessionNeighbours, [1, 5], [6, 1], *common)

    assert listed(peer, [1])[:2] == [6, 5]
    assert listed(taught(SessionNeighbours, [1, 5], [6, 1], *common), [1])[0] == 6  # the newer session
    assert listed(taught(SessionNeighbours, [6, 1], [1, 5], *common), [1])[0] == 5
    assert listed(taught(WeighedSessionNeighbours, [6, 1], [1, 5], *common), [1])[0] == 6


def test_neighbours_that_share_the_newest_item_weigh_more_than_those_of_an_earlier_one() -> None:
    peer = taught(WeighedSessionNeighbours, [2, 7], [1, 8], [9, 9])

    assert listed(peer, [1, 2])[:2] == [1, 7] or listed(peer, [1, 2])[:2] == [7, 1]
    assert listed(peer, [1, 2]).index(7) < listed(peer, [1, 2]).index(8)


def test_a_session_is_no_neighbour_of_itself() -> None:
    peer = taught(SessionNeighbours, [1, 2], [3, 3])

    assert listed(peer, [1], own=1) == [3, 2]
    assert listed(peer, [1]) == [2, 3]


@pytest.mark.parametrize(
    "make", [PopularItems, ItemTransitions, ItemNeighbours, SessionNeighbours, WeighedSessionNeighbours]
)
def test_a_list_holds_no_item_twice_nor_the_item_being_looked_at(make: Peer) -> None:
    random = np.random.default_rng(1)
    peer = taught(make, *(random.integers(0, 40, 6).tolist() for _ in range(60)))

    items = listed(peer, [3, 7, 3])

    assert len(items) == len(set(items)) == 20
    assert 3 not in items
