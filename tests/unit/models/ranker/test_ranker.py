"""The ranker as a whole: it learns what comes next, leads when it is better, and can be trusted."""

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray
from small_lists import log_of

from models.ranker.arrays import NO_ITEM
from models.ranker.ranker import Ranker
from models.ranker.settings import RankerSettings
from models.recommender import LearningBatch, Recommender, RecommenderSettings

ITEMS = 200


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


def ranker_of(**chosen: float) -> Ranker:
    recommender = Recommender(RecommenderSettings())
    recommender.items.numbers(f"item {number:03}" for number in range(ITEMS))
    return Ranker(recommender, RankerSettings(**chosen))  # type: ignore[arg-type]  # told by name


def hits_of(ranker: Ranker, log: Sequence[Sequence[int]], by: str, size: int = 1) -> float:
    """How often the list of this size has the last item of a session."""
    lists = ranker.rank([np.array(each[:-1], np.int32) for each in log], by, size, repeats=False)
    return float((lists == np.array([each[-1] for each in log])[:, None]).any(axis=1).mean())


def state_of(ranker: Ranker) -> list[NDArray[np.float32]]:
    return [each.copy() for each in ranker.learner.network]


@pytest.fixture(scope="module")
def taught() -> Ranker:
    ranker = ranker_of()
    ranker.learn(log_of(a_log(600)))
    return ranker


def test_what_comes_next_is_learned(taught: Ranker) -> None:
    chances = [each for each in a_log(200, seed=2) if each[-1] == (each[-2] + 1) % ITEMS]
    assert hits_of(taught, chances, "linear") > 0.9
    assert hits_of(taught, chances, "hidden") > 0.9


def test_a_ranker_that_predicts_better_than_the_formula_leads(taught: Ranker) -> None:
    formula, linear, hidden = taught.judge.reciprocals
    assert taught.leader in ("linear", "hidden")
    assert max(linear, hidden) > formula


def test_the_formula_leads_until_there_are_enough_lists() -> None:
    ranker = ranker_of()
    ranker.learn(log_of(a_log(5)))
    assert ranker.leader == "formula"


def test_the_item_being_looked_at_is_listed_only_where_repeats_are() -> None:
    ranker = ranker_of()
    ranker.learn(log_of(a_log(30)))
    seen = [np.array([4, 5], np.int32)]
    assert 5 not in ranker.rank(seen, "linear", ITEMS, repeats=False)
    assert 5 in ranker.rank(seen, "linear", ITEMS, repeats=True)


def test_a_list_holds_no_item_twice_and_is_padded(taught: Ranker) -> None:
    [row] = taught.rank([np.array([4, 5], np.int32)], "hidden", ITEMS, repeats=True)
    listed = row[row != NO_ITEM].tolist()
    assert 20 < len(listed) == len(set(listed))
    assert (row[len(listed) :] == NO_ITEM).all()


def test_many_lists_are_those_of_one_session_each(taught: Ranker) -> None:
    seen = [np.array(each[:3], np.int32) for each in a_log(70, seed=3)]
    together = taught.rank(seen, "hidden", 20, repeats=False)
    alone = [taught.rank([each], "hidden", 20, repeats=False)[0] for each in seen]
    assert np.array_equal(together, alone)


def test_the_formula_makes_no_lists_here(taught: Ranker) -> None:
    with pytest.raises(ValueError, match="'formula' is no learned ranker: linear, hidden"):
        taught.rank([np.array([1], np.int32)], "formula", 20, repeats=False)


def test_equal_events_make_an_equal_ranker() -> None:
    one, other = ranker_of(), ranker_of()
    for ranker in (one, other):
        ranker.learn(log_of(a_log(100)))
    assert all(np.array_equal(a, b) for a, b in zip(state_of(one), state_of(other), strict=True))


def test_a_number_that_is_none_stops_learning_and_the_formula_leads() -> None:
    ranker = ranker_of()
    ranker.learn(log_of(a_log(300)))
    assert ranker.leader != "formula"
    before, judged = state_of(ranker), ranker.judge.state()
    ranker.recommender.catalogue.facts.counts[:] = np.nan

    ranker.learn(log_of(a_log(20, seed=2), first=1000))

    assert ranker.has_stopped
    assert ranker.leader == "formula"
    assert all(np.isfinite(each).all() for each in state_of(ranker))
    assert all(np.array_equal(old, new) for old, new in zip(before, state_of(ranker), strict=True))
    assert np.array_equal(ranker.judge.state(), judged)  # lists that were not scored are no misses


def test_with_a_sample_the_rest_of_the_events_still_counts() -> None:
    ranker = ranker_of(sample=0.25)
    ranker.learn(log_of(a_log(400)))
    chances = [each for each in a_log(200, seed=2) if each[-1] == (each[-2] + 1) % ITEMS]

    assert ranker.judge.lists == pytest.approx(0.25 * 400 * 5, rel=0.15)
    assert hits_of(ranker, chances, "linear") > 0.8


def mixed(log: LearningBatch, robot: LearningBatch) -> tuple[LearningBatch, NDArray[np.uint64]]:
    """The log with an event of the robot after each of its own, and who did what."""
    turns = np.argsort(np.tile(np.arange(len(log.items)), 2), kind="stable")
    together = LearningBatch(
        np.concatenate([log.items, robot.items])[turns],
        np.concatenate([log.sessions, robot.sessions])[turns],
        np.concatenate([log.ts, robot.ts])[turns],
        np.concatenate([log.kinds, robot.kinds])[turns],
    )
    return together, np.concatenate([log.sessions, np.full(len(robot.items), 77_777, np.uint64)])[turns]


def test_a_robot_with_half_of_all_events_hardly_changes_the_lists_of_others(taught: Ranker) -> None:
    poisoned, log = ranker_of(), log_of(a_log(600))
    random = np.random.default_rng(9)
    # It jumps between few items in sessions of its own, as nobody else does.
    robot = log_of([random.integers(0, 10, 6).tolist() for _ in range(600)], first=10_000)
    poisoned.learn(*mixed(log, robot))
    others = a_log(1000, seed=4)

    clean, after = hits_of(taught, others, taught.leader, 20), hits_of(poisoned, others, taught.leader, 20)
    assert after >= 0.98 * clean
