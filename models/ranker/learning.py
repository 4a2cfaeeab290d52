"""Rank lists of candidates and learn from them, list by list."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.ranker.network import (
    RANKERS,
    Network,
    Scale,
    Work,
    note_scale,
    score_list,
    step,
)

SCALED_LISTS = 300  # first lists that all go into the scale; of later ones every eighth
RATE = 0.05


class Lesson(NamedTuple):
    """Candidates of n lists: `items` (n, most), their numbers `sizes` (n,), `features` (n, most,
    features); the items that came next, those that are not listed, and what each list weighs, (n,).
    """

    items: NDArray[np.int32]
    sizes: NDArray[np.int32]
    features: NDArray[np.float32]
    targets: NDArray[np.int32]
    excluded: NDArray[np.int32]
    weights: NDArray[np.float64]


def learn_lists(
    network: Network, sums: Network, scale: Scale, work: Work, lesson: Lesson, ranks: NDArray[np.int32]
) -> bool:
    """Note the ranks of what came next, 0 for what is no candidate, and learn, one list after the
    other. Returns False once a gradient is no number; the rest is not learned.
    """
    for row in range(len(lesson.sizes)):
        size = lesson.sizes[row]
        features = lesson.features[row, :size]
        if scale.seen[0] < SCALED_LISTS or row % 8 == 0:
            note_scale(scale, features)
        score_list(network, scale, features, work)
        places = np.flatnonzero(lesson.items[row, :size] == lesson.targets[row])
        if not len(places):
            continue
        target = int(places[0])
        listed = lesson.items[row, :size] != lesson.excluded[row]
        for ranker in range(RANKERS):
            scores = work.scores[ranker, :size]
            ranks[row, 1 + ranker] = 1 + np.count_nonzero(listed & (scores > scores[target]))
        if not step(network, sums, work, size, target, RATE, lesson.weights[row]):
            return False
    return True


def rank_lists(
    network: Network,
    scale: Scale,
    work: Work,
    lesson: Lesson,
    weight: NDArray[np.float32],
    ranker: int,
    lists: NDArray[np.int32],
) -> None:
    """Fill `lists` (n, size) with the best candidates whose `weight` (items,) is above 0."""
    for row in range(len(lesson.sizes)):
        size = lesson.sizes[row]
        score_list(network, scale, lesson.features[row, :size], work)
        items = lesson.items[row, :size]
        order = np.argsort(-work.scores[ranker, :size], kind="stable")
        listed = (items != lesson.excluded[row]) & (weight[items] > 0)
        best = items[order[listed[order]]][: lists.shape[1]]
        lists[row, : len(best)] = best
