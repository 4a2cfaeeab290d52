"""Two rankers that learn from the same lists: linear, and with one small hidden layer.

Loss of a list: the softmax cross entropy of the item that came next among the candidates. Steps are
those of AdaGrad (Duchi et al., JMLR 2011), on features that are standardised by the mean and
deviation of the first lists.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.kernel import summing_kernel

HIDDEN = 16
HIDDEN_SHARE = 0.3  # the hidden layer's step against that of the rest
LEAK = np.float32(0.01)
CLIP = np.float32(6.0)  # deviations beyond which a feature says no more
LARGEST_GRADIENT = np.float32(2.0)
SLOWEST = 1e-4  # share of a list in the scale at least
LARGEST_SUM = 1e9
FIRST_SUM = np.float32(0.1)

# Rows of scores and of ranks.
LINEAR = 0
WITH_HIDDEN = 1
RANKERS = 2


class Scale(NamedTuple):
    """Means of features and of their squares (features,) over the lists `seen[0]`, of late ones
    more; `mean` and `factor` are what features are standardised by.
    """

    total: NDArray[np.float64]
    squares: NDArray[np.float64]
    seen: NDArray[np.int64]
    mean: NDArray[np.float32]
    factor: NDArray[np.float32]


class Network(NamedTuple):
    """Weights: `linear` (features,) of the linear ranker; `skip` (features,), `into` (HIDDEN,
    features), `bias` (HIDDEN,) and `out` (HIDDEN,) of the other.
    """

    linear: NDArray[np.float32]
    skip: NDArray[np.float32]
    into: NDArray[np.float32]
    bias: NDArray[np.float32]
    out: NDArray[np.float32]


class Work(NamedTuple):
    """Workspace of one list: standardised features (most, features), hidden units (most, HIDDEN),
    scores (RANKERS, most).
    """

    x: NDArray[np.float32]
    hidden: NDArray[np.float32]
    scores: NDArray[np.float32]


def make_scale(features: int) -> Scale:
    """A scale that has seen nothing."""
    return Scale(
        np.zeros(features),
        np.zeros(features),
        np.zeros(1, np.int64),
        np.zeros(features, np.float32),
        np.ones(features, np.float32),
    )


def make_network(features: int, seed: int) -> Network:
    """Small random weights into the hidden layer, and none elsewhere."""
    random = np.random.default_rng(seed)
    into = random.normal(0.0, 1.0 / np.sqrt(features), (HIDDEN, features)).astype(np.float32)
    out = random.normal(0.0, 0.1, HIDDEN).astype(np.float32)
    zeros = np.zeros(features, np.float32)
    return Network(zeros.copy(), zeros.copy(), into, np.zeros(HIDDEN, np.float32), out)


def make_sums(network: Network) -> Network:
    """Sums of squared gradients, one a weight."""
    return Network(*(np.full_like(each, FIRST_SUM) for each in network))


def make_work(most: int, features: int) -> Work:
    """A workspace for lists of at most `most` candidates."""
    return Work(
        np.zeros((most, features), np.float32),
        np.zeros((most, HIDDEN), np.float32),
        np.zeros((RANKERS, most), np.float32),
    )


@summing_kernel
def score_list(network: Network, scale: Scale, features: NDArray[np.float32], work: Work) -> None:
    """Fill the workspace for candidates with these features, shape (n, features)."""
    width = features.shape[1]
    for i in range(len(features)):
        x = work.x[i]
        linear = skip = np.float32(0.0)
        for j in range(width):
            x[j] = max(min((features[i, j] - scale.mean[j]) * scale.factor[j], CLIP), -CLIP)
            linear += x[j] * network.linear[j]
            skip += x[j] * network.skip[j]
        for unit in range(HIDDEN):
            value = network.bias[unit]
            for j in range(width):
                value += x[j] * network.into[unit, j]
            value = value if value > 0 else LEAK * value
            work.hidden[i, unit] = value
            skip += value * network.out[unit]
        work.scores[LINEAR, i] = linear
        work.scores[WITH_HIDDEN, i] = skip


@summing_kernel
def note_scale(scale: Scale, features: NDArray[np.float32]) -> None:
    """Let mean and deviation take in a list's candidates, shape (n, features)."""
    scale.seen[0] += 1
    pace = max(1.0 / scale.seen[0], SLOWEST)
    for j in range(features.shape[1]):
        total = squares = 0.0
        for i in range(len(features)):
            total += features[i, j]
            squares += features[i, j] * features[i, j]
        scale.total[j] += pace * (total / len(features) - scale.total[j])
        scale.squares[j] += pace * (squares / len(features) - scale.squares[j])
        deviation = np.sqrt(max(scale.squares[j] - scale.total[j] * scale.total[j], 0.0))
        scale.mean[j] = scale.total[j]
        scale.factor[j] = 1.0 / deviation if deviation > 1e-4 else 0.0


