"""The compiled half of the network: rank lists of candidates, and learn from them one by one.

Loss of a list: the softmax cross entropy of the item that came next among the candidates. Steps are
those of AdaGrad (Duchi et al., JMLR 2011), on features that are standardised by mean and deviation.
Rows of all candidates are added up, so that each loop runs over numbers that lie together.
"""

import numpy as np
from numpy.typing import NDArray

from models.kernel import summing_kernel
from models.ranker.network import (
    HIDDEN,
    LINEAR,
    RANKERS,
    WITH_HIDDEN,
    Learner,
    Lesson,
    ListWork,
    Network,
    Scale,
    StepSizes,
)

FIRST_LISTS_SCALED = 300  # first lists that all go into the scale; of later ones every eighth
LEAK = np.float32(0.01)
CLIP = np.float32(6.0)  # deviations beyond which a feature says no more
LARGEST_GRADIENT = np.float32(2.0)
SLOWEST = 1e-4  # share of a list in the scale at least
SMALLEST_DEVIATION = 1e-4
LARGEST_SUM = 1e12
LOSS_WINDOW = 4_000.0  # lists over which the loss is averaged
LEAST_SHARE = 1e-30  # of the softmax, whose logarithm is finite


@summing_kernel
def learn_lists(learner: Learner, pace: StepSizes, lesson: Lesson, ranks: NDArray[np.int32]) -> bool:
    """Note the ranks of what came next, (n, 1 + RANKERS), 0 for what is no candidate, and learn,
    one list after the other.

    Returns False once a feature or a gradient is no finite number; the rest is not learned.
    """
    scale, work = learner.scale, learner.work
    for row in range(len(lesson.sizes)):
        size = lesson.sizes[row]
        features = lesson.features[row]
        is_first = scale.seen[0] < FIRST_LISTS_SCALED
        if (is_first or (pace.running_scale and row % 8 == 0)) and not _note_scale(scale, features, size):
            return False
        if not _score(learner.network, scale, features, size, work, 0):
            return False
        target = -1
        for i in range(size):
            if lesson.items[row, i] == lesson.targets[row]:
                target = i
        if target < 0:
            continue
        items, excluded = lesson.items[row], lesson.excluded[row]
        for ranker in range(RANKERS):
            ranks[row, 1 + ranker] = _rank_of(work.scores[ranker], items, size, target, excluded)
        if not _step(learner, size, target, pace, lesson.weights[row]):
            return False
    return True


@summing_kernel
def score_candidates(learner: Learner, features: NDArray[np.float32], size: int) -> None:
    """Fill the workspace's scores of both rankers for the first `size` candidates; `features`
    (features, most) are as they came.
    """
    _score(learner.network, learner.scale, features, size, learner.work, LINEAR)


@summing_kernel
def rank_lists(
    learner: Learner, lesson: Lesson, weight: NDArray[np.float32], ranker: int, lists: NDArray[np.int32]
) -> None:
    """Fill `lists` (n, size) with the best candidates whose `weight` (items,) is above 0; equal
    scores stay in the order of the candidates.
    """
    best = np.empty(lists.shape[1], np.float32)
    scores = learner.work.scores[ranker]
    for row in range(len(lesson.sizes)):
        size, used = lesson.sizes[row], 0
        _score(learner.network, learner.scale, lesson.features[row], size, learner.work, ranker)
        for i in range(size):
            item = lesson.items[row, i]
            if item == lesson.excluded[row] or not weight[item] > 0:
                continue
            if used < len(best):
                used += 1
            elif not scores[i] > best[used - 1]:
                continue
            at = used - 1
            while at > 0 and scores[i] > best[at - 1]:
                best[at], lists[row, at] = best[at - 1], lists[row, at - 1]
                at -= 1
            best[at], lists[row, at] = scores[i], item


@summing_kernel
def _rank_of(scores: NDArray[np.float32], items: NDArray[np.int32], size: int, target: int, excluded: int) -> int:
    rank = 1
    for i in range(size):
        ahead = scores[i] > scores[target] or (scores[i] == scores[target] and i < target)
        if ahead and items[i] != excluded:
            rank += 1
    return rank


@summing_kernel
def _score(
    network: Network, scale: Scale, features: NDArray[np.float32], size: int, work: ListWork, ranker: int
) -> bool:
    """Standardise the features (features, most), and fill the scores of `ranker` and of those after
    it. Returns whether all features are finite.
    """
    checked = np.float32(0.0)
    for j in range(len(features)):
        row, x, mean, factor = features[j], work.x[j], scale.mean[j], scale.factor[j]
        for i in range(size):
            checked += abs(row[i])
            x[i] = max(min((row[i] - mean) * factor, CLIP), -CLIP)
    if not checked < LARGEST_SUM:
        return False
    if ranker == LINEAR:
        _add_rows(work.x, network.linear, np.float32(0.0), work.scores[LINEAR], size)
    else:
        work.scores[WITH_HIDDEN, :size] = 0.0
    _add_rows(work.x, network.skip, np.float32(0.0), work.scores[WITH_HIDDEN], size)
    for unit in range(HIDDEN):
        hidden, scores, weight = work.hidden[unit], work.scores[WITH_HIDDEN], network.out[unit]
        _add_rows(work.x, network.into[unit], network.bias[unit], hidden, size)
        for i in range(size):
            hidden[i] = max(hidden[i], LEAK * hidden[i])
            scores[i] += weight * hidden[i]
    return True


