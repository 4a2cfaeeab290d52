"""The ranker of a worker: lists by published weights, without what a user may not see."""

import msgspec
import numpy as np
import pytest
from small_lists import log_of

from models.contract.events import Item
from models.ranker.live import LiveRanker, warm_up
from models.ranker.settings import AUTO, BY_FORMULA, LEARNED
from models.ranker.weights import LARGEST, decode_weights
from models.ranking.lists import NO_ITEM, SOURCES
from models.recommender import FORMULA, Recommender, RecommenderSettings
from models.users.gather import ListRequests

ITEMS = 120


def a_log(sessions: int, seed: int = 1) -> list[list[int]]:
    """Sessions in which each item mostly leads to the next number, from where many others look."""
    random = np.random.default_rng(seed)
    log = []
    for _ in range(sessions):
        items = [int(random.integers(ITEMS))]
        while len(items) < 6:
            leads = random.random() < 0.8
            items.append((items[-1] + 1) % ITEMS if leads else int(random.integers(ITEMS)))
        log.append(items)
    return log


def a_ranker(mode: str = LEARNED, sessions: int = 300, least: int = 500) -> LiveRanker:
    recommender = Recommender(RecommenderSettings())
    recommender.items.numbers(f"item {number:03}" for number in range(ITEMS))
    live = LiveRanker(recommender, mode, least)
    for part, rows in live.ranker.parts(log_of(a_log(sessions))):
        before = live.ranker.follow(part)
        live.teach(part, part.sessions, before, 1.0)
        live.ranker.take_in(part, before)
        assert rows.stop > rows.start
    return live


def asked(*recent: int, session: int = 0, bought: tuple[int, ...] = ()) -> ListRequests:
    """One request of who saw these items, the newest first, and may not see it nor what was
    bought.
    """
    items = np.array(recent, np.int32)
    excluded = np.array([*recent[:1], *bought], np.int32)
    starts = np.array([0, len(excluded)], np.int64)
    request = ListRequests.of_items(items, session)
    return request._replace(excluded=excluded, excluded_starts=starts)


@pytest.fixture(scope="module")
def taught() -> LiveRanker:
    live = a_ranker()
    live.serve(decode_weights(live.publish("a")))
    return live


def test_before_weights_are_published_the_formula_ranks() -> None:
    live = a_ranker(sessions=30)
    recommender = live.ranker.recommender
    assert (live.leader, live.model, recommender.model) == ("formula", "", FORMULA)
    request = asked(4)
    assert np.array_equal(recommender.recommend(request).items, recommender.by_formula(request).items)


def test_published_weights_rank_lists(taught: LiveRanker) -> None:
    recommender = taught.ranker.recommender
    assert recommender.model == "ranker-1"
    firsts = [recommender.recommend(asked(item)).items[0, 0] for item in range(60)]
    assert sum(first == item + 1 for item, first in enumerate(firsts)) > 50


def test_lists_have_falling_scores_and_say_what_found_their_items(taught: LiveRanker) -> None:
    recommender = taught.ranker.recommender
    lists = recommender.recommend(asked(4, 3))
    assert (np.diff(lists.scores[0]) < 0).all()
    ranking = lists.ranking(0, recommender.items.names)
    assert ranking.sources[0] == "transitions"
    assert set(ranking.sources) <= set(SOURCES)
    found = taught.lists(asked(4, 3), ITEMS)
    assert found is not None
    assert found.sources[found.items == 3].tolist() == [SOURCES.index("session")]


def test_what_a_user_may_not_see_is_left_out_and_others_move_up(taught: LiveRanker) -> None:
    recommender = taught.ranker.recommender
    [free] = recommender.recommend(asked(4)).items.tolist()
    bought = tuple(free[:3])
    [row] = recommender.recommend(asked(4, bought=bought)).items.tolist()
    assert row[: len(free) - 3] == free[3:]
    assert NO_ITEM not in row
    assert not set(row) & {4, *bought}


def test_an_item_that_went_away_is_not_listed(taught: LiveRanker) -> None:
    live = a_ranker(sessions=60)
    live.serve(decode_weights(live.publish("a")))
    recommender = live.ranker.recommender
    [first, *_] = recommender.recommend(asked(4)).items[0].tolist()
    for number in range(ITEMS):
        recommender.catalogue.upsert(Item(f"item {number:03}", "title"))
    recommender.catalogue.withdraw(f"item {first:03}")
    recommender.catalogue_changed()
    assert first not in recommender.recommend(asked(4)).items


