"""How much one user can teach: bounded shares of what is learned, and a sample of the events."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.kernel import kernel

WINDOW = 4_000.0  # lists in which a user's share is bounded
SLOTS = 1 << 16  # users whose shares are remembered; a power of two


class Shares(NamedTuple):
    """Lists of users in the slots that their hashes name, faded by 1 / WINDOW a list; `counted`
    (SLOTS,) is the list as of which each stands, and `lists[0]` the number of all.
    """

    users: NDArray[np.uint64]
    amounts: NDArray[np.float64]
    counted: NDArray[np.int64]
    lists: NDArray[np.int64]


def make_shares() -> Shares:
    """Shares of nobody."""
    return Shares(np.zeros(SLOTS, np.uint64), np.zeros(SLOTS), np.zeros(SLOTS, np.int64), np.zeros(1, np.int64))


@kernel
def weigh(shares: Shares, users: NDArray[np.uint64], most: float, weights: NDArray[np.float32]) -> None:
    """Fill what the users' next lists weigh, (n,): 1 until the user has the share `most` of the
    WINDOW, then less, so that the user's lists weigh no more than that share together.

    Where two users fall into one slot, the newer takes it.
    """
    for row in range(len(users)):
        slot = int(np.int64(users[row] & np.uint64(len(shares.users) - 1)))
        now = shares.lists[0]
        shares.lists[0] = now + 1
        amount = 0.0
        if shares.users[slot] == users[row]:
            amount = shares.amounts[slot] * np.exp((shares.counted[slot] - now) / WINDOW)
        amount += 1.0
        shares.users[slot], shares.amounts[slot], shares.counted[slot] = users[row], amount, now
        weights[row] = min(1.0, most * WINDOW / amount)


def in_sample(
    sessions: NDArray[np.uint64], items: NDArray[np.int32], ts: NDArray[np.float64], share: float
) -> NDArray[np.bool_]:
    """Which events are of the sample, (n,): by a hash of session, item and time, so that every
    worker and every run takes the same.

    The hash is the finaliser of splitmix64 (Steele et al., OOPSLA 2014).
    """
    if share >= 1.0:
        return np.ones(len(items), np.bool_)
    with np.errstate(over="ignore"):
        mixed = sessions ^ (items.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15))
        mixed ^= np.ascontiguousarray(ts, np.float64).view(np.uint64)
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        mixed ^= mixed >> np.uint64(31)
    chosen: NDArray[np.bool_] = (mixed >> np.uint64(11)) < np.uint64(share * 2**53)
    return chosen
