"""Robots are told by their rate and rhythm, and people are not taken for robots."""

import numpy as np
import pytest
from numpy.typing import NDArray

from models.plausibility.robots import RobotTable

RATE = 60.0
START = 1_600_000_000.0


def judged(pauses: NDArray[np.float64], table: RobotTable | None = None, user: int = 7) -> NDArray[np.bool_]:
    ts = START + np.cumsum(pauses)
    found = (table or RobotTable(1_024)).judge(np.array([user], np.uint64), np.zeros(len(ts), np.int32), ts, RATE)
    assert found.shape == ts.shape
    return found


def test_whoever_acts_several_times_a_second_is_a_robot_after_half_a_minute_s_worth() -> None:
    found = judged(np.full(200, 0.25))

    assert not found[:30].any()
    assert found[40:].all()


def test_a_slow_but_steady_pace_is_a_robot_s() -> None:
    rng = np.random.default_rng(0)

    found = judged(rng.normal(10.0, 0.3, 200))

    assert not found[:20].any()
    assert found[60:].all()


def test_people_are_no_robots_however_long_they_look_around() -> None:
    rng = np.random.default_rng(1)
    people = [judged(rng.lognormal(2.5, 1.0, 2_000)) for _ in range(20)]

    assert not np.concatenate(people).any()


def test_the_lines_of_one_basket_are_one_action() -> None:
    assert not judged(np.zeros(1_000)).any()


def test_a_rest_ends_what_is_known_of_a_rhythm() -> None:
    table = RobotTable(1_024)
    assert judged(np.full(200, 0.25), table)[-1]

    later = table.judge(np.array([7], np.uint64), np.zeros(1, np.int32), np.array([START + 7_200]), RATE)

    assert not later.any()


def test_it_does_not_matter_how_events_are_cut_into_batches() -> None:
    pauses = np.random.default_rng(2).normal(5.0, 0.1, 90)
    ts, user, one = START + np.cumsum(pauses), np.array([7], np.uint64), np.zeros(1, np.int32)
    table = RobotTable(1_024)

    single = [bool(table.judge(user, one, ts[row : row + 1], RATE)[0]) for row in range(len(ts))]

    assert single == judged(pauses).tolist()


def test_users_are_judged_apart_and_a_full_table_forgets_who_was_silent_longest() -> None:
    table = RobotTable(1)
    size = 300
    users = np.array([7, 9], np.uint64)
    user_of = np.tile([0, 1], size).astype(np.int32)
    ts = START + np.repeat(np.arange(size) * 0.25, 2)

    crowded = table.judge(users, user_of, ts, RATE)
    roomy = RobotTable(1_024).judge(users, user_of, ts, RATE)

    assert not crowded.any()  # one slot: each takes it from the other
    assert roomy[-2:].all()


@pytest.mark.parametrize("rate", [30.0, 120.0])
def test_the_rate_is_a_setting(rate: float) -> None:
    ts = START + np.cumsum(np.random.default_rng(3).exponential(1.0, 400))

    found = RobotTable(64).judge(np.array([1], np.uint64), np.zeros(400, np.int32), ts, rate)

    assert found[-1] == (rate < 60)
