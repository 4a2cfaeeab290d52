"""Compute the second judge's verdict: what is in doubt, the evidence, and what it changes."""

from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from models.inference.causal_model import CausalModel
from models.inference.manifest import ManifestError
from models.quality.assessment import Assessment, Models
from models.quality.defect import DEFECTS, Defect, ItemText
from models.quality.second_judge import TextHearing, heard_titles, weights_of
from models.quality.second_judge_score import (
    EVIDENCE,
    Heard,
    SecondJudgeSettings,
    evidence,
    lines,
    probability,
    revised,
)
from models.quality.text import TextVerdict
from models.training.quality_catalogue import TrainingCatalogue
from models.training.quality_examples import material
from models.training.second_judge_fit import draw_doubtful, fit_weights

MOST_TOKENS = 200


class Letters:
    """A tokenizer that makes a token of each character."""

    def no_padding(self) -> None:
        pass

    def no_truncation(self) -> None:
        pass

    def encode(self, text: str, add_special_tokens: bool) -> Any:
        assert not add_special_tokens
        return SimpleNamespace(ids=[ord(each) for each in text])


class Repeats:
    """A model that expects each character to come again.

    It gives -1 where that is so and -3 where not, and counts its runs.
    """

    def __init__(self) -> None:
        self.runs: list[str] = []

    def __call__(self, ids: NDArray[np.int64]) -> NDArray[np.float32]:
        self.runs.append("".join(map(chr, ids[0].tolist())))
        return np.where(ids[:, 1:] == ids[:, :-1], -1.0, -3.0).astype(np.float32)


def verdict(score: float, **probabilities: float) -> TextVerdict:
    return TextVerdict({each: probabilities.get(each.value, 0.0) for each in DEFECTS}, score)


@pytest.mark.parametrize(("score", "doubtful"), [(0.04, False), (0.05, True), (0.79, True), (0.8, False), (1.0, False)])
def test_the_band_holds_its_lower_end_and_not_its_upper(score: float, doubtful: bool) -> None:
    assert SecondJudgeSettings(low=0.05, high=0.8).holds(score) is doubtful


def test_parts_of_a_text_are_scored_in_one_run_and_told_apart() -> None:
    run = Repeats()
    first, second, third = CausalModel(run, Letters(), MOST_TOKENS).log_likelihoods(["aa", "ab", ""])
    assert len(run.runs) == 1
    assert first.tolist() == [-1.0]  # nothing comes before the first token
    assert second.tolist() == [-1.0, -3.0]
    assert third.tolist() == [-3.0]  # an empty part still has a token


def test_what_is_beyond_the_most_tokens_counts_nothing() -> None:
    run = Repeats()
    [first, second] = CausalModel(run, Letters(), 3).log_likelihoods(["aaa", "aaaa"])
    assert run.runs == ["aaa"]
    assert (first.tolist(), second.tolist()) == ([-1.0, -1.0], [0.0] * 4)


def test_half_a_surrogate_pair_is_text_too() -> None:
    assert len(CausalModel(Repeats(), Letters(), MOST_TOKENS).log_likelihoods(["a\ud800"])[0]) == 1


def test_an_item_is_read_line_by_line_after_the_mark_of_a_document() -> None:
    run = Repeats()
    hear = TextHearing(CausalModel(run, Letters(), MOST_TOKENS), "^")
    heard = hear(ItemText("Red  mug", "Kitchen/Mugs", "Acme"))
    assert run.runs[0] == "^Product title: Red mug\nBrand: Acme\nCategory: Kitchen > Mugs\n"
    assert heard.brand is not None
    assert heard.category is not None
    bare = hear(ItemText("Red mug"))
    assert (bare.brand, bare.category) == (None, None)
    assert bare.title == pytest.approx(heard.title)


def test_a_brand_by_itself_is_read_once() -> None:
    run = Repeats()
    hear = TextHearing(CausalModel(run, Letters(), MOST_TOKENS), "")
    for title in ("Mug", "Jug", "Cup"):
        hear(ItemText(title, brand="Acme"))
    assert len(run.runs) == 4
    assert sum(text.startswith("Product title: Item\n") for text in run.runs) == 1


def test_titles_are_compared_by_their_mean() -> None:
    hear = TextHearing(CausalModel(Repeats(), Letters(), MOST_TOKENS), "")
    assert heard_titles(hear, ["aaa", ""]).tolist() == [[-2.0], [-3.0]]


def test_long_parts_are_cut_so_that_brand_and_category_stay_in_sight() -> None:
    title, brand, category = lines(ItemText("t" * 500, "c" * 500, "b" * 500))
    assert (len(title), len(brand), len(category)) == (120, 40, 60)


def test_evidence_counts_by_what_the_quality_model_suspects() -> None:
    heard = Heard(title=-4.0, end=-2.0, brand=(-6.0, -3.0), category=(-5.0, -4.0))
    found = evidence(heard, verdict(0.5, brand_mismatch=0.5, truncated=0.25))
    assert dict(zip(EVIDENCE, found.tolist(), strict=True)) == pytest.approx(
        {
            "quality_logit": 0.0,
            "brand_gain * brand_mismatch": -1.5,
            "title_end * truncated": -0.5,
            "category_loss": -1.0,
        }
    )


