"""Compute the neighbour index on examples small enough to check by hand."""

from collections.abc import Sequence
from dataclasses import replace
from math import exp, log

import numpy as np
import pytest
from numpy.typing import NDArray

from models.neighbours.index import NeighbourIndex, NeighbourSettings, Queries
from models.vocabulary import Vocabulary

PLAIN = NeighbourSettings(rarity_power=1.0, far_share=0.0, vote_distance=1.0, revisit_weight=1.0)
Event = tuple[int, str, float]
TWO_SESSIONS: list[Event] = [(1, "a", 1), (1, "b", 2), (1, "c", 3), (2, "a", 4), (2, "b", 5)]
NO_WEIGHT = np.zeros(0, np.float32)


class NamedIndex:
    """An index that learns and answers by item name."""

    def __init__(self, settings: NeighbourSettings = PLAIN, events: Sequence[Event] = ()) -> None:
        self.vocabulary = Vocabulary()
        self.index = NeighbourIndex(settings, self.vocabulary)
        self.learn(events)

    def learn(self, events: Sequence[Event]) -> None:
        sessions, items, ts = zip(*events, strict=True) if events else ((), (), ())
        self.index.update(np.array(sessions, np.uint64), self.vocabulary.numbers(items), np.array(ts, np.float64))

    def ask(
        self,
        recent: Sequence[str],
        *,
        excluded: Sequence[str] = (),
        own: int = 0,
        weight: dict[str, float] | None = None,
        n: int = 20,
    ) -> dict[str, float]:
        number = self.vocabulary.number
        query = Queries.build([([number(item) for item in recent], [number(item) for item in excluded], own)])
        weights = np.ones(len(self.vocabulary), np.float32)
        for item, value in (weight or {}).items():
            weights[number(item)] = value
        items, scores = self.index.predict_many(query, weights, n)
        shown = items[0] >= 0
        names = [self.vocabulary.names[item] for item in items[0][shown]]
        return dict(zip(names, scores[0][shown].tolist(), strict=True))


def test_the_formula_computed_by_hand() -> None:
    found = NamedIndex(PLAIN, TWO_SESSIONS).ask(["a"], excluded=["a"])

    rarity_of_a_and_b, rarity_of_c = log(1 + 2 / 2) / log(1 + 2), 1.0
    assert found == pytest.approx(
        {
            "b": rarity_of_a_and_b * 2 * rarity_of_a_and_b * exp(-1),
            "c": rarity_of_c * rarity_of_a_and_b * exp(-2),
        }
    )
    assert list(found) == ["b", "c"]


def test_every_shared_item_votes_and_older_ones_vote_less() -> None:
    settings = NeighbourSettings(
        rarity_power=0.0, far_share=0.0, vote_distance=1.0, revisit_weight=0.0, position_decay=0.5
    )

    found = NamedIndex(settings, TWO_SESSIONS).ask(["b", "a"])

    assert found == pytest.approx({"c": exp(-1) + 0.5 * exp(-2), "a": 2 * exp(-1), "b": 2 * 0.5 * exp(-1)})


def test_only_the_nearest_sessions_vote_and_of_equals_the_most_recent() -> None:
    settings = NeighbourSettings(neighbours=1)
    events: list[Event] = [(1, "a", 1), (1, "old", 2), (2, "a", 3), (2, "new", 4)]

    assert list(NamedIndex(settings, events).ask(["a"], excluded=["a"])) == ["new"]
    both: list[Event] = [*events, (1, "b", 2.5)]
    assert list(NamedIndex(settings, both).ask(["a", "b"], excluded=["a", "b"])) == ["old"]


def test_equal_scores_are_in_the_order_of_names_whatever_their_numbers() -> None:
    names = ["b", "aa", "a", "é", "ab", "z", "日本"]
    settings = NeighbourSettings(far_share=1.0, revisit_weight=1.0)

    for order in (names, names[::-1]):
        events: list[Event] = [(1, name, float(ts)) for ts, name in enumerate(order)]
        found = list(NamedIndex(settings, [*events, (1, "q", 99.0)]).ask(["q"], excluded=["q"], n=5))
        assert found == sorted(names)[:5]


def test_the_users_own_session_is_no_neighbour() -> None:
    shop = NamedIndex(PLAIN, TWO_SESSIONS)

    assert "c" in shop.ask(["a"])
    assert "c" not in shop.ask(["a"], own=1)
    assert shop.ask(["a"], own=77) == shop.ask(["a"])