@summing_kernel
def step(network: Network, sums: Network, work: Work, count: int, target: int, rate: float, weight: float) -> bool:
    """Learn that of the workspace's `count` candidates the one at `target` came next.

    Returns False, and learns nothing, if a gradient is no finite number.
    """
    width = work.x.shape[1]
    grads = (
        np.zeros(width, np.float32),
        np.zeros(width, np.float32),
        np.zeros((HIDDEN, width), np.float32),
        np.zeros(HIDDEN, np.float32),
        np.zeros(HIDDEN, np.float32),
    )
    linear, skip, into, bias, out = grads
    errors = _errors(work, count, target)
    for i in range(count):
        one, other, x = errors[LINEAR, i], errors[WITH_HIDDEN, i], work.x[i]
        for j in range(width):
            linear[j] += one * x[j]
            skip[j] += other * x[j]
        # Most candidates have next to no share, and move nothing.
        if abs(other) > np.float32(1e-3):
            _back(network, work.hidden[i], x, other, into, bias, out)
    # A sum is finite only if all its terms are.
    checked = np.abs(linear).sum() + np.abs(skip).sum() + np.abs(bias).sum() + np.abs(out).sum() + np.abs(into).sum()
    if not checked < LARGEST_SUM:
        return False
    hidden_rate = rate * HIDDEN_SHARE
    pace, slow, share = np.float32(rate), np.float32(hidden_rate), np.float32(weight)
    _move(network.linear, sums.linear, linear, pace, share)
    _move(network.skip, sums.skip, skip, pace, share)
    _move(network.bias, sums.bias, bias, slow, share)
    _move(network.out, sums.out, out, slow, share)
    for unit in range(HIDDEN):
        _move(network.into[unit], sums.into[unit], into[unit], slow, share)
    return True


@summing_kernel
def _errors(work: Work, count: int, target: int) -> NDArray[np.float32]:
    """Each candidate's share of the softmax, less 1 for the one that came next."""
    errors = np.empty((RANKERS, count), np.float32)
    for ranker in range(RANKERS):
        scores = work.scores[ranker, :count]
        errors[ranker] = np.exp(scores - scores.max())
        errors[ranker] /= errors[ranker].sum()
        errors[ranker, target] -= np.float32(1.0)
    return errors


@summing_kernel
def _back(
    network: Network,
    hidden: NDArray[np.float32],
    x: NDArray[np.float32],
    error: np.float32,
    into: NDArray[np.float32],
    bias: NDArray[np.float32],
    out: NDArray[np.float32],
) -> None:
    """Add what one candidate says of the hidden layer to its gradients."""
    for unit in range(HIDDEN):
        out[unit] += error * hidden[unit]
        back = error * network.out[unit] * (np.float32(1.0) if hidden[unit] > 0 else LEAK)
        bias[unit] += back
        for j in range(len(x)):
            into[unit, j] += back * x[j]


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
