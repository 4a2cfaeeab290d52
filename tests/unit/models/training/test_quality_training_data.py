"""Make training data of the quality model: trusted titles, a split by title, labelled examples."""

import re
from itertools import islice

import numpy as np

from models.quality.defect import DEFECTS, Defect, ItemText
from models.training.corruptions import CORRUPTIONS
from models.training.quality_catalogue import (
    Entry,
    Part,
    TeachersView,
    TrainingCatalogue,
    leading_brands,
    part_of,
    trusted,
    with_leading_brand,
)
from models.training.quality_examples import CLEAN, examples, material, shown_category
from models.training.quality_names import NAME, names, words_of_vocabulary
from models.training.remarks import typical_words

THINGS = ("Mug", "Teapot", "Lamp", "Chair", "Shirt", "Kettle", "Scarf", "Clock")
MAKERS = ("Acme", "Bellworth", "Corvo", "Dunmore")
PLACES = ("Kitchen > Mugs", "Garden > Tools", "Apparel > Shirts", "Lighting > Lamps")


def a_catalogue(name: str = "shop") -> TrainingCatalogue:
    items = [
        ItemText(f"{maker} {thing} {number}", PLACES[number % len(PLACES)])
        for number, (maker, thing) in enumerate((m, t) for m in MAKERS for t in THINGS)
    ]
    return TrainingCatalogue(name, tuple(items))


def entry(title: str, *, priced: bool = True) -> Entry:
    return Entry(ItemText(title), priced)


def test_titles_in_another_case_than_their_catalogue_are_not_trusted() -> None:
    rows = [entry(f"BLUE MUG {number}") for number in range(30)] + [entry("check"), entry("lost?")]

    assert {item.title for item in trusted("shop", rows).items} == {f"BLUE MUG {number}" for number in range(30)}


def test_titles_without_a_price_are_not_trusted_where_prices_are_the_rule() -> None:
    rows = [entry(f"Mug {number}") for number in range(30)] + [entry("Sample", priced=False)]

    assert "Sample" not in {item.title for item in trusted("shop", rows).items}


def test_broken_and_repeated_titles_are_not_trusted() -> None:
    rows = [entry(title) for title in ("Mug", "Mug", "<b>Mug</b>", "Mug &amp; Cup", "CafÃ© Mug", "???", " ")]

    assert [item.title for item in trusted("shop", rows).items] == ["Mug"]


def test_the_same_title_is_never_on_both_sides_of_the_split() -> None:
    assert part_of("Blue  MUG!") is part_of("blue mug")
    parts = [part_of(f"title {number}") for number in range(5_000)]
    assert 0.77 < parts.count(Part.TRAIN) / 5_000 < 0.83
    assert parts.count(Part.TEST) > 400


def test_a_word_that_begins_many_titles_is_taken_for_a_brand() -> None:
    brands = leading_brands(a_catalogue())

    assert brands == set(MAKERS)
    assert with_leading_brand(ItemText("Acme Mug"), brands).brand == "Acme"
    assert with_leading_brand(ItemText("Blue Mug"), brands).brand == ""


def test_examples_repeat_under_one_seed_and_cover_every_corruption() -> None:
    source = material([a_catalogue()], list(PLACES))
    drawn = list(islice(examples(source, np.random.default_rng(5)), 3_000))

    assert drawn[:200] == list(islice(examples(source, np.random.default_rng(5)), 200))
    made = {each.corruption for each in drawn}
    assert made == {each.name for each in CORRUPTIONS} | {CLEAN, "other_category", "other_brand"}
    assert all(sum(label > 0 for label in each.labels) == 0 for each in drawn if each.corruption == CLEAN)
    assert all(sum(label > 0 for label in each.labels) >= 1 for each in drawn if each.corruption != CLEAN)


def test_a_corruption_that_is_left_out_is_never_drawn() -> None:
    source = material([a_catalogue()], list(PLACES), left_out=frozenset({"misread"}))

    assert all(each.corruption != "misread" for each in islice(examples(source, np.random.default_rng(5)), 3_000))


def test_the_category_of_an_unreadable_title_has_no_label() -> None:
    source = material([a_catalogue()], list(PLACES))
    garbled, category = DEFECTS.index(Defect.GARBLED), DEFECTS.index(Defect.CATEGORY_MISMATCH)
    drawn = [each for each in islice(examples(source, np.random.default_rng(2)), 2_000) if each.labels[garbled] > 0]

    assert drawn
    assert all(each.labels[category] < 0 for each in drawn)


def test_without_categories_a_teacher_lends_the_nearest_one() -> None:
    catalogue = TrainingCatalogue("shop", (ItemText("Acme Mug"), ItemText("Acme Spade")))
    view = TeachersView(
        np.array([[0.8, 0.0], [0.1, 0.7]], np.float32),
        {"Acme Mug": 0, "Acme Spade": 1},
        {"Vessels": 0, "Diggers": 1},
    )
    source = material([catalogue], ["Vessels", "Diggers"], view)
    wrong = {"Mug": "Diggers", "Spade": "Vessels"}
    moved = set()

    for each in islice(examples(source, np.random.default_rng(3)), 500):
        thing = "Mug" if "Mug" in each.item.title else "Spade"
        if each.corruption == "other_category":
            moved.add((thing, each.item.category))
        elif each.corruption == CLEAN:
            assert each.item.category != wrong[thing]
    assert moved == set(wrong.items())


def test_a_category_is_shown_by_some_of_its_levels() -> None:
    rng = np.random.default_rng(0)
    shown = {shown_category("Home > Kitchen > Mugs", rng) for _ in range(200)}

    assert {"Home", "Mugs", "Home > Kitchen > Mugs"} <= shown
    assert all(set(re.findall(r"\w+", each)) <= {"Home", "Kitchen", "Mugs"} for each in shown)


VOCABULARY = {
    word: number
    for number, word in enumerate(
        ("the", "a", "##ing", "42", "house", "damaged", "damages", "river", "checked", "night", "harbour", "walk")
    )
}


def test_words_of_names_are_whole_in_their_order_and_none_that_remarks_are_made_of() -> None:
    assert words_of_vocabulary(VOCABULARY).known == ("house", "river", "night", "harbour", "walk")
    assert {"damaged", "check"} <= typical_words()


def test_names_repeat_under_one_seed_and_are_filled_throughout() -> None:
    words = words_of_vocabulary(VOCABULARY)
    one, other = (names(words, np.random.default_rng(5), 300) for _ in range(2))

    assert one == other
    assert len(one.items) > 200
    assert all(item.title.strip() and "{" not in item.title for item in one.items)


def test_a_name_has_no_wrong_category_and_begins_with_no_brand() -> None:
    words = words_of_vocabulary(VOCABULARY)
    source = material([a_catalogue(), names(words, np.random.default_rng(5), 300)], list(PLACES))
    drawn = [each for each in islice(examples(source, np.random.default_rng(1)), 3_000) if each.catalogue == NAME]

    assert len(drawn) > 500
    assert "other_category" not in {each.corruption for each in drawn}
    assert "The" not in source.brands
