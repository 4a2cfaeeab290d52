"""Compute verdicts, thresholds and calibration."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.contract.events import Item
from models.quality.calibration import (
    Line,
    auroc,
    fit_platt,
    precision_recall,
    prevalence_weights,
    reliability,
    sigmoid,
)
from models.quality.defect import DEFECTS, Defect, ItemText
from models.quality.text import (
    Calibration,
    QualitySettings,
    TextVerdict,
    encoder_input,
    text_of,
    verdicts,
    weight_of,
)

PLAIN = Calibration((Line(1.0, 0.0),) * len(DEFECTS))


def test_the_encoder_reads_title_category_and_brand() -> None:
    item = text_of(Item("1", "  Blue  Mug ", category="home.living_room/mugs", brand="Acme"))

    assert encoder_input(item) == "Blue Mug [SEP] home > living room > mugs [SEP] Acme"


def test_missing_parts_stay_empty() -> None:
    assert encoder_input(ItemText("Mug")) == "Mug [SEP]  [SEP]"


def test_a_decimal_point_between_spaces_is_no_path() -> None:
    assert "Mugs. Cups" in encoder_input(ItemText("Mug", "Mugs. Cups"))


@given(
    st.lists(st.floats(-30, 30), min_size=len(DEFECTS), max_size=len(DEFECTS)),
    st.integers(0, len(DEFECTS) - 1),
)
def test_the_score_falls_when_any_defect_becomes_more_probable(row: list[float], head: int) -> None:
    worse = list(row)
    worse[head] += 3.0
    before, after = verdicts(np.array([row, worse], np.float32), PLAIN)

    assert after.score <= before.score
    assert 0.0 <= after.score <= before.score <= 1.0
    assert after.probabilities[DEFECTS[head]] >= before.probabilities[DEFECTS[head]]


def test_a_defect_is_flagged_from_its_own_threshold_on() -> None:
    verdict = TextVerdict({defect: 0.5 if defect is Defect.SPAM else 0.1 for defect in DEFECTS}, 0.6)

    assert verdict.defects(QualitySettings()) == (Defect.SPAM,)
    assert not verdict.faultless(QualitySettings())
    assert verdict.faultless(QualitySettings(spam_from=1.01))
    assert not verdict.faultless(QualitySettings(spam_from=1.01, score_from=0.7))


def test_a_named_defect_alone_hides_nothing_and_a_low_score_does() -> None:
    named = TextVerdict({defect: 0.99 if defect is Defect.TRUNCATED else 0.0 for defect in DEFECTS}, 0.45)

    assert named.defects(QualitySettings()) == (Defect.TRUNCATED,)
    assert named.acceptable(QualitySettings())
    assert not named.acceptable(QualitySettings(score_from=0.5))


def certain(*found: Defect) -> float:
    """Return the score of a text that has these defects for sure, and no other."""
    return verdicts(np.array([[20.0 if each in found else -20.0 for each in DEFECTS]], np.float32), PLAIN)[0].score


def test_a_doubtful_end_category_or_brand_costs_half_and_a_language_nothing() -> None:
    assert certain(Defect.GARBLED) == pytest.approx(0.0, abs=1e-6)
    assert certain(Defect.FOREIGN) == pytest.approx(1.0, abs=1e-6)
    for minor in (Defect.TRUNCATED, Defect.CATEGORY_MISMATCH, Defect.BRAND_MISMATCH):
        assert certain(minor) == pytest.approx(0.5, abs=1e-6)
    assert certain(Defect.TRUNCATED, Defect.BRAND_MISMATCH) == pytest.approx(0.25, abs=1e-6)


def test_good_texts_weigh_the_same_doubtful_ones_less_and_bad_ones_nothing() -> None:
    settings = QualitySettings(score_from=0.3, full_from=0.6)

    assert [weight_of(score, settings) for score in (1.0, 0.95, 0.6)] == [1.0, 1.0, 1.0]
    assert weight_of(0.45, settings) == pytest.approx(0.75)
    assert [weight_of(score, settings) for score in (0.29, 0.0)] == [0.0, 0.0]


def test_half_a_surrogate_pair_is_read_as_an_unknown_sign() -> None:
    assert encoder_input(ItemText("Mug \ud800", "\udfff", "")) == "Mug ? [SEP] ? [SEP]"


def test_every_defect_has_a_threshold() -> None:
    assert all(QualitySettings().threshold(defect) > 0 for defect in DEFECTS)


def test_platt_recovers_the_line_that_made_the_labels() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(0, 2, 40_000)
    labels = rng.random(len(x)) < sigmoid(1.7 * x - 0.6)

    line = fit_platt(x, labels, np.ones(len(x)))

    assert line.slope == pytest.approx(1.7, abs=0.06)
    assert line.offset == pytest.approx(-0.6, abs=0.06)


def test_platt_keeps_the_order_even_of_a_useless_score() -> None:
    line = fit_platt(np.linspace(-1, 1, 100), np.arange(100) < 50, np.ones(100))

    assert line.slope > 0


def test_weights_bring_the_positives_to_their_prevalence() -> None:
    labels = np.arange(100) < 40
    weights = prevalence_weights(labels, 0.05)

    assert weights[labels].sum() / weights.sum() == pytest.approx(0.05)


def test_auroc_counts_ties_half() -> None:
    assert auroc(np.array([0.1, 0.2]), np.array([0.3, 0.4])) == 1.0
    assert auroc(np.array([0.5, 0.5]), np.array([0.5])) == 0.5
    assert auroc(np.array([0.9]), np.array([0.1])) == 0.0


def test_precision_and_recall_of_a_small_table() -> None:
    scores, labels = np.array([0.9, 0.8, 0.3, 0.1]), np.array([True, False, True, False])

    assert precision_recall(scores, labels, 0.5) == (0.5, 0.5)
    assert precision_recall(scores, labels, 2.0) == (1.0, 0.0)


def test_a_calibrated_probability_lies_on_the_diagonal() -> None:
    rng = np.random.default_rng(1)
    probability = rng.random(50_000)
    rows = reliability(probability, rng.random(50_000) < probability, np.ones(50_000))

    assert len(rows) == 10
    assert all(abs(mean - share) < 0.03 for mean, share, _ in rows)
