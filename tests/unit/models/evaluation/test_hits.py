"""Compute the offline metrics."""

from math import log2

import pytest

from models.evaluation.hits import Evaluation, Quality


def test_ranks_count_as_the_textbook_says() -> None:
    evaluation = Evaluation(k=3)
    for actual in ("a", "c", "d", "x"):
        evaluation.add(["a", "b", "c", "d"], actual)

    result = evaluation.result(catalogue_size=6)

    assert result.predictions == 4
    assert result.hit_rate == pytest.approx(2 / 4)
    assert result.mrr == pytest.approx((1 + 1 / 3) / 4)
    assert result.ndcg == pytest.approx((1 + 1 / log2(4)) / 4)
    assert result.coverage == pytest.approx(3 / 6)


def test_an_empty_list_is_a_miss() -> None:
    evaluation = Evaluation(k=20)
    evaluation.add([], "a")

    assert evaluation.result(catalogue_size=1) == Quality(1, 0.0, 0.0, 0.0, 0.0)


def test_without_predictions_all_figures_are_zero() -> None:
    assert Evaluation(k=20).result(catalogue_size=0) == Quality(0, 0.0, 0.0, 0.0, 0.0)


def test_a_list_needs_a_place() -> None:
    with pytest.raises(ValueError, match="at least one place"):
        Evaluation(k=0)