def test_weights_multiply_scores_and_a_zero_hides() -> None:
    shop = NamedIndex(PLAIN, TWO_SESSIONS)
    plain = shop.ask(["a"])

    weighted = shop.ask(["a"], weight={"c": 10.0, "b": 0.0})

    assert weighted == pytest.approx({"a": plain["a"], "c": 10 * plain["c"]})


def test_items_beyond_the_weights_have_weight_one() -> None:
    shop = NamedIndex(PLAIN, TWO_SESSIONS)
    query = Queries.build([([0], [], 0)])

    without, _ = shop.index.predict_many(query, NO_WEIGHT, 3)
    only_a, _ = shop.index.predict_many(query, np.zeros(1, np.float32), 3)

    assert sorted(without[0].tolist()) == [0, 1, 2]
    assert only_a[0].tolist() == [1, 2, -1]


def test_rows_do_not_influence_each_other_and_are_padded() -> None:
    shop = NamedIndex(PLAIN, TWO_SESSIONS)
    rows = [([2], [2], 0), ([], [], 0), ([0], [0, 1], 0), ([2], [2], 0)]

    items, scores = shop.index.predict_many(Queries.build(rows), NO_WEIGHT, 3)

    assert items.tolist() == [[1, 0, -1], [-1, -1, -1], [2, -1, -1], [1, 0, -1]]
    assert (scores[0] == scores[3]).all()
    assert (scores[items == -1] == 0).all()


def test_an_item_that_was_never_seen_has_no_neighbours() -> None:
    shop = NamedIndex(PLAIN, TWO_SESSIONS)

    assert shop.ask(["brand new"]) == {}
    assert shop.ask(["brand new", "a"]) == pytest.approx(
        {item: score * PLAIN.position_decay for item, score in shop.ask(["a"]).items()}
    )


def test_an_empty_index_answers_with_nothing() -> None:
    assert NamedIndex().ask(["a"]) == {}


def test_a_list_of_length_zero_is_empty() -> None:
    items, scores = NamedIndex(PLAIN, TWO_SESSIONS).index.predict_many(Queries.build([([0], [], 0)]), NO_WEIGHT, 0)

    assert items.shape == scores.shape == (1, 0)


def test_an_item_pushed_out_of_its_session_no_longer_leads_to_it() -> None:
    settings = NeighbourSettings(session_items=2, neighbours=1)
    pushed: list[Event] = [(1, "a", 1), (1, "b", 2), (1, "c", 3)]
    shop = NamedIndex(settings, [*pushed, (2, "b", 4), (2, "d", 5)])

    # If "a" still led to session 1, that would be the nearer one.
    assert shop.ask(["a"]) == {}
    assert list(shop.ask(["b", "a"], excluded=["b"])) == ["d"]


def test_a_session_that_lets_go_of_an_item_makes_way_for_an_older_one() -> None:
    shop = NamedIndex(NeighbourSettings(session_items=2, postings=1), [(1, "a", 1), (1, "b", 2), (2, "a", 3)])
    assert shop.ask(["a"], excluded=["a"]) == {}

    shop.learn([(2, "c", 4), (2, "d", 5)])

    assert list(shop.ask(["a"], excluded=["a"])) == ["b"]


def test_a_forgotten_session_does_not_come_back_as_the_one_in_its_place() -> None:
    shop = NamedIndex(NeighbourSettings(session_items=2, sessions=1), [(1, "a", 1), (1, "b", 2), (1, "c", 3)])
    shop.learn([(number, "filler", 4.0) for number in range(2, 1025)])
    shop.learn([(1025, "d", 5), (1025, "e", 6)])

    assert shop.ask(["d", "a"]) == pytest.approx({"d": 3.0, "e": 0.2 + 0.8 * exp(-1 / 2)})


def test_the_session_learnt_of_first_makes_room() -> None:
    shop = NamedIndex(NeighbourSettings(sessions=2), TWO_SESSIONS)

    shop.learn([(3, "b", 6), (3, "d", 7)])

    assert len(shop.index) == 2
    assert set(shop.ask(["b"], excluded=["b"])) == {"a", "d"}


@pytest.mark.parametrize(
    ("sessions", "items", "ts", "message"),
    [
        ([1, 2], [0], [1.0], "differ in length"),
        ([1], [0], [float("nan")], "finite"),
        ([1], [0], [float("inf")], "finite"),
        ([1], [5], [1.0], "vocabulary"),
        ([1], [-1], [1.0], "vocabulary"),
    ],
)
def test_a_bad_batch_is_refused_and_nothing_is_learnt(
    sessions: list[int], items: list[int], ts: list[float], message: str
) -> None:
    shop = NamedIndex(PLAIN, TWO_SESSIONS)
    before = shop.ask(["a"])

    with pytest.raises(ValueError, match=message):
        shop.index.update(np.array(sessions, np.uint64), np.array(items, np.int32), np.array(ts, np.float64))

    assert shop.ask(["a"]) == before


