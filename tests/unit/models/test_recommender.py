"""A user's list, from all that was learned: the order of fallbacks, and what may not stand in
it.
"""

from collections.abc import Sequence

import pytest
from asking import rankings
from builders import DAY, NOW, teach
from reference import Event, step

from models.contract.events import Item, Kind
from models.contract.lists import Ranking
from models.profile import Profile, ProfileSettings
from models.ranking.lists import RankingSettings
from models.recommender import Recommender, RecommenderSettings


def user(*seen: str, bought: Sequence[str] = ()) -> Profile:
    """A profile that saw these items, the last one last, after it bought some."""
    events = [Event(NOW + n, int(Kind.ORDER), item_id, "orders-0", n) for n, item_id in enumerate(bought)]
    events += [Event(NOW + 100 + n, int(Kind.VIEW), item_id, "views-0", n) for n, item_id in enumerate(seen)]
    return step(Profile(), events, ProfileSettings())


def a_shop(size: int = 20, exclude_recent: int = 1) -> Recommender:
    """Pots and pans are seen together, books too; the novel is what everybody looks at."""
    recommender = Recommender(RecommenderSettings(ranking=RankingSettings(size=size, exclude_recent=exclude_recent)))
    kitchen, books = ["pan", "pot", "kettle"], ["novel", "atlas"]
    sessions = {"s1": ["pan", "pot"], "s2": ["pan", "pot", "kettle"], "s3": books, "s4": ["novel"], "s5": ["novel"]}
    teach(recommender, sessions | {"s6": ["mug"]})
    for category, item_ids in {"Kitchen": [*kitchen, "mug"], "Books": books}.items():
        for item_id in item_ids:
            recommender.catalogue.upsert(Item(item_id, f"A {item_id}", category=category))
    recommender.catalogue_changed()
    return recommender


def ask(recommender: Recommender, profile: Profile) -> Ranking:
    [ranking] = rankings(recommender, [profile])
    return ranking


def test_neighbours_come_first_then_the_users_categories_then_all() -> None:
    ranking = ask(a_shop(), user("pan"))
    assert dict(zip(ranking.item_ids, ranking.sources, strict=True)) == {
        "pot": "neighbours",
        "kettle": "neighbours",
        "mug": "category",
        "novel": "trending",
        "atlas": "trending",
    }


def test_the_category_of_what_was_seen_last_comes_before_that_of_what_was_seen_before() -> None:
    recommender = a_shop()
    recommender.catalogue.upsert(Item("lamp", "A lamp", category="Kitchen"))
    recommender.catalogue.upsert(Item("diary", "A diary", category="Books"))
    assert ask(recommender, user("diary", "lamp")).item_ids == ("pot", "pan", "kettle", "mug", "novel", "atlas")
    assert ask(recommender, user("lamp", "diary")).item_ids == ("novel", "atlas", "pot", "pan", "kettle", "mug")


def test_a_new_user_gets_what_is_trending() -> None:
    ranking = ask(a_shop(), Profile())
    assert ranking.item_ids == ("novel", "pot", "pan", "kettle", "atlas", "mug")
    assert set(ranking.sources) == {"trending"}


def test_nobody_has_done_anything_yet() -> None:
    assert ask(Recommender(RecommenderSettings()), Profile()) == Ranking((), (), ())


def test_a_shop_without_a_catalogue_gets_neighbours_and_trending() -> None:
    recommender = Recommender(RecommenderSettings())
    teach(recommender, {"s1": ["a", "b"], "s2": ["c"]})
    ranking = ask(recommender, user("a"))
    assert ranking.item_ids == ("b", "c")
    assert ranking.sources == ("neighbours", "trending")


@pytest.mark.parametrize("exclude_recent", [0, 1, 2])
def test_what_was_just_seen_is_kept_out_as_far_as_the_setting_says(exclude_recent: int) -> None:
    shown = ask(a_shop(exclude_recent=exclude_recent), user("kettle", "pot", "pan")).item_ids
    kept_out = ["pan", "pot"][:exclude_recent]
    assert not set(kept_out) & set(shown)
    assert set(shown) == {"pan", "pot", "kettle", "mug", "novel", "atlas"} - set(kept_out)


