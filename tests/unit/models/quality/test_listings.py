"""Listings of one product are found by model number and rare words, and variants stay apart."""

import pytest

from models.quality.listings import Listing, find_duplicates, model_numbers

OTHERS = [Listing(title) for title in ("Oak bookshelf", "Garden hose", "Tea cup with saucer", "Blue wool scarf")]


def found(*listings: Listing) -> list[tuple[int, int, bool]]:
    return [(each.first, each.second, each.is_certain) for each in find_duplicates([*listings, *OTHERS])]


@pytest.mark.parametrize(
    ("title", "numbers"),
    [
        ("Sony Turntable - PSLX350H", {"pslx350h"}),
        ("Bose AM5-3BK speaker, 200W, 512MB", {"am53bk"}),
        ("Cisco CD28-ESK9= kit 10114", {"cd28esk9", "10114"}),
        ("Office 2007 for 3 users, 8.5x11", set()),
        ("Kettle", set()),
    ],
)
def test_a_model_number_is_no_measure_and_no_year(title: str, numbers: set[str]) -> None:
    assert model_numbers(title) == numbers


def test_a_shared_model_number_makes_a_certain_link() -> None:
    sony = (Listing("Sony Turntable - PSLX350H"), Listing("Sony PS-LX350H belt drive turntable system"))
    assert found(*sony) == [(0, 1, True)]


def test_a_brand_that_contradicts_makes_it_a_proposal() -> None:
    one, other = Listing("Turntable PSLX350H", "Sony"), Listing("Turntable PSLX350H", "Akai")
    assert found(one, other) == [(0, 1, False)]


def test_titles_that_are_alike_without_a_number_are_proposed() -> None:
    assert found(Listing("Brown leather lounge chair"), Listing("Lounge chair, brown leather")) == [(0, 1, False)]


def test_variants_of_a_product_line_are_not_all_one_product() -> None:
    lamps = [Listing(f"Acme desk lamp {colour}") for colour in ("red", "green", "red", "blue")]
    assert found(*lamps) == [(0, 2, False)]


def test_listings_of_one_side_are_not_compared() -> None:
    one = Listing("Sony PSLX350H turntable", side="abt")
    assert found(one, one) == []
    assert found(one, Listing("Sony PSLX350H turntable", side="buy")) == [(0, 1, True)]


def test_the_order_of_the_catalogue_changes_no_pair() -> None:
    titles = ["Sony PSLX350H turntable", "Oak chair", "Turntable Sony PS-LX350H", "Chair of oak", "Wool scarf"]
    pairs = {
        frozenset((titles[each.first], titles[each.second]))
        for each in find_duplicates([Listing(title) for title in titles])
    }
    backwards = titles[::-1]
    again = find_duplicates([Listing(title) for title in backwards])
    assert {frozenset((backwards[each.first], backwards[each.second])) for each in again} == pairs


def test_an_empty_catalogue_has_none() -> None:
    assert find_duplicates([]) == []
    assert find_duplicates([Listing(""), Listing("")]) == []
