"""Laws of rules: they hold for every list, every rule and every page."""

from collections.abc import Sequence
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from headrace.arranging import Arranged, Arrangement, arrange
from headrace.lists import Entry, KnownItem
from headrace.pages import hash_of, next_mark, shown_before
from headrace.rules import BOOSTED, Boost, Pin, Rules, is_within

IDS = [f"i{number}" for number in range(8)]
CATEGORIES = ["Home", "Home/Kitchen", "Home/Kitchen/Pots", "Homeware", "Garden"]
BRANDS = ["Acme", "Moss"]
ids, categories, brands = st.sampled_from(IDS), st.sampled_from(CATEGORIES), st.sampled_from(BRANDS)
several_ids = st.lists(ids, max_size=3)
prices = st.one_of(st.none(), st.floats(0, 20))

boosts = st.builds(
    Boost, st.sampled_from([0, 0.5, 2, 1000]), st.sampled_from(BOOSTED), st.one_of(ids, categories, brands)
)
rules = st.builds(
    Rules,
    categories=st.one_of(st.just(()), st.lists(categories, max_size=2)),
    brands=st.one_of(st.just(()), st.lists(brands, max_size=1)),
    price_from=prices,
    price_to=prices,
    blocked=several_ids,
    blocked_categories=st.one_of(st.just(()), st.lists(categories, max_size=1)),
    blocked_brands=st.one_of(st.just(()), st.lists(brands, max_size=1)),
    boosts=st.lists(boosts, max_size=3),
    pins=st.lists(st.builds(Pin, st.integers(1, 15), ids), max_size=3),
    diversity=st.one_of(st.none(), st.floats(0, 1)),
)
fields = st.fixed_dictionaries({}, optional={"category": categories, "brand": brands, "price": st.floats(0, 20)})
shop = st.fixed_dictionaries(dict.fromkeys(IDS, st.builds(KnownItem, fields, st.booleans(), st.booleans())))
entries = st.lists(ids, unique=True).map(
    lambda found: [(item, 1 / (place + 1), "x") for place, item in enumerate(found)]
)
wanted = st.builds(
    Arrangement, k=st.integers(1, 6), rules=st.lists(rules, max_size=2), known_only=st.booleans(), before=st.just(())
)

Shop = dict[str, KnownItem]


def pages(own: Sequence[Entry], spare: Sequence[Entry], known: Shop, asked: Arrangement) -> list[Arranged]:
    found = [arrange(own, spare, known, asked)]
    while found[-1].has_more:
        mark = next_mark(asked.before, [item.item_id for item in found[-1].items])
        assert mark is not None
        asked = replace(asked, before=shown_before(mark))
        found.append(arrange(own, spare, known, asked))
    return found


@given(entries, entries, shop, wanted)
def test_no_page_shows_what_a_rule_refuses(
    own: list[Entry], spare: list[Entry], known: Shop, asked: Arrangement
) -> None:
    for page in pages(own, spare, known, asked):
        for item in page.items:
            said = known[item.item_id]
            assert said.shown
            assert said.known or not asked.known_only
            for rule in asked.rules:
                assert item.item_id not in rule.blocked
                assert not any(is_within(said.fields.get("category"), each) for each in rule.blocked_categories)
                assert said.fields.get("brand") not in rule.blocked_brands
                assert not rule.brands or said.fields.get("brand") in rule.brands
                assert not rule.categories or any(
                    is_within(said.fields.get("category"), each) for each in rule.categories
                )
                price = said.fields.get("price")
                assert rule.price_from is None or (price is not None and price >= rule.price_from)
                assert rule.price_to is None or (price is not None and price <= rule.price_to)


@given(entries, entries, shop, wanted)
def test_pages_do_not_repeat_and_leave_nothing_out(
    own: list[Entry], spare: list[Entry], known: Shop, asked: Arrangement
) -> None:
    found = pages(own, spare, known, asked)
    shown = [item.item_id for page in found for item in page.items]
    assert len(shown) == len(set(shown))
    assert all(len(page.items) == asked.k for page in found[:-1])
    whole = arrange(own, spare, known, replace(asked, k=100))
    assert set(shown) == {item.item_id for item in whole.items}


@given(entries, entries, entries, shop, wanted)
def test_a_list_that_changed_between_pages_repeats_nothing(
    own: list[Entry], later: list[Entry], spare: list[Entry], known: Shop, asked: Arrangement
) -> None:
    first = [item.item_id for item in arrange(own, spare, known, asked).items]
    second = arrange(later, spare, known, replace(asked, before=[hash_of(item_id) for item_id in first]))
    assert not set(first) & {item.item_id for item in second.items}


@given(
    entries,
    shop,
    wanted,
    st.lists(st.builds(Pin, st.integers(1, 10), ids), unique_by=(lambda pin: pin.place, lambda pin: pin.item_id)),
)
def test_a_pin_keeps_its_place_over_all_pages_if_the_list_is_long_enough(
    own: list[Entry], known: Shop, asked: Arrangement, pins: list[Pin]
) -> None:
    asked = replace(asked, rules=[Rules(pins=pins), *(replace(each, pins=()) for each in asked.rules)])
    shown = [item.item_id for page in pages(own, [], known, asked) for item in page.items]
    placed = [pin for pin in pins if pin.item_id in shown]
    others = len(shown) - len(placed)
    for pin in placed:
        earlier = sum(each.place < pin.place for each in placed)
        assert shown.index(pin.item_id) == min(pin.place - 1, others + earlier)


@given(entries, shop, st.integers(1, 20), st.floats(0, 1))
def test_diversity_changes_the_order_only_and_not_the_first(
    own: list[Entry], known: Shop, k: int, diversity: float
) -> None:
    plain = [item.item_id for item in arrange(own, [], known, Arrangement(100, ())).items]
    mixed = [item.item_id for item in arrange(own, [], known, Arrangement(100, [Rules(diversity=diversity)])).items]
    assert sorted(mixed) == sorted(plain)
    assert mixed[:1] == plain[:1]
    if diversity == 0:
        assert mixed == plain


@given(entries, shop, ids)
def test_a_boost_moves_an_item_up_and_keeps_the_order_of_the_others(
    own: list[Entry], known: Shop, boosted: str
) -> None:
    plain = [item.item_id for item in arrange(own, [], known, Arrangement(100, ())).items]
    rule = Rules(boosts=[Boost(2, "item", boosted)])
    moved = [item.item_id for item in arrange(own, [], known, Arrangement(100, [rule])).items]
    assert [each for each in moved if each != boosted] == [each for each in plain if each != boosted]
    if boosted in plain:
        assert moved.index(boosted) <= plain.index(boosted)
