"""Two rankers that learn from the same lists, as arrays: linear, and with a small hidden layer."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

HIDDEN = 16
FIRST_SUM = np.float32(0.1)

# Rows of scores, and less 1 of ranks.
LINEAR = 0
WITH_HIDDEN = 1
RANKERS = 2


class Scale(NamedTuple):
    """Means of features and of their squares (features,) over the lists `seen[0]`; `mean` and
    `factor` are what features are standardised by.
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


class ListWork(NamedTuple):
    """Workspace of one list: standardised features (features, most), hidden units (HIDDEN, most),
    scores and errors (RANKERS, most), what goes back through one unit (most,), and gradients.

    `losses` (1 + RANKERS,) are the number of lists, and means over those of late.
    """

    x: NDArray[np.float32]
    hidden: NDArray[np.float32]
    scores: NDArray[np.float32]
    errors: NDArray[np.float32]
    back: NDArray[np.float32]
    gradient: Network
    losses: NDArray[np.float64]


class Learner(NamedTuple):
    """All that changes while lists are learned; `sums` are those of squared gradients."""

    network: Network
    sums: Network
    scale: Scale
    work: ListWork


class Lesson(NamedTuple):
    """Candidates of n lists: `items` (n, most), their numbers `sizes` (n,), `features` (n,
    features, most); the items that came next, those that are not listed, and what each list weighs,
    (n,).
    """

    items: NDArray[np.int32]
    sizes: NDArray[np.int32]
    features: NDArray[np.float32]
    targets: NDArray[np.int32]
    excluded: NDArray[np.int32]
    weights: NDArray[np.float32]


class StepSizes(NamedTuple):
    """The step, that of the hidden layer, and whether all lists change the scale of features or
    only the first.
    """

    rate: float
    hidden_rate: float
    running_scale: bool


def make_learner(features: int, most: int, seed: int) -> Learner:
    """One that learned nothing, for lists of at most `most` candidates: small random weights into
    and out of the hidden layer, and none elsewhere.
    """
    random = np.random.default_rng(seed)
    into = random.normal(0.0, 1.0 / np.sqrt(features), (HIDDEN, features)).astype(np.float32)
    out = random.normal(0.0, 0.1, HIDDEN).astype(np.float32)
    zeros = np.zeros(features, np.float32)
    network = Network(zeros.copy(), zeros.copy(), into, np.zeros(HIDDEN, np.float32), out)
    scale = Scale(
        np.zeros(features), np.zeros(features), np.zeros(1, np.int64), zeros.copy(), np.ones(features, np.float32)
    )
    work = ListWork(
        np.zeros((features, most), np.float32),
        np.zeros((HIDDEN, most), np.float32),
        np.zeros((RANKERS, most), np.float32),
        np.zeros((RANKERS, most), np.float32),
        np.zeros(most, np.float32),
        Network(*(np.zeros_like(each) for each in network)),
        np.zeros(1 + RANKERS),
    )
    return Learner(network, Network(*(np.full_like(each, FIRST_SUM) for each in network)), scale, work)