def test_who_saw_nothing_gets_what_is_trending(taught: LiveRanker) -> None:
    recommender = taught.ranker.recommender
    both = asked(4)._replace(
        starts=np.array([0, 1, 1], np.int64),
        excluded_starts=np.array([0, 1, 1], np.int64),
        sessions=np.array([0, 0], np.uint64),
    )
    lists = recommender.recommend(both)
    assert lists.ranking(1, recommender.items.names).sources[0] == "trending"
    assert np.array_equal(lists.items[0], recommender.recommend(asked(4)).items[0])


def test_many_lists_are_those_of_one_user_each(taught: LiveRanker) -> None:
    recommender, count = taught.ranker.recommender, 70
    starts = np.arange(count + 1, dtype=np.int64)
    items = np.arange(count, dtype=np.int32)
    many = asked(0)._replace(
        items=items, starts=starts, excluded=items, excluded_starts=starts, sessions=np.zeros(count, np.uint64)
    )
    alone = [recommender.recommend(asked(item)).items[0] for item in range(count)]
    assert np.array_equal(recommender.recommend(many).items, alone)


def test_the_formula_ranks_until_enough_was_predicted() -> None:
    live = a_ranker(AUTO, sessions=60, least=5_000)
    live.serve(decode_weights(live.publish("a")))
    assert live.leader == "formula"
    live = a_ranker(AUTO, sessions=300, least=500)
    live.serve(decode_weights(live.publish("a")))
    assert live.leader in ("linear", "hidden")


def test_a_ranker_that_stopped_learning_does_not_rank(taught: LiveRanker) -> None:
    live = a_ranker(sessions=60)
    live.ranker.has_stopped = True
    live.serve(decode_weights(live.publish("a")))
    assert live.leader == "formula"


def test_the_formula_ranks_from_when_learning_stops_and_not_only_once_that_is_read() -> None:
    live = a_ranker()
    live.serve(decode_weights(live.publish("a")))
    assert live.leader != "formula"
    live.ranker.has_stopped = True
    assert (live.leader, live.model) == ("formula", "")


def test_that_learning_stopped_is_told_without_the_numbers_that_are_none() -> None:
    live = a_ranker(sessions=60)
    live.ranker.learner.network.linear[:] = np.nan
    live.ranker.has_stopped = True
    weights = decode_weights(live.publish("a"))
    assert weights.record.stopped
    assert weights.record.lists == weights.judged.sum() == 0  # nothing of it was learned


def test_sound_weights_are_kept_when_learning_stopped() -> None:
    live = a_ranker(sessions=60)
    live.ranker.has_stopped = True
    weights = decode_weights(live.publish("a"))
    assert weights.record.lists == live.lists_learned > 0
    assert np.array_equal(weights.learner.network.linear, live.ranker.learner.network.linear)


def test_the_largest_counts_are_published_so_that_they_can_be_read() -> None:
    live = a_ranker(sessions=30)
    weights = decode_weights(live.publish("a"))
    live.serve(weights._replace(record=msgspec.structs.replace(weights.record, version=LARGEST)))
    live.lists_learned = LARGEST + 1
    record = decode_weights(live.publish("a")).record
    assert (record.version, record.lists) == (LARGEST, LARGEST)


def test_another_one_goes_on_from_published_weights_and_ranks_alike(taught: LiveRanker) -> None:
    weights = decode_weights(taught.publish("a"))
    other = a_ranker()  # which learned the same events
    other.go_on_from(weights)
    other.serve(weights)
    assert other.lists_learned == taught.lists_learned
    assert other.ranker.judge.lists == taught.ranker.judge.lists
    for item in (3, 50, 99):
        one, two = (each.ranker.recommender.recommend(asked(item)).items for each in (taught, other))
        assert np.array_equal(one, two)


def test_relations_come_back_from_a_snapshot(taught: LiveRanker) -> None:
    recommender = taught.ranker.recommender
    other = Recommender(RecommenderSettings())
    live = LiveRanker(other, LEARNED)
    other.restore(recommender.copy(recommender.index.room()).arrays())
    live.serve(decode_weights(taught.publish("a")))
    assert np.array_equal(other.recommend(asked(7, 6)).items, recommender.recommend(asked(7, 6)).items)


def test_the_formula_alone_has_no_learned_ranker() -> None:
    with pytest.raises(ValueError, match="needs no learned ranker"):
        LiveRanker(Recommender(RecommenderSettings()), BY_FORMULA)


def test_it_warms_up() -> None:
    warm_up()