@pytest.mark.parametrize("score", [0.0, 1.0])
def test_without_brand_and_category_only_the_score_is_evidence(score: float) -> None:
    found = evidence(Heard(-4.0, -2.0), verdict(score, brand_mismatch=1.0))
    assert np.isfinite(found).all()
    assert found[1:].tolist() == [0.0, 0.0, 0.0]


def test_a_category_that_fits_better_than_expected_does_not_make_up_for_other_faults() -> None:
    assert evidence(Heard(-4.0, -2.0, category=(-1.0, -9.0)), verdict(0.5))[3] == 0.0


def test_calibration_finds_what_tells_fine_from_spoilt_and_keeps_to_the_feed() -> None:
    rng = np.random.default_rng(1)
    fine = rng.random(4_000) < 0.5
    found = rng.normal(size=(4_000, len(EVIDENCE)))
    found[:, 1] += 2.0 * fine
    found[:, 3] = 0.0  # a catalogue without categories
    shares = np.where(fine, 8.0, 2.0)
    weights = fit_weights(found, fine, shares)
    judged = probability(found, weights)
    assert int(np.abs(weights.weights).argmax()) == 1
    assert weights.weights[3] == 0.0
    assert judged[fine].mean() > judged[~fine].mean() + 0.3
    assert np.average(judged, weights=shares) == pytest.approx(np.average(fine, weights=shares), abs=0.01)


class Unsure:
    """A quality model that is sure of one example in three."""

    def judge(self, items: Sequence[ItemText]) -> list[TextVerdict]:
        return [verdict(0.99 if number % 3 == 0 else 0.5) for number, _ in enumerate(items)]


def test_examples_in_doubt_are_half_fine_and_weighted_by_their_share_of_the_feed() -> None:
    items = tuple(ItemText(f"Red ceramic mug number {number}", "Home/Mugs") for number in range(50))
    source = material([TrainingCatalogue("shop", items)], ["Home/Mugs", "Garden/Hoses"])
    drawn = draw_doubtful(source, Unsure(), SecondJudgeSettings(low=0.05, high=0.8), 100, np.random.default_rng(3))
    fine = [each for each in drawn if each.fine]
    assert (len(drawn), len(fine)) == (100, 50)
    assert {each.first.score for each in drawn} == {0.5}
    share = sum(each.weight for each in fine) / sum(each.weight for each in drawn)
    assert share == pytest.approx(0.98**9, abs=0.05)


BEFORE = Assessment("00" * 8, "letters", b"", "quality", 0.3, (Defect.REMARK.value,))


@pytest.mark.parametrize(("fine", "reasons"), [(0.1, ("remark",)), (0.49, ("remark",)), (0.5, ()), (0.9, ())])
def test_an_opinion_sets_the_score_and_overrules_defects_when_fine_is_likelier(
    fine: float, reasons: tuple[str, ...]
) -> None:
    after = revised(BEFORE, fine, "quality+judge")
    assert (after.quality, after.reasons, after.judged_by) == (fine, reasons, "quality+judge")
    assert (after.text_hash, after.embedding) == (BEFORE.text_hash, BEFORE.embedding)


def test_an_assessment_is_of_the_models_in_use_with_and_without_the_second_judge() -> None:
    models = Models("letters", "quality", 0, "judge")
    twice = revised(BEFORE, 0.4, models.judges)
    assert models.made(BEFORE)
    assert not models.judged_twice(BEFORE)
    assert models.made(twice)
    assert models.judged_twice(twice)
    assert not Models("letters", "quality").made(twice)
    assert not Models("letters", "quality", 0, "other").made(twice)


GOOD: dict[str, Any] = {
    "evidence": list(EVIDENCE), "means": [0.0] * 4, "spreads": [1.0] * 4, "weights": [1.0] * 4, "offset": 0.0
}  # fmt: skip


def artefact(calibration: object) -> Any:
    return SimpleNamespace(name="tiny", details={} if calibration is None else {"calibration": calibration})


def test_a_whole_calibration_is_read() -> None:
    assert weights_of(artefact(GOOD)).weights.tolist() == [1.0] * 4


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        (lambda found: found.pop("means"), "not whole: 'means'"),
        (lambda found: found.update(evidence=["a"]), "calibrated for other evidence"),
        (lambda found: found.update(weights=[1.0]), "4 finite numbers"),
        (lambda found: found.update(weights=[float("nan")] * 4), "4 finite numbers"),
        (lambda found: found.update(offset=None), "not whole"),
    ],
    ids=["missing", "other evidence", "too few", "no number", "no offset"],
)
def test_a_calibration_that_cannot_be_used_is_named(harm: Callable[[dict[str, Any]], object], message: str) -> None:
    found = dict(GOOD)
    harm(found)
    with pytest.raises(ManifestError, match=message):
        weights_of(artefact(found))


def test_a_missing_calibration_is_named() -> None:
    with pytest.raises(ManifestError, match="not whole"):
        weights_of(artefact(None))
