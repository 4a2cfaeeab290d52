"""What is popular now: the arithmetic of forgetting, and who may stand in the lists."""

import numpy as np
import pytest
from builders import DAY, HOUR, NOW

from models.catalogue import Catalogue
from models.contract.events import Item
from models.trending import Trending, TrendingLists, TrendingSettings, share_of
from models.vocabulary import Vocabulary

HALF_LIFE = 24 * HOUR
A_DAY = TrendingSettings(half_life_hours=24)
YEARS = 28 * 365 * DAY


class Trends:
    """Trending items of a shop, by name."""

    def __init__(self, settings: TrendingSettings | None = None) -> None:
        self.items = Vocabulary()
        self.catalogue = Catalogue(self.items)
        self.trending = Trending(settings or TrendingSettings())

    def sees(self, *seen: tuple[str, float], weight: float = 1.0) -> "Trends":
        names, ts = [name for name, _ in seen], np.array([ts for _, ts in seen])
        self.trending.update(self.items.numbers(names), ts, np.full(len(seen), weight))
        return self

    def lists(self, n: int = 10) -> TrendingLists:
        return self.trending.lists(self.catalogue, self.items.names, n)

    def shares(self) -> dict[str, float]:
        return {each.item_id: -each.minus_share for each in self.lists().overall}

    def names(self, n: int = 10) -> list[str]:
        return [each.item_id for each in self.lists(n).overall]

    def of(self, category: str) -> list[str]:
        number = self.catalogue.categories.find(category)
        return [] if number is None else [each.item_id for each in self.lists().by_category.get(number, ())]


def test_an_interaction_counts_half_after_a_half_life() -> None:
    # a: ●──── 24 h ────┤        b: ● now
    shop = Trends(A_DAY).sees(("a", NOW - HALF_LIFE), ("b", NOW))
    assert shop.shares() == pytest.approx({"b": 1.0, "a": 0.5})


def test_interactions_of_an_item_add_up_as_of_now() -> None:
    # a: ●── 24 h ──●── 24 h ──●    1/4 + 1/2 + 1
    # b:                       ●    1
    shop = Trends(A_DAY).sees(("a", NOW - 2 * HALF_LIFE), ("a", NOW - HALF_LIFE), ("a", NOW), ("b", NOW))
    assert shop.shares() == pytest.approx({"a": 1.0, "b": 1 / 1.75})


def test_an_item_seen_late_counts_for_the_time_when_it_was_seen() -> None:
    in_time = Trends(A_DAY).sees(("a", NOW - HALF_LIFE), ("a", NOW), ("b", NOW))
    late = Trends(A_DAY).sees(("b", NOW), ("a", NOW)).sees(("a", NOW - HALF_LIFE))
    assert late.shares() == pytest.approx(in_time.shares(), abs=1e-9)


def test_three_views_of_yesterday_are_more_than_one_of_today() -> None:
    shop = Trends().sees(("new", NOW), ("old", NOW - DAY), ("old", NOW - DAY), ("old", NOW - DAY))
    assert shop.names() == ["old", "new"]


def test_weights_count() -> None:
    shop = Trends().sees(("ordered", NOW), weight=5.0).sees(("viewed", NOW), weight=1.0)
    assert shop.shares() == pytest.approx({"ordered": 1.0, "viewed": 0.2})


def test_an_interaction_without_weight_is_none() -> None:
    assert Trends().sees(("a", NOW), weight=0.0).names() == []


def test_equally_popular_items_stand_by_item_id_whatever_came_first() -> None:
    shop = Trends().sees(("c", NOW), ("a", NOW), ("b", NOW))
    assert shop.names() == ["a", "b", "c"]


def test_items_of_a_log_of_years_stand_in_order_down_to_the_last() -> None:
    # The names run against popularity, so that a tie would show.
    names = [f"{700 - day:03}" for day in range(700)]
    shop = Trends(A_DAY).sees(*((name, NOW - DAY * day) for day, name in enumerate(names)))
    assert shop.names(len(names)) == names
    shares = list(shop.shares().values())
    assert len(set(shares)) == len(shares)
    assert min(shares) > 0


def old_log(per_day: int, days: int = 20) -> list[tuple[str, float]]:
    """What was seen 28 years ago: "000" most often, and the last name seldom; names run against
    popularity.
    """
    every = [number for number in range(40) for _ in range(40 - number)]
    return [
        (f"{40 - every[row % len(every)]:03}", NOW - YEARS + DAY * day + row)
        for day in range(days)
        for row in range(per_day)
    ]


@pytest.mark.parametrize("settings", [TrendingSettings(), A_DAY])
def test_one_click_of_today_after_an_old_log_moves_that_item_only(settings: TrendingSettings) -> None:
    shop = Trends(settings).sees(*old_log(2_000))
    before = shop.names(40)
    assert len(before) == 40
    shop.sees((before[29], NOW))
    assert shop.names(40) == [before[29], *before[:29], *before[30:]]
    assert len(set(shop.shares().values())) == 10


def test_trending_moves_over_to_live_events_while_the_old_order_follows_behind() -> None:
    shop = Trends().sees(*old_log(2_000))
    before = shop.names(40)
    live = [("new", NOW + 60), (before[35], NOW + 120), ("new", NOW + 180), (before[20], NOW + 240)]
    shop.sees(*live)
    moved = ["new", before[20], before[35]]
    assert shop.names(41) == [*moved, *(name for name in before if name not in moved)]


@pytest.mark.parametrize(
    ("per_day", "hours"),
    [(1, 4320), (50, 720), (200, 168), (1_300, 24), (4_900, 24), (6_000, 6), (29_000, 6), (40_000, 1), (200_000, 1)],
)
def test_the_denser_the_log_the_shorter_the_half_life(per_day: int, hours: float) -> None:
    shop = Trends()
    for day in range(2):
        shop.sees(*[("a", NOW + DAY * day)] * per_day)
    assert shop.trending.half_life_seconds == hours * HOUR