def test_what_was_bought_is_kept_out_of_neighbours_and_fallbacks() -> None:
    shown = ask(a_shop(), user("pan", bought=["pot", "novel"])).item_ids
    assert set(shown) == {"kettle", "mug", "atlas"}


def test_an_item_that_is_sold_out_or_deleted_disappears_at_once_and_comes_back() -> None:
    recommender = a_shop()
    profile = user("pan")
    recommender.catalogue.upsert(Item("pot", "A pot", category="Kitchen", available=False))
    recommender.catalogue.delete("novel")
    recommender.catalogue.delete("mug")
    recommender.catalogue_changed()
    assert ask(recommender, profile).item_ids == ("kettle", "atlas")
    for item_id in ("pot", "mug", "novel"):
        recommender.catalogue.upsert(Item(item_id, f"A {item_id}", category="Kitchen"))
    recommender.catalogue_changed()
    assert set(ask(recommender, profile).item_ids) == {"pot", "kettle", "mug", "novel", "atlas"}


def test_a_list_follows_at_once_from_what_was_just_learned() -> None:
    recommender = a_shop()
    before = ask(recommender, user("pan"))
    teach(recommender, {"new": ["pan", "ladle"]})
    recommender.catalogue.upsert(Item("ladle", "A ladle"))
    assert "ladle" not in before.item_ids
    assert "ladle" in ask(recommender, user("pan")).item_ids


def test_an_unknown_item_is_in_no_list_though_it_is_what_everybody_looks_at() -> None:
    recommender = a_shop()
    before = [ask(recommender, profile).item_ids for profile in (Profile(), user("pan"), user("novel"))]
    teach(recommender, {f"n{session}": ["pan", "no-such-item", "novel"] for session in range(50)})
    recommender.freshen()
    for profile, listed in zip(
        (Profile(), user("pan"), user("novel"), user("no-such-item")), [*before, ()], strict=True
    ):
        assert (
            set(listed) <= set(ask(recommender, profile).item_ids) <= {"pan", "pot", "kettle", "mug", "novel", "atlas"}
        )
    assert "no-such-item" not in recommender.similar("pan", 10).item_ids
    assert "pan" in recommender.similar("no-such-item", 10).item_ids

    recommender.catalogue.upsert(Item("no-such-item", "Now there is", category="Kitchen"))
    recommender.catalogue_changed()
    for profile in (Profile(), user("pan"), user("mug")):
        assert "no-such-item" in ask(recommender, profile).item_ids
    assert "no-such-item" in recommender.similar("pan", 10).item_ids


def test_a_list_has_at_most_its_size() -> None:
    ranking = ask(a_shop(size=3), user("pan"))
    assert len(ranking.item_ids) == len(ranking.scores) == len(ranking.sources) == 3


def test_each_asker_gets_the_list_of_that_asker() -> None:
    recommender = a_shop()
    profiles = [user("pan"), Profile(), user("novel"), user("pan", bought=["pot"])]
    together = rankings(recommender, profiles)
    assert together == [ask(recommender, profile) for profile in profiles]
    assert rankings(recommender, []) == []


def test_an_item_that_only_a_profile_knows_is_no_obstacle() -> None:
    shown = ask(a_shop(), user("from an old log", bought=["out of the log too"])).item_ids
    assert set(shown) == {"pan", "pot", "kettle", "mug", "novel", "atlas"}


def test_a_category_that_nobody_visits_any_more_still_fills_the_list() -> None:
    recommender = Recommender(RecommenderSettings())
    teach(recommender, {"s1": ["sledge"]}, ts=NOW - 90 * DAY)
    teach(recommender, {"s2": ["glove", "hat"]})
    for item_id, category in {"sledge": "Winter", "glove": "Winter", "hat": "Hats"}.items():
        recommender.catalogue.upsert(Item(item_id, "title", category=category))
    ranking = ask(recommender, user("glove"))
    assert ranking.item_ids == ("hat", "sledge")
    assert ranking.sources == ("neighbours", "category")


def test_warming_up_teaches_nothing() -> None:
    recommender = Recommender(RecommenderSettings())
    recommender.warm_up()
    assert ask(recommender, Profile()) == Ranking((), (), ())
    assert len(recommender.items) == len(recommender.index) == 0