@summing_kernel
def _add_rows(
    x: NDArray[np.float32], weights: NDArray[np.float32], bias: np.float32, out: NDArray[np.float32], size: int
) -> None:
    """out = bias + weights · x, six rows at a time, as each pass reads and writes `out`."""
    for i in range(size):
        out[i] = bias
    whole = len(weights) // 6 * 6
    for j in range(0, whole, 6):
        a, b, c, d, e, f = x[j], x[j + 1], x[j + 2], x[j + 3], x[j + 4], x[j + 5]
        u, v, w = weights[j], weights[j + 1], weights[j + 2]
        p, q, r = weights[j + 3], weights[j + 4], weights[j + 5]
        for i in range(size):
            out[i] += u * a[i] + v * b[i] + w * c[i] + p * d[i] + q * e[i] + r * f[i]
    for j in range(whole, len(weights)):
        a, u = x[j], weights[j]
        for i in range(size):
            out[i] += u * a[i]


@summing_kernel
def _note_scale(scale: Scale, features: NDArray[np.float32], size: int) -> bool:
    """Let mean and deviation take in a list's candidates; returns False, and leaves them as they
    are, where a feature is no finite number.
    """
    total, squares = np.zeros(len(features)), np.zeros(len(features))
    for j in range(len(features)):
        row = features[j]
        for i in range(size):
            total[j] += row[i]
            squares[j] += row[i] * row[i]
    if not squares.sum() < LARGEST_SUM:
        return False
    scale.seen[0] += 1
    pace = max(1.0 / scale.seen[0], SLOWEST)
    for j in range(len(features)):
        scale.total[j] += pace * (total[j] / size - scale.total[j])
        scale.squares[j] += pace * (squares[j] / size - scale.squares[j])
        deviation = np.sqrt(max(scale.squares[j] - scale.total[j] * scale.total[j], 0.0))
        scale.mean[j] = scale.total[j]
        scale.factor[j] = 1.0 / deviation if deviation > SMALLEST_DEVIATION else 0.0
    return True


@summing_kernel
def _step(learner: Learner, size: int, target: int, pace: StepSizes, weight: np.float32) -> bool:
    """Learn that of the workspace's candidates the one at `target` came next.

    Returns False, and learns nothing, if a gradient is no finite number.
    """
    work, network, sums = learner.work, learner.network, learner.sums
    found = work.gradient
    checked = np.float32(0.0)
    work.losses[0] += 1.0
    for ranker in range(RANKERS):
        _errors(work.scores[ranker], work.errors[ranker], size, target)
        _note_loss(work.losses, ranker, work.errors[ranker, target] + np.float32(1.0))
    one, other = work.errors[LINEAR], work.errors[WITH_HIDDEN]
    for j in range(len(work.x)):
        found.linear[j] = _product(one, work.x[j], size)
        found.skip[j] = _product(other, work.x[j], size)
        checked += abs(found.linear[j]) + abs(found.skip[j])
    back = work.back
    for unit in range(HIDDEN):
        hidden, out = work.hidden[unit], network.out[unit]
        found.out[unit] = _product(other, hidden, size)
        bias = np.float32(0.0)
        for i in range(size):
            back[i] = other[i] * out * (np.float32(1.0) if hidden[i] > 0 else LEAK)
            bias += back[i]
        found.bias[unit] = bias
        for j in range(len(work.x)):
            found.into[unit, j] = _product(back, work.x[j], size)
            checked += abs(found.into[unit, j])
        checked += abs(found.out[unit]) + abs(bias)
    # A sum is finite only if all its terms are.
    if not checked < LARGEST_SUM:
        return False
    rate, slow = np.float32(pace.rate), np.float32(pace.hidden_rate)
    _move(network.linear, sums.linear, found.linear, rate, weight)
    _move(network.skip, sums.skip, found.skip, rate, weight)
    _move(network.bias, sums.bias, found.bias, slow, weight)
    _move(network.out, sums.out, found.out, slow, weight)
    for unit in range(HIDDEN):
        _move(network.into[unit], sums.into[unit], found.into[unit], slow, weight)
    return True


@summing_kernel
def _errors(scores: NDArray[np.float32], errors: NDArray[np.float32], size: int, target: int) -> None:
    """Each candidate's share of the softmax, less 1 for the one that came next."""
    largest = scores[:size].max()
    total = np.float32(0.0)
    for i in range(size):
        errors[i] = np.exp(scores[i] - largest)
        total += errors[i]
    for i in range(size):
        errors[i] /= total
    errors[target] -= np.float32(1.0)


@summing_kernel
def _note_loss(losses: NDArray[np.float64], ranker: int, share: np.float32) -> None:
    """Take the loss of a list, in which the item that came next had this share, into the mean."""
    pace = 1.0 / min(losses[0], LOSS_WINDOW)
    losses[1 + ranker] += pace * (-np.log(max(np.float64(share), LEAST_SHARE)) - losses[1 + ranker])


@summing_kernel
def _product(one: NDArray[np.float32], other: NDArray[np.float32], size: int) -> np.float32:
    total = np.float32(0.0)
    for i in range(size):
        total += one[i] * other[i]
    return total


@summing_kernel
def _move(
    weights: NDArray[np.float32],
    sums: NDArray[np.float32],
    gradient: NDArray[np.float32],
    rate: np.float32,
    share: np.float32,
) -> None:
    for j in range(len(weights)):
        g = max(min(gradient[j], LARGEST_GRADIENT), -LARGEST_GRADIENT) * share
        sums[j] += g * g
        weights[j] -= rate * g / np.sqrt(sums[j])
