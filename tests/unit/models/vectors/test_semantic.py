"""Lists with meaning: cold items become reachable, nothing else changes for shops without
vectors.
"""

from dataclasses import replace

import numpy as np
import pytest
from asking import rankings, requests_for
from builders import DAY, HOUR, NOW, PureWorker, batch, event, teach
from meanings import direction, means

from models.contract.events import Item, Kind
from models.contract.lists import Ranking
from models.profile import Profile, Seen
from models.recommender import Recommender, RecommenderSettings
from models.vectors.semantic import SemanticSettings

TEA, BOOK = direction(1.0), direction(0.0, 1.0)


def saw(*item_ids: str, kind: Kind = Kind.VIEW, ts: float = NOW) -> Profile:
    """A user whose most recent item is the first, one hour after the other."""
    return Profile(recent=tuple(Seen(ts - HOUR * at, int(kind), item_id) for at, item_id in enumerate(item_ids)))


def tea_shop(settings: SemanticSettings | None = None) -> Recommender:
    """Pots and cups are seen together, books too; nobody has seen the caddy, nor the diary."""
    recommender = Recommender(RecommenderSettings(semantic=settings or SemanticSettings()))
    teach(recommender, {"s1": ["pot", "cup"], "s2": ["pot", "cup", "tray"], "s3": ["novel", "atlas"]})
    means(
        recommender,
        {
            "pot": direction(1.0, 0.0, 0.1),
            "cup": direction(1.0, 0.0, 0.2),
            "caddy": direction(1.0, 0.0, 0.3),
            "novel": direction(0.0, 1.0, 0.1),
            "diary": direction(0.0, 1.0, 0.3),
        },
    )
    return recommender


def ask(recommender: Recommender, *profiles: Profile) -> list[Ranking]:
    return rankings(recommender, profiles)


def sources(ranking: Ranking) -> dict[str, str]:
    return dict(zip(ranking.item_ids, ranking.sources, strict=True))


def test_an_item_that_nobody_has_seen_appears_for_users_of_matching_taste_only() -> None:
    [tea, books] = ask(tea_shop(), saw("pot"), saw("novel"))
    assert sources(tea)["caddy"] == "semantic"
    assert "diary" not in tea.item_ids
    assert sources(books)["diary"] == "semantic"
    assert "caddy" not in books.item_ids


def test_what_is_both_a_neighbour_and_near_in_meaning_comes_first() -> None:
    [ranking] = ask(tea_shop(), saw("pot"))
    assert ranking.item_ids[0] == "cup"
    assert ranking.scores == tuple(sorted(ranking.scores, reverse=True))


def test_a_shop_without_vectors_gets_the_very_same_lists() -> None:
    forgotten, never = tea_shop(), Recommender(RecommenderSettings())
    teach(never, {"s1": ["pot", "cup"], "s2": ["pot", "cup", "tray"], "s3": ["novel", "atlas"]})
    forgotten.forget_vectors()
    profiles = [saw("pot"), saw("novel", "cup"), Profile()]
    assert ask(forgotten, *profiles) == ask(never, *profiles)
    assert forgotten.tastes(requests_for(forgotten, profiles)) is None


def test_meaning_can_be_switched_off() -> None:
    off, never = tea_shop(SemanticSettings(candidates=0)), tea_shop()
    never.forget_vectors()
    assert ask(off, saw("pot")) == ask(never, saw("pot"))


def test_an_item_that_is_sold_out_or_was_bought_or_seen_is_not_found_by_its_meaning() -> None:
    recommender = tea_shop()
    recommender.catalogue.upsert(Item("caddy", "A caddy", available=False))
    recommender.catalogue_changed()
    [sold_out] = ask(recommender, saw("pot"))
    assert "caddy" not in sold_out.item_ids
    bought = replace(saw("pot"), bought=(Seen(NOW, int(Kind.ORDER), "caddy"),))
    [without] = ask(tea_shop(), bought)
    assert "caddy" not in without.item_ids
    [seen] = ask(tea_shop(), saw("pot", "caddy"))
    assert sources(seen).get("caddy") != "semantic"


def test_trending_still_fills_what_is_left() -> None:
    [ranking] = ask(tea_shop(), saw("pot"))
    assert sources(ranking)["novel"] == "trending"
    [stranger] = ask(tea_shop(), Profile())
    assert set(stranger.sources) == {"trending"}


def test_a_removed_vector_takes_its_item_out_of_reach() -> None:
    recommender = tea_shop()
    recommender.remove_vectors(["caddy", "never heard of"])
    [ranking] = ask(recommender, saw("pot"))
    assert "caddy" not in ranking.item_ids
    assert recommender.items.find("never heard of") is None


