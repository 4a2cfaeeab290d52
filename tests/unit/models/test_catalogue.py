"""What a worker knows of the catalogue."""

from models.catalogue import NO_CATEGORY, Catalogue
from models.contract.events import Item
from models.vocabulary import Vocabulary


def test_an_item_that_the_catalogue_does_not_know_may_be_shown() -> None:
    items = Vocabulary()
    catalogue = Catalogue(items)
    number = items.number("never heard of")
    assert catalogue.weight[number] == 1.0
    assert catalogue.category_of(number) == NO_CATEGORY


def test_availability_follows_the_last_word() -> None:
    items = Vocabulary()
    catalogue = Catalogue(items)
    weights = []
    for change in (True, False, True, None, True):
        if change is None:
            catalogue.delete("a")
        else:
            catalogue.upsert(Item("a", "title", available=change))
        weights.append(float(catalogue.weight[items.number("a")]))
    assert weights == [1.0, 0.0, 1.0, 0.0, 1.0]


def test_an_item_may_change_its_category_and_lose_it() -> None:
    catalogue = Catalogue(Vocabulary())
    found = []
    for category in ("Home", "Books", ""):
        catalogue.upsert(Item("a", "title", category=category))
        found.append(catalogue.category_of(0))
    assert found == [0, 1, NO_CATEGORY]
    assert catalogue.categories.names == ["Home", "Books"]


def test_what_is_known_survives_growth_and_new_items_may_be_shown() -> None:
    items = Vocabulary()
    catalogue = Catalogue(items)
    catalogue.upsert(Item("a", "title", category="Home", available=False))
    items.numbers(f"i{number}" for number in range(10_000))
    catalogue.delete("i9999")
    assert catalogue.weight[0] == 0.0
    assert catalogue.category_of(0) == 0
    assert catalogue.weight[items.number("i9999")] == 0.0
    assert catalogue.weight[1:10_000].tolist() == [1.0] * 9_999
    assert len(catalogue.weight) == len(catalogue.category)


def test_an_item_beyond_the_end_has_no_category() -> None:
    assert Catalogue(Vocabulary()).category_of(1_000_000) == NO_CATEGORY


def test_deleting_an_unknown_item_keeps_it_out_when_it_is_seen_later() -> None:
    items = Vocabulary()
    catalogue = Catalogue(items)
    catalogue.delete("a")
    assert catalogue.weight[items.number("a")] == 0.0


def test_numbers_are_given_in_the_order_of_first_appearance() -> None:
    items = Vocabulary()
    assert items.numbers(["b", "a", "b", "c"]).tolist() == [0, 1, 0, 2]
    assert (items.names, len(items)) == (["b", "a", "c"], 3)
    assert (items.find("a"), items.find("d")) == (1, None)
