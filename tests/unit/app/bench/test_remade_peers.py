"""Peers that are made again from time to time find what a log says; they need the extra `bench`."""

import numpy as np
import pytest
from small_lists import log_of

from app.bench.boosted import BoostedTrees
from app.bench.linear import LinearSessions
from models.evaluation.prequential import Contender
from models.ranker.ranker import Ranker
from models.ranker.relations import TRAIL, Prefixes
from models.ranker.settings import RankerSettings
from models.recommender import Recommender, RecommenderSettings

ITEMS, NOBODY = 40, 10**6
CHAINS = [[(start + step) % ITEMS for step in range(5)] for start in range(ITEMS) for _ in range(12)]


def firsts(peer: Contender, seen: list[list[int]]) -> list[int]:
    """The best item for each of these sessions."""
    before = Prefixes(np.zeros((len(seen), TRAIL), np.int32), np.array([len(each) for each in seen], np.int32))
    for row, items in enumerate(seen):
        before.items[row, : len(items)] = items
    own = np.arange(NOBODY, NOBODY + len(seen)).astype(np.uint64)
    return [int(each) for each in peer.answers(before, own, np.zeros(len(seen), np.int32)).items[:, 0]]


def test_a_linear_model_of_sessions_finds_what_comes_next() -> None:
    pytest.importorskip("scipy", reason="the extra bench is not installed")
    peer, log = LinearSessions(), log_of(CHAINS)
    peer.learn(log, log.sessions)

    found = firsts(peer, [[item, item + 1] for item in range(ITEMS - 2)])
    assert np.mean([first == item + 2 for item, first in enumerate(found)]) > 0.9
    assert firsts(peer, [[ITEMS + 7]]) == [-1]  # of an item that it does not know it says nothing


def test_boosted_trees_rank_by_the_features_of_the_learned_ranker() -> None:
    pytest.importorskip("lightgbm", reason="the extra bench is not installed")
    recommender = Recommender(RecommenderSettings())
    recommender.items.numbers(f"item {number:02}" for number in range(ITEMS))
    peer, log = BoostedTrees(Ranker(recommender, RankerSettings())), log_of(CHAINS)
    peer.learn(log, log.sessions)

    found = firsts(peer, [[item, item + 1] for item in range(ITEMS - 2)])
    assert peer.trees_grown_of >= 100
    assert np.mean([first == item + 2 for item, first in enumerate(found)]) > 0.9
