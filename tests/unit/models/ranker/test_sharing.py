"""Who teaches how much: one user no more than a share, and samples that all workers agree on."""

import numpy as np
import pytest
from numpy.typing import NDArray

from models.ranker.sharing import SLOTS, WINDOW, in_sample, make_shares, weigh

ROBOT = 7


def weights_of(users: list[int], most: float) -> NDArray[np.float32]:
    weights = np.zeros(len(users), np.float32)
    weigh(make_shares(), np.array(users, np.uint64), most, weights)
    return weights


def test_users_of_few_lists_count_in_full() -> None:
    assert (weights_of([user % 500 for user in range(5000)], 0.01) == 1).all()


def test_a_user_of_half_of_all_lists_teaches_its_share_only() -> None:
    users = [ROBOT if number % 2 else 1000 + number for number in range(4 * int(WINDOW))]
    weights = weights_of(users, 0.01)
    settled = np.array(users[2 * int(WINDOW) :]), weights[2 * int(WINDOW) :]

    of_robot = settled[1][settled[0] == ROBOT].sum() / settled[1].sum()
    assert 0 < of_robot < 0.025
    assert (settled[1][settled[0] != ROBOT] == 1).all()


def test_a_user_who_stops_counts_in_full_again() -> None:
    weights = weights_of([ROBOT] * 100 + [1000 + n for n in range(3 * int(WINDOW))] + [ROBOT], 0.01)
    assert weights[99] == pytest.approx(40 / 100, rel=0.02)
    assert weights[-1] == 1


def test_of_two_users_in_one_slot_the_newer_has_it() -> None:
    weights = weights_of([1] * 100 + [1 + SLOTS], 0.01)
    assert weights[-1] == 1


def some(events: int) -> tuple[NDArray[np.uint64], NDArray[np.int32], NDArray[np.float64]]:
    random = np.random.default_rng(1)
    sessions = random.integers(1, 2**63, events).astype(np.uint64)
    return sessions, random.integers(0, 100, events).astype(np.int32), 1.7e9 + np.arange(events, dtype=np.float64)


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 1.0])
def test_a_sample_has_its_share_of_the_events(share: float) -> None:
    assert in_sample(*some(20_000), share).mean() == pytest.approx(share, abs=0.01)


def test_a_larger_sample_holds_the_smaller_one() -> None:
    small, large = (in_sample(*some(5_000), share) for share in (0.2, 0.6))
    assert (large | ~small).all()


def test_the_sample_does_not_depend_on_batches() -> None:
    events = some(1000)
    sessions, items, ts = events
    parts = [in_sample(sessions[at : at + 7], items[at : at + 7], ts[at : at + 7], 0.3) for at in range(0, 1000, 7)]
    assert np.array_equal(np.concatenate(parts), in_sample(*events, 0.3))