def test_neither_silence_nor_a_quiet_time_makes_the_half_life_longer() -> None:
    shop = Trends().sees(*old_log(2_000))
    dense = shop.trending.half_life_seconds
    shop.sees(*(("a", NOW + DAY * day) for day in range(100)))
    assert shop.trending.half_life_seconds == dense == 24 * HOUR


def test_a_half_life_that_is_set_is_kept_whatever_the_log_is_like() -> None:
    assert Trends(A_DAY).sees(*old_log(10)).trending.half_life_seconds == HALF_LIFE


def test_without_any_event_the_longest_half_life_is_in_force() -> None:
    assert Trends().trending.half_life_seconds == 4320 * HOUR


def test_shares_are_popularity_down_to_a_millionth_and_an_order_below() -> None:
    halved = share_of(np.log([1.0, 0.5, 1e-6]))
    assert halved.tolist() == pytest.approx([1.0, 0.5, 1e-6])
    tail = share_of(np.array([-13.8, -13.9, -100.0, -100.000000001, -7_000.0, -1e6]))
    assert (np.diff(tail) < 0).all()
    assert tail.min() > 0


def test_items_that_may_not_be_shown_are_in_no_list() -> None:
    shop = Trends().sees(("gone", NOW), ("sold out", NOW), ("here", NOW - DAY))
    for item_id in ("gone", "sold out", "here"):
        shop.catalogue.upsert(Item(item_id, "title", category="Home", available=item_id != "sold out"))
    shop.catalogue.delete("gone")
    assert shop.names() == ["here"]
    assert shop.of("Home") == ["here"]


def test_an_unknown_item_is_in_no_list_once_there_is_a_catalogue() -> None:
    shop = Trends().sees(("unknown", NOW), ("pan", NOW - DAY))
    assert shop.names() == ["unknown", "pan"]
    shop.catalogue.upsert(Item("pan", "title", category="Kitchen"))
    assert (shop.names(), shop.of("Kitchen")) == (["pan"], ["pan"])


def test_items_beyond_the_catalogues_end_may_be_shown() -> None:
    shop = Trends().sees(*((f"i{number}", NOW) for number in range(5_000)))
    assert len(shop.names(5_000)) == 5_000


def test_each_category_has_a_list_of_its_own() -> None:
    shop = Trends().sees(("pan", NOW), ("pot", NOW - DAY), ("book", NOW - 2 * DAY), ("thing", NOW))
    for item_id, category in [("pan", "Kitchen"), ("pot", "Kitchen"), ("book", "Books"), ("thing", "")]:
        shop.catalogue.upsert(Item(item_id, "title", category=category))
    assert shop.of("Kitchen") == ["pan", "pot"]
    assert shop.of("Books") == ["book"]
    assert shop.names() == ["pan", "thing", "pot", "book"]
    assert len(shop.lists().by_category) == 2


def test_lists_end_after_n_items_and_of_equals_the_first_by_item_id_stay() -> None:
    shop = Trends().sees(*((f"i{number}", NOW) for number in reversed(range(9))))
    for number in range(9):
        shop.catalogue.upsert(Item(f"i{number}", "title", category="Home"))
    lists = shop.lists(3)
    assert [each.item_id for each in lists.overall] == ["i0", "i1", "i2"]
    assert [len(entries) for entries in lists.by_category.values()] == [3]


def test_nothing_is_popular_before_the_first_interaction() -> None:
    assert Trends().lists() == TrendingLists((), {})
    assert Trends().sees().lists() == TrendingLists((), {})


def test_a_snapshot_restores_the_lists() -> None:
    shop = Trends(A_DAY).sees(("a", NOW), ("b", NOW - DAY))
    restored = Trends(A_DAY)
    restored.items.numbers(["a", "b"])
    restored.trending.restore(shop.trending.snapshot())
    shop.sees(("b", NOW))
    assert restored.shares() == pytest.approx({"a": 1.0, "b": 0.5})


def test_a_snapshot_restores_the_half_life_that_the_log_chose() -> None:
    shop = Trends().sees(*old_log(2_000))
    restored = Trends()
    restored.items.numbers(shop.items.names)
    restored.trending.restore(shop.trending.snapshot())
    assert restored.trending.half_life_seconds == 24 * HOUR
    assert restored.names(40) == shop.names(40)


def test_a_snapshot_with_other_half_lives_is_refused() -> None:
    with pytest.raises(ValueError, match="other half-lives"):
        Trends(A_DAY).trending.restore(Trends().trending.snapshot())


def test_an_item_that_is_counted_again_after_a_restart_is_listed_once() -> None:
    shop = Trends().sees(("a", NOW), ("b", NOW))
    state = shop.trending.snapshot()
    shop.trending = Trending(TrendingSettings())
    shop.trending.restore(state)
    assert shop.sees(("b", NOW), ("c", NOW)).names() == ["b", "a", "c"]


def test_an_interaction_without_weight_lists_nothing_until_one_with_weight_comes() -> None:
    shop = Trends().sees(("a", NOW)).sees(("b", NOW), ("b", NOW), weight=0.0)
    assert shop.names() == ["a"]
    assert shop.sees(("b", NOW), ("b", NOW)).names() == ["b", "a"]


def test_items_of_the_catalogue_that_nobody_touched_are_not_looked_at() -> None:
    shop = Trends()
    shop.items.numbers([f"item-{number}" for number in range(100)])
    shop.sees(("last", NOW))
    assert shop.trending.pool(shop.catalogue).items.tolist() == [100]
