"""What a worker knows of the catalogue."""

import pytest

from models.catalogue import NO_CATEGORY, Catalogue, CatalogueSettings
from models.contract.events import Item
from models.vocabulary import Vocabulary


def test_an_unknown_item_may_be_shown_while_there_is_no_catalogue() -> None:
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
    catalogue = Catalogue(items, CatalogueSettings(list_unknown="always"))
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


class Shop:
    """A catalogue whose items are asked for by name."""

    def __init__(self, list_unknown: str = "auto") -> None:
        self.items = Vocabulary()
        self.settings = CatalogueSettings(list_unknown=list_unknown)
        self.catalogue = Catalogue(self.items, self.settings)

    def listed(self, *item_ids: str) -> list[str]:
        numbers = self.items.numbers(item_ids)
        shown = self.catalogue.weight[numbers] > 0
        assert [self.catalogue.is_shown(item_id) for item_id in item_ids] == shown.tolist()
        return [item_id for item_id, is_shown in zip(item_ids, shown.tolist(), strict=True) if is_shown]


def test_an_unknown_item_is_listed_until_the_catalogue_has_its_first_item_and_again_after_its_last() -> None:
    shop = Shop()
    assert shop.listed("a", "b") == ["a", "b"]
    shop.catalogue.upsert(Item("a", "title"))
    assert shop.listed("a", "b", "only now") == ["a"]
    assert not shop.catalogue.is_shown("never seen")
    shop.catalogue.delete("a")
    assert shop.listed("a", "b", "only now") == ["b", "only now"]


def test_an_unknown_item_is_listed_once_the_catalogue_has_it() -> None:
    shop = Shop()
    shop.catalogue.upsert(Item("a", "title"))
    assert shop.listed("a", "b") == ["a"]
    shop.catalogue.upsert(Item("b", "title"))
    assert shop.listed("a", "b") == ["a", "b"]


def test_the_setting_lists_unknown_items_always_or_never() -> None:
    always, never = Shop("always"), Shop("never")
    assert (always.listed("a", "b"), never.listed("a", "b")) == (["a", "b"], [])
    for shop in (always, never):
        shop.catalogue.upsert(Item("a", "title"))
    assert (always.listed("a", "b"), never.listed("a", "b")) == (["a", "b"], ["a"])


def test_a_catalogue_of_nothing_but_withdrawn_items_is_none() -> None:
    shop = Shop()
    shop.catalogue.withdraw("a")
    assert shop.listed("a", "b") == ["b"]
    assert len(shop.catalogue) == 0


def test_neither_growth_nor_quality_lets_an_unknown_item_in() -> None:
    shop = Shop()
    shop.catalogue.upsert(Item("a", "title"))
    names = [f"i{number}" for number in range(5_000)]
    assert shop.listed("a", *names) == ["a"]
    shop.catalogue.set_quality(shop.items.number("i7"), 0.9)
    assert shop.listed("i7") == []
    shop.catalogue.upsert(Item("i7", "title"))
    assert float(shop.catalogue.weight[shop.items.number("i7")]) == pytest.approx(0.9)


def test_an_item_sold_out_in_the_catalogue_counts_as_known() -> None:
    shop = Shop()
    shop.catalogue.upsert(Item("a", "title", available=False))
    assert shop.listed("a", "b") == []
    assert not shop.catalogue.is_unknown("a")


def test_events_on_unknown_items_are_counted_once_there_is_a_catalogue() -> None:
    shop = Shop()
    seen = shop.items.numbers(["a", "b", "b", "deleted", *(f"i{number}" for number in range(2_000))])
    shop.catalogue.delete("deleted")
    assert shop.catalogue.count_unknown(seen) == 0
    shop.catalogue.upsert(Item("a", "title"))
    assert shop.catalogue.count_unknown(seen) == 2_002
    assert shop.catalogue.count_unknown(seen[:1]) == 0


def test_a_restored_catalogue_lists_what_the_saved_one_did() -> None:
    saved = Shop()
    saved.items.numbers(["unknown", "a", "sold out", "deleted"])
    for item_id in ("a", "sold out", "deleted"):
        saved.catalogue.upsert(Item(item_id, "title", available=item_id != "sold out"))
    saved.catalogue.delete("deleted")
    restored = Shop()
    restored.items.numbers(saved.items.names)
    restored.catalogue.restore(saved.catalogue.snapshot())
    assert restored.listed(*saved.items.names) == saved.listed(*saved.items.names) == ["a"]
    assert len(restored.catalogue) == len(saved.catalogue) == 2
    restored.catalogue.delete("a")
    restored.catalogue.delete("sold out")
    assert restored.listed("unknown", "a") == ["unknown"]


def test_hidden_items_are_counted_by_why_and_a_deleted_one_is_not() -> None:
    items = Vocabulary()
    catalogue = Catalogue(items)
    items.number("never heard of")
    assert sum(catalogue.count_hidden()) == 0
    for name in ("shown", "sold out", "poor", "gone"):
        catalogue.upsert(Item(name, "title", available=name != "sold out"))
    catalogue.set_quality(items.number("poor"), 0.0)
    catalogue.delete("gone")
    assert catalogue.count_hidden()._asdict() == {"unavailable": 1, "low_quality": 1, "unknown": 1}


def test_a_snapshot_keeps_which_versions_are_outdated() -> None:
    items = Vocabulary()
    catalogue = Catalogue(items)
    catalogue.upsert(Item("a", "title", updated_at=20.0))
    catalogue.upsert(Item("b", "title"))
    restored = Catalogue(items)
    restored.restore(catalogue.snapshot())
    for each in (catalogue, restored):
        found = [each.is_outdated("a", at) for at in (19.0, 20.0, None)]
        assert found == [True, False, False]
        assert not each.is_outdated("b", 1.0)
        assert not each.is_outdated("unheard of", 1.0)
