"""The judge: the formula leads until another ranker is better by more than noise."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from models.ranker.judge import LEAST, RankerJudge, formula_ranks


def ranks(*rows: tuple[int, int, int]) -> NDArray[np.int32]:
    return np.array(rows, np.int32)


def judge_of(given: NDArray[np.int32], weights: NDArray[np.float32] | None = None) -> RankerJudge:
    judge = RankerJudge()
    judge.add(given, np.ones(len(given), np.float32) if weights is None else weights)
    return judge


def test_the_formula_leads_before_there_is_anything_to_go_by() -> None:
    assert RankerJudge().leader() == "formula"
    assert judge_of(np.tile(ranks((0, 1, 0)), (LEAST - 1, 1))).leader() == "formula"


def test_a_ranker_that_is_always_better_leads() -> None:
    assert judge_of(np.tile(ranks((3, 1, 2)), (LEAST, 1))).leader() == "linear"
    assert judge_of(np.tile(ranks((3, 2, 1)), (LEAST, 1))).leader() == "hidden"


def test_equal_rankers_leave_the_lead_to_the_formula() -> None:
    assert judge_of(np.tile(ranks((2, 2, 2)), (1000, 1))).leader() == "formula"


def test_a_difference_within_noise_changes_nothing() -> None:
    wins, losses = np.tile(ranks((0, 1, 0)), (51, 1)), np.tile(ranks((1, 0, 0)), (50, 1))
    mixed = np.random.default_rng(1).permutation(np.concatenate([wins, losses]))
    assert judge_of(mixed).leader() == "formula"


def test_a_leader_that_becomes_worse_loses_the_lead() -> None:
    judge = judge_of(np.tile(ranks((0, 1, 0)), (1000, 1)))
    assert judge.leader() == "linear"
    judge.add(np.tile(ranks((1, 0, 0)), (5000, 1)), np.ones(5000, np.float32))
    assert judge.leader() == "formula"


def test_hits_beyond_the_twentieth_place_count_nothing() -> None:
    judge = RankerJudge(window=math.inf)
    judge.add(ranks((20, 21, 1), (4, 0, 2)), np.ones(2, np.float32))
    assert judge.hits.tolist() == [1, 0, 1]
    assert judge.reciprocals == pytest.approx([(1 / 20 + 1 / 4) / 2, 0, 0.75])


def test_a_list_counts_as_much_as_it_weighs() -> None:
    judge = RankerJudge(window=math.inf)
    judge.add(ranks((1, 1, 1), (0, 0, 0)), np.array([1, 0.25], np.float32))
    assert judge.hits == pytest.approx([0.8, 0.8, 0.8])


def test_a_judge_goes_on_from_what_another_one_counted() -> None:
    rng = np.random.default_rng(3)
    for count in (0, 1, 2, 60, 9000):
        given = rng.integers(0, 30, (count, 3), np.int32)
        before, after = judge_of(given, rng.uniform(0.01, 1.0, count).astype(np.float32)), RankerJudge()
        after.resume(before.state())
        assert after.state().tolist() == before.state().tolist()


COUNTED = {"lists": 0, "weights": 1, "squared weights": 2, "hits": 3, "reciprocals": 6, "difference": 10, "square": 19}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("lists", -1.0),
        ("lists", 0.0),
        ("weights", 0.0),
        ("weights", 1e300),
        ("squared weights", -1e6),
        ("squared weights", 0.0),
        ("squared weights", 1e-3),
        ("hits", 1.5),
        ("reciprocals", -0.5),
        ("difference", 1e200),
        ("square", -1.0),
        ("square", 5.0),
    ],
)
def test_counts_that_no_lists_lead_to_are_refused_and_change_nothing(name: str, value: float) -> None:
    judge = judge_of(np.tile(ranks((3, 1, 2), (0, 4, 1)), (LEAST, 1)))
    before = judge.state()
    impossible = before.copy()
    impossible[COUNTED[name]] = value
    with pytest.raises(ValueError, match="no lists lead to"):
        judge.resume(impossible)
    assert judge.state().tolist() == before.tolist()


def test_lists_without_weights_are_refused() -> None:
    state = np.zeros(27)
    state[0], state[2] = 1000, -1e6
    with pytest.raises(ValueError, match="no lists lead to"):
        RankerJudge().resume(state)


def test_the_formulas_rank_is_that_among_its_votes_without_the_item_looked_at() -> None:
    voted = np.array([[5, 7, 9, -1], [5, 7, 9, -1], [5, -1, -1, -1], [4, 5, 6, 7]], np.int32)
    found, is_whole = formula_ranks(voted, np.array([5, 7, 5, 9], np.int32), np.array([9, 8, 3, 7], np.int32), 3)

    assert found.tolist() == [2, 0, 0, 0]
    assert is_whole.tolist() == [True, False, False, True]