@pytest.mark.parametrize(
    ("query", "message"),
    [
        (Queries.build([([-1], [], 0)]), "negative"),
        (replace(Queries.build([([0], [], 0)]), starts=np.zeros(1, np.int64)), "one more"),
    ],
)
def test_a_bad_query_is_refused(query: Queries, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        NamedIndex(PLAIN, TWO_SESSIONS).index.predict_many(query, NO_WEIGHT, 3)


def test_after_many_rounds_of_forgetting_only_the_latest_sessions_are_known() -> None:
    chosen = NeighbourSettings(sessions=1_500, postings=40)
    random = np.random.default_rng(5)
    opened = np.repeat(np.arange(9_000), 5)
    ts: NDArray[np.float64] = (opened + np.tile([0, 40, 80, 120, 160], 9_000)).astype(np.float64)
    sessions = (random.permutation(9_000).astype(np.uint64) << np.uint64(20))[opened]
    items = (random.zipf(1.2, len(sessions)) % 3_000).astype(np.int32)
    names = [f"item {n}" for n in range(3_000)]
    query = Queries.build([([item, 2_999 - item], [], 0) for item in range(3_000)])

    answers = []
    for first in (0, 9_000 - 1_500):
        order = np.argsort(ts, kind="stable")
        order = order[opened[order] >= first]
        vocabulary = Vocabulary()
        vocabulary.numbers(names)
        index = NeighbourIndex(chosen, vocabulary)
        for start in range(0, len(order), 777):
            batch = order[start : start + 777]
            index.update(sessions[batch], items[batch], ts[batch])
        answers.append(index.predict_many(query, NO_WEIGHT, 10))

    assert (answers[0][0] == answers[1][0]).all()
    assert (answers[0][1] == answers[1][1]).all()
    assert (answers[0][0] >= 0).any(axis=1).sum() > 1_000


def test_a_snapshot_of_something_else_is_refused() -> None:
    snapshot = NamedIndex(PLAIN, TWO_SESSIONS).index.snapshot()

    with pytest.raises(KeyError, match="names"):
        NamedIndex().index.restore({})
    with pytest.raises(ValueError, match="without a name"):
        NamedIndex().index.restore({**snapshot, "items": snapshot["items"] + 10})


def test_warming_up_teaches_nothing() -> None:
    shop = NamedIndex()

    shop.index.warm_up()

    assert len(shop.index) == 0
    assert shop.vocabulary.names == []


def test_memory_stops_growing_once_the_sessions_are_full() -> None:
    shop = NamedIndex(NeighbourSettings(sessions=1_000, postings=16))
    random = np.random.default_rng(7)

    def learn(first: int) -> int:
        sessions = np.repeat(np.arange(first, first + 20_000), 4).astype(np.uint64)
        items = shop.vocabulary.numbers(f"item {n}" for n in random.zipf(1.3, len(sessions)) % 5_000)
        shop.index.update(sessions, items, np.arange(len(sessions), dtype=np.float64) + 4 * first)
        return shop.index.memory_bytes

    shop.vocabulary.numbers(f"item {n}" for n in range(5_000))
    warm = learn(1)
    assert learn(20_001) == learn(40_001) == warm
    assert len(shop.index) == 1_000
    assert warm < 3_000_000


def test_items_share_the_sessions_that_hold_both() -> None:
    shop = NamedIndex(PLAIN, [*TWO_SESSIONS, (3, "c", 6), (3, "a", 7), (4, "d", 8)])
    others = shop.vocabulary.numbers(["a", "b", "c", "d", "never seen"])
    assert shop.index.shared_sessions(0, others).tolist() == [3, 2, 2, 0, 0]
    assert shop.index.shared_sessions(shop.vocabulary.number("unheard of"), others).tolist() == [0] * 5


def test_shared_sessions_are_counted_among_the_newest_that_are_read() -> None:
    events: list[Event] = [(n, item, n) for n in range(10) for item in ("a", "b")]
    shop = NamedIndex(replace(PLAIN, postings=4), events)
    assert shop.index.shared_sessions(0, shop.vocabulary.numbers(["b"])).tolist() == [4]
