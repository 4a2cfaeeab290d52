"""From candidates to a list: neighbours, then the fallbacks in their order, ties by item id."""

from compiled import rank
from reference import Found

from models.contract.lists import Ranking
from models.trending import Popular

NOTHING: frozenset[str] = frozenset()


def popular(*item_ids: str, best: float = 1.0) -> tuple[Popular, ...]:
    """A trending list whose shares halve from place to place."""
    return tuple(Popular(-best / 2**place, item_id, place) for place, item_id in enumerate(item_ids))


def test_neighbours_come_first_then_each_fallback_in_its_order() -> None:
    ranking = rank(
        Found([("a", 0.5), ("b", 0.7)]),
        [("category", popular("c", "d")), ("trending", popular("e", "f"))],
        NOTHING,
        5,
    )
    assert ranking.item_ids == ("b", "a", "c", "d", "e")
    assert ranking.sources == ("neighbours", "neighbours", "category", "category", "trending")


def test_scores_never_rise_from_place_to_place() -> None:
    fallbacks = [("category", popular("c", "d", best=0.001)), ("trending", popular("e", "f", "g"))]
    scores = rank(Found([("a", 0.5), ("b", 0.0004)]), fallbacks, NOTHING, 9).scores
    assert scores == tuple(sorted(scores, reverse=True))
    assert len(scores) == 7
    assert scores[:3] == (0.5, 0.0004, 0.0002)


def test_a_new_user_gets_popularity_as_scores() -> None:
    ranking = rank(Found([]), [("trending", popular("a", "b"))], NOTHING, 5)
    assert ranking == Ranking(("a", "b"), (1.0, 0.5), ("trending", "trending"))


def test_ties_are_broken_by_item_id() -> None:
    assert rank(Found([("c", 0.5), ("a", 0.5), ("b", 0.5)]), [], NOTHING, 2).item_ids == ("a", "b")


def test_scores_that_differ_only_in_noise_are_ties() -> None:
    assert rank(Found([("b", 0.50000002), ("a", 0.50000001)]), [], NOTHING, 2).item_ids == ("a", "b")


def test_no_item_stands_twice() -> None:
    fallbacks = [("category", popular("a", "b")), ("trending", popular("b", "c"))]
    ranking = rank(Found([("a", 1.0)]), fallbacks, NOTHING, 9)
    assert ranking.item_ids == ("a", "b", "c")
    assert ranking.sources == ("neighbours", "category", "trending")


def test_what_is_excluded_comes_from_no_fallback() -> None:
    fallbacks = [("category", popular("seen", "b")), ("trending", popular("bought", "c"))]
    assert rank(Found([]), fallbacks, {"seen", "bought"}, 9).item_ids == ("b", "c")


def test_a_list_ends_at_its_size() -> None:
    neighbours = [(f"n{place}", 1.0 - place / 10) for place in range(4)]
    fallbacks = [("trending", popular("t0", "t1", "t2"))]
    assert rank(Found(neighbours), fallbacks, NOTHING, 3).item_ids == ("n0", "n1", "n2")
    assert rank(Found(neighbours), fallbacks, NOTHING, 5).item_ids == ("n0", "n1", "n2", "n3", "t0")


def test_items_that_have_been_forgotten_almost_wholly_still_have_scores_of_their_own() -> None:
    forgotten = (Popular(-1.0, "x", 0), Popular(-2e-9, "y", 1), Popular(-1e-9, "z", 2))
    ranking = rank(Found([("a", 0.5)]), [("category", forgotten), ("trending", popular("b"))], NOTHING, 5)
    assert ranking.item_ids == ("a", "x", "y", "z", "b")
    assert ranking.scores == (0.5, 0.25, 5e-10, 2.5e-10, 1.25e-10)


def test_ties_of_a_fallback_stay_ties() -> None:
    tied = (Popular(-1.0, "x", 0), Popular(-1e-9, "y", 1), Popular(-1e-9, "z", 2))
    assert rank(Found([]), [("trending", tied)], NOTHING, 3).scores == (1.0, 1e-9, 1e-9)


def test_nothing_to_show_is_an_empty_list() -> None:
    assert rank(Found([]), [("trending", ())], NOTHING, 20) == Ranking((), (), ())