def crowded(slots: int) -> Recommender:
    """Thirty items that all see together and that mean much the same, and a cold one that is a
    little further off.
    """
    recommender = Recommender(RecommenderSettings(semantic=SemanticSettings(cold_slots=slots)))
    crowd = [f"pot {n:02}" for n in range(30)]
    teach(recommender, {f"s{n}": crowd[n : n + 12] for n in range(19)})
    means(recommender, {name: direction(1.0, 0.0, 0.001 * n) for n, name in enumerate(crowd)})
    means(recommender, {"new pot": direction(1.0, 0.0, 0.5)})
    return recommender


def test_one_place_is_kept_for_a_cold_item_and_the_others_close_up() -> None:
    [without], [kept] = ask(crowded(0), saw("pot 08")), ask(crowded(1), saw("pot 08"))
    assert "new pot" not in without.item_ids
    assert "new pot" in kept.item_ids
    assert tuple(item_id for item_id in kept.item_ids if item_id != "new pot") == without.item_ids[:19]
    assert kept.scores == tuple(sorted(kept.scores, reverse=True))


def test_an_item_stays_cold_until_enough_sessions_have_seen_it() -> None:
    recommender = crowded(1)
    teach(recommender, {"first": ["new pot"]})
    [ranking] = ask(recommender, saw("pot 08"))
    assert "new pot" not in ranking.item_ids


def test_a_user_gets_the_same_list_alone_and_among_others() -> None:
    recommender = tea_shop()
    profiles = [saw("pot"), saw("novel"), Profile(), saw("cup", "novel", "tray"), saw("never seen")]
    assert ask(recommender, *profiles) == [ask(recommender, profile)[0] for profile in profiles]


def test_equal_items_come_in_the_order_of_their_ids_whatever_came_first() -> None:
    lists = []
    for order in (("a", "b", "c"), ("c", "a", "b")):
        recommender = Recommender(RecommenderSettings())
        for item_id in ("x", *order):
            means(recommender, {item_id: TEA})
        lists.append(ask(recommender, saw("x"))[0])
    assert lists[0] == lists[1]
    assert lists[0].item_ids == ("a", "b", "c")


def test_similar_items_are_neighbours_and_what_is_near_in_meaning() -> None:
    recommender = tea_shop()
    assert sources(recommender.similar("pot", 9)).keys() == {"cup", "tray", "caddy"}
    assert recommender.similar("caddy", 2).item_ids == ("cup", "pot")
    assert recommender.similar("tray", 9).item_ids == ("cup", "pot")
    assert recommender.similar("never heard of", 9) == Ranking((), (), ())
    assert recommender.items.find("never heard of") is None


def test_a_taste_weighs_kinds_and_fades() -> None:
    recommender = Recommender(RecommenderSettings())
    means(recommender, {"tea": TEA, "book": BOOK})
    seen = [Seen(NOW, int(Kind.VIEW), "tea"), Seen(NOW - 30 * DAY, int(Kind.ORDER), "book")]
    tastes = recommender.tastes(requests_for(recommender, [Profile(recent=tuple(seen)), Profile()]))
    assert tastes is not None
    assert tastes[0, :2] == pytest.approx(np.array([1.0, 2.5]) / np.hypot(1.0, 2.5))  # an order weighs 5, halved
    assert not tastes[1].any()


def vector_of(worker: PureWorker, user: str) -> tuple[bytes | None, bytes | None]:
    """The vector that is stored, and the name of its model."""
    return worker.stored[user].get("vector"), worker.stored[user].get("vector_model")


def test_a_profile_carries_the_taste_rounded_with_the_name_of_its_model() -> None:
    worker = PureWorker()
    means(worker.recommender, {"i1": TEA}, model="toy")
    worker.decide(batch(event("e1"), event("e2", user_id="u2", item_id="no vector")))
    assert vector_of(worker, "u1") == (np.array(TEA, "<f2").tobytes(), b"toy")
    assert vector_of(worker, "u2") == (b"", b"toy")


def test_a_vector_that_comes_after_the_event_counts_with_the_next_one() -> None:
    worker = PureWorker()
    worker.decide(batch(event("e1")))
    assert vector_of(worker, "u1") == (None, None)
    means(worker.recommender, {"i1": TEA})
    worker.decide(batch(event("e2", item_id="other"), first=1))
    assert vector_of(worker, "u1") == (np.array(TEA, "<f2").tobytes(), b"toy")


def test_a_batch_of_which_nothing_is_accepted_leads_to_no_list() -> None:
    worker = PureWorker()
    means(worker.recommender, {"i1": TEA})
    effects = worker.decide(batch(b"{"))
    assert (effects.recommendations, effects.profiles) == ([], {})
