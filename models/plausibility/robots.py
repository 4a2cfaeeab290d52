"""Tell robots from people by the rate and the rhythm of what they do.

A person's pauses between two pages differ by factors; a program's hardly do, or are too short for
anybody to read a page. Events of one moment, such as the lines of a basket, are one action.
"""

import numpy as np
from numpy.typing import NDArray

from models.kernel import kernel

FADE_SECONDS = 30.0  # the rate is that of about the last half minute
REST_SECONDS = 1_800.0  # a pause of this length ends what is known of a rhythm
FEWEST_PAUSES = 30
STEADY = 0.15  # standard deviation of log pauses below which the rhythm is a program's
SMOOTHING = 1.0 / 16.0
PROBES = 8
FREE = np.uint64(0)

# Columns of the table: when the user last did something, the faded number of actions, how many
# pauses are known, mean and variance of their logarithms.
LAST, ACTIONS, PAUSES, MEAN, VARIANCE = range(5)
COLUMNS = 5


class RobotTable:
    """What is known of the rhythm of users, by hash; the one who was silent longest makes room."""

    def __init__(self, memory: int) -> None:
        slots = 1
        while slots < memory:
            slots *= 2
        self._keys = np.zeros(slots, np.uint64)
        self._known = np.zeros((slots, COLUMNS))

    def judge(
        self, users: NDArray[np.uint64], user_of: NDArray[np.int32], ts: NDArray[np.float64], rate: float
    ) -> NDArray[np.bool_]:
        """Take in events in their order, and return which are a robot's, shape (n,).

        `users` are hashes that are not 0, `user_of` (n,) the place of each event's user in it, `ts`
        (n,) times in seconds, and `rate` actions a minute.
        """
        found = np.zeros(len(ts), np.bool_)
        _judge(self._keys, self._known, users, user_of, ts, rate * FADE_SECONDS / 60.0, found)
        return found


@kernel
def _slot(keys: NDArray[np.uint64], known: NDArray[np.float64], key: np.uint64) -> int:
    """Return the user's slot; a new user takes a free one, or that of the most silent nearby."""
    mask = np.uint64(len(keys) - 1)
    oldest = int(np.int64(key & mask))
    for probe in range(PROBES):
        slot = int(np.int64((key + np.uint64(probe)) & mask))
        if keys[slot] == key:
            return slot
        if keys[slot] == FREE:
            oldest = slot
            break
        if known[slot, LAST] < known[oldest, LAST]:
            oldest = slot
    keys[oldest] = key
    known[oldest, LAST] = -np.inf
    return oldest


@kernel
def _judge(
    keys: NDArray[np.uint64],
    known: NDArray[np.float64],
    users: NDArray[np.uint64],
    user_of: NDArray[np.int32],
    ts: NDArray[np.float64],
    most: float,
    found: NDArray[np.bool_],
) -> None:
    for row in range(len(ts)):
        state = known[_slot(keys, known, users[user_of[row]])]
        pause = ts[row] - state[LAST]
        if pause > REST_SECONDS:
            state[LAST], state[ACTIONS], state[PAUSES] = ts[row], 1.0, 0.0
        elif pause > 0.0:
            state[ACTIONS] = state[ACTIONS] * np.exp(-pause / FADE_SECONDS) + 1.0
            length = np.log(pause)
            if state[PAUSES] == 0.0:
                state[MEAN], state[VARIANCE] = length, 1.0
            step = max(SMOOTHING, 1.0 / (state[PAUSES] + 1.0))
            away = length - state[MEAN]
            state[MEAN] += step * away
            state[VARIANCE] += step * (away * away - state[VARIANCE])
            state[PAUSES] += 1.0
            state[LAST] = ts[row]
        steady = state[PAUSES] >= FEWEST_PAUSES and state[VARIANCE] < STEADY * STEADY
        found[row] = steady or state[ACTIONS] > most
