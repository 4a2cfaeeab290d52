"""The features: declared once, all filled, and on the page that is made from them."""

from pathlib import Path

import numpy as np
import pytest
from made_pages import assert_up_to_date
from small_lists import facts_of, one_list

from models.ranker.arrays import MOST
from models.ranker.feature_kernel import compare_trends, describe, take_logs
from models.ranker.features import COUNT, FEATURE_TYPE, FEATURES, IS_LOG
from models.ranker.likeness_kernel import compare

ROOT = Path(__file__).resolve().parents[4]


def test_every_feature_is_said_once_and_in_full() -> None:
    assert len({each.name for each in FEATURES}) == COUNT
    assert all(all(each) for each in FEATURES)


def test_every_feature_of_every_candidate_is_filled() -> None:
    sessions, found = one_list([1, 2, 1], [1, 2, 3, 4])
    features = np.full(1, np.nan, FEATURE_TYPE)

    describe(facts_of(5), sessions, found, features)
    compare(np.zeros((0, 0), np.float32), sessions, found, features)
    compare_trends(features, found.sizes)

    rows = features.view(np.float32).reshape(COUNT, MOST)
    empty = [each.name for each, row in zip(FEATURES, rows, strict=True) if not np.isfinite(row[:4]).all()]
    assert empty == []


def test_a_candidate_of_the_session_and_of_its_categories_is_described() -> None:
    sessions, found = one_list([1, 2, 1], [1, 2, 3, 4])
    found.said["place"][0, :4] = [0, 1, -1, -1]
    facts = facts_of(5)
    facts.category[:5] = [0, 7, 8, 7, 9]
    facts.price[:5] = np.log([1.0, 10.0, 40.0, 20.0, 5.0])
    features = np.zeros(1, FEATURE_TYPE)

    describe(facts, sessions, found, features)

    [said] = features
    assert said["is_own"][:4].tolist() == [1, 1, 0, 0]
    assert said["is_last"][:4].tolist() == [1, 0, 0, 0]
    assert said["own_place"][:4].tolist() == [1, 0.5, 0, 0]
    assert said["same_category"][:4].tolist() == [1, 0, 1, 0]
    assert said["category_share"][:4].tolist() == [0.5, 0.5, 0.5, 0]
    assert said["session_repeats"][0] == pytest.approx(1 / 3)
    assert said["price_gap"][:4] == pytest.approx(np.log([1, 4, 2, 2]), abs=1e-6)
    assert said["price_level"][2] == pytest.approx(0.0, abs=1e-6)  # 20 is the geometric mean of 10 and 40


def test_an_item_without_price_category_or_events_has_none_of_their_features() -> None:
    sessions, found = one_list([1], [2])
    features = np.zeros(1, FEATURE_TYPE)

    describe(facts_of(1), sessions, found, features)

    [said] = features
    none = ("price_gap", "price_level", "same_category", "same_brand", "same_both", "events_log", "day_log")
    assert {name: said[name][0] for name in none} == dict.fromkeys(none, 0)
    assert said["weight"][0] == 1


def test_the_fast_logarithm_is_that_of_the_library() -> None:
    x = np.concatenate([[0.0], np.geomspace(1e-6, 1e6, 300)]).astype(np.float32)
    rows = np.stack([x, x])[None]

    take_logs(rows, np.array([len(x)], np.int32), np.array([True, False]))

    assert rows[0, 0] == pytest.approx(np.log1p(x.astype(np.float64)), abs=3e-6, rel=1e-6)
    assert np.array_equal(rows[0, 1], x)


def test_what_is_no_finite_number_has_no_logarithm() -> None:
    rows = np.array([[[np.nan, np.inf, 1.0]]], np.float32)
    take_logs(rows, np.array([3], np.int32), np.array([True]))
    assert np.isfinite(rows[0, 0]).tolist() == [False, False, True]


def test_logarithms_are_taken_of_what_is_measured_in_them() -> None:
    assert [each.name for each, is_log in zip(FEATURES, IS_LOG, strict=True) if is_log] == [
        each.name for each in FEATURES if each.unit.startswith("ln(1 + ")
    ]


def test_the_page_of_features_is_up_to_date() -> None:
    assert_up_to_date("features_page.py")
