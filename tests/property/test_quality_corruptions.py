"""Check what every corruption promises, on any text."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.quality.defect import DEFECTS, Defect, ItemText
from models.quality.features import FEATURE_NAMES, lexical_features
from models.quality.text import encoder_input
from models.training.corruptions import (
    CORRUPTIONS,
    Corruption,
    corrupted,
    corruptions_of,
    other_brand,
    other_category,
)

ANY_TEXT = st.text(max_size=120) | st.sampled_from(
    ["", " ", "a", "?", "12", "ÄÖÜ", "包包", "\x00", "MUG", "<b>x</b>", "{0} {x}", "%s", "{"]
)
SEEDS = st.integers(0, 2**32 - 1)
each_corruption = pytest.mark.parametrize("corruption", CORRUPTIONS, ids=lambda each: each.name)


@each_corruption
@given(text=ANY_TEXT, seed=SEEDS)
@settings(max_examples=40, deadline=None)
def test_a_corruption_changes_any_text_and_repeats_itself_under_one_seed(
    corruption: Corruption, text: str, seed: int
) -> None:
    spoilt = corruption.apply(text, np.random.default_rng(seed))

    assert spoilt != text
    assert spoilt.strip()
    assert corruption.apply(text, np.random.default_rng(seed)) == spoilt


@each_corruption
def test_a_corruption_varies_from_seed_to_seed(corruption: Corruption) -> None:
    title = "Stoneware Café Mug with Cork Base, 350 ml - M200"
    spoilt = {corruption.apply(title, np.random.default_rng(seed)) for seed in range(20)}

    assert len(spoilt) > 1 or corruption.name in {"vowels_lost"}


@each_corruption
def test_a_corruption_leaves_category_and_brand_alone(corruption: Corruption) -> None:
    item = ItemText("Stoneware Mug", "Kitchen > Mugs", "Hearthside")
    spoilt = corrupted(item, corruption, np.random.default_rng(1))

    assert (spoilt.category, spoilt.brand) == (item.category, item.brand)


def test_every_defect_of_the_title_has_corruptions_and_names_are_unique() -> None:
    mismatches = {Defect.CATEGORY_MISMATCH, Defect.BRAND_MISMATCH}

    assert {defect for defect in DEFECTS if not corruptions_of(defect)} == mismatches
    assert len({each.name for each in CORRUPTIONS}) == len(CORRUPTIONS)


@given(seed=SEEDS)
@settings(max_examples=30, deadline=None)
def test_another_category_is_never_one_that_is_called_related(seed: int) -> None:
    item = ItemText("Mug", "Kitchen > Mugs")
    names = ["Kitchen > Mugs", "Kitchen > Pans", "Garden > Spades"]

    def same_top(drawn: str, own: str) -> bool:
        return drawn.split(maxsplit=1)[0] == own.split(maxsplit=1)[0]

    moved = other_category(item, names, same_top, np.random.default_rng(seed))

    assert moved is None or moved.category == "Garden > Spades"


def test_without_another_category_there_is_no_mismatch() -> None:
    item = ItemText("Mug", "Kitchen")

    assert other_category(item, [], lambda drawn, own: drawn == own, np.random.default_rng(0)) is None


def test_a_brand_contradicts_only_a_title_that_names_one() -> None:
    rng = np.random.default_rng(0)
    brands = ["Nikon", "Canon", "Canon Europe"]

    moved = other_brand(ItemText("Canon PowerShot", "", "Canon"), brands, rng)

    assert moved is not None
    assert moved.brand == "Nikon"
    assert other_brand(ItemText("PowerShot", "", "Canon"), brands, rng) is None
    assert other_brand(ItemText("Canon PowerShot", "", ""), brands, rng) is None
    assert other_brand(ItemText("Canon PowerShot", "", "Canon"), [], rng) is None


@given(st.lists(st.builds(ItemText, ANY_TEXT, ANY_TEXT, ANY_TEXT), max_size=5))
def test_counting_never_fails_and_a_row_does_not_depend_on_its_batch(items: list[ItemText]) -> None:
    together = lexical_features(items)

    assert together.shape == (len(items), len(FEATURE_NAMES))
    assert np.isfinite(together).all()
    for item, row in zip(items, together, strict=True):
        np.testing.assert_array_equal(lexical_features([item])[0], row)


@given(st.builds(ItemText, st.text(st.characters(max_codepoint=127)), st.just(""), st.just("")))
def test_letter_case_is_not_counted(item: ItemText) -> None:
    np.testing.assert_allclose(
        lexical_features([ItemText(item.title.upper())]),
        lexical_features([ItemText(item.title.lower())]),
        atol=1e-6,
    )


@given(st.builds(ItemText, ANY_TEXT, ANY_TEXT, ANY_TEXT))
def test_the_encoders_line_is_short_and_has_both_separators(item: ItemText) -> None:
    line = encoder_input(item)

    assert line.count("[SEP]") >= 2
    assert len(line) <= 120 + 60 + 40 + 14
