"""Calibrate a second judge: fit a logistic regression on items in the band of doubt."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from models.quality.calibration import sigmoid
from models.quality.defect import DEFECTS, ItemText
from models.quality.second_judge_score import SecondJudgeSettings, Weights
from models.quality.text import TextVerdict
from models.training.garble import Rng
from models.training.quality_examples import CLEAN_SHARE, Example, Material, examples
from models.training.quality_measure import PREVALENCE

BATCH = 1_000
MOST_BATCHES = 80
ITERATIONS = 60
RIDGE = 1.0
# The feed for which the quality model's score is calibrated: one item in fifty has each defect.
FINE_SHARE = (1 - PREVALENCE) ** len(DEFECTS)


class FirstJudge(Protocol):
    """The quality model, which judges texts first."""

    def judge(self, items: Sequence[ItemText]) -> list[TextVerdict]:
        """Return one verdict for each item."""


@dataclass(frozen=True, slots=True)
class Doubtful:
    """Holds an example in the band, and the quality model's verdict on it.

    `weight` is the number of the feed's examples in the band that it represents, up to a common
    factor.
    """

    example: Example
    first: TextVerdict
    weight: float = 1.0

    @property
    def fine(self) -> bool:
        """Return whether the text is known to have no defect."""
        return not any(label > 0 for label in self.example.labels)


def draw_doubtful(
    source: Material, first: FirstJudge, band: SecondJudgeSettings, count: int, rng: Rng
) -> list[Doubtful]:
    """Draw `count` examples of which the quality model is unsure, half of them fine.

    Draws fewer if the model is hardly ever unsure. Most doubtful examples are corrupted ones;
    `weight` corrects for that, and for the shares with which examples are drawn.
    """
    kinds: dict[bool, list[Doubtful]] = {True: [], False: []}
    endless = examples(source, rng)
    for _ in range(MOST_BATCHES):
        for each in _doubtful(list(islice(endless, BATCH)), first, band):
            kinds[each.fine].append(each)
        if min(map(len, kinds.values())) >= count // 2:
            break
    shares = {True: FINE_SHARE / CLEAN_SHARE, False: (1 - FINE_SHARE) / (1 - CLEAN_SHARE)}
    kept = {fine: found[: count // 2] for fine, found in kinds.items()}
    return [
        replace(each, weight=shares[fine] * len(kinds[fine]) / len(kept[fine]))
        for fine, found in kept.items()
        for each in found
    ]


def _doubtful(batch: list[Example], first: FirstJudge, band: SecondJudgeSettings) -> Iterator[Doubtful]:
    for example, verdict in zip(batch, first.judge([each.item for each in batch]), strict=True):
        if band.holds(verdict.score):
            yield Doubtful(example, verdict)


def fit_weights(found: NDArray[np.float64], fine: NDArray[np.bool_], shares: NDArray[np.float64]) -> Weights:
    """Fit the most likely weights for evidence of shape (n, 4), with a normal prior on each.

    Uses Newton's method. `shares`, shape (n,), is how much of the feed each row represents.
    """
    means, spreads = found.mean(axis=0), found.std(axis=0)
    spreads[spreads == 0] = 1.0
    line = _newton(np.column_stack([(found - means) / spreads, np.ones(len(found))]), fine, shares / shares.mean())
    return Weights(means, spreads, line[:-1], float(line[-1]))


def _newton(design: NDArray[np.float64], fine: NDArray[np.bool_], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    prior = np.diag([*[RIDGE] * (design.shape[1] - 1), 1e-6])
    line = np.zeros(design.shape[1])
    for _ in range(ITERATIONS):
        p = sigmoid(design @ line)
        gradient = design.T @ (weights * (p - fine)) + prior @ line
        hessian = (design * (weights * p * (1 - p))[:, None]).T @ design + prior
        step = np.linalg.solve(hessian, gradient)
        line = line - np.clip(step, -2.0, 2.0)
        if np.abs(step).max() < 1e-9:
            break
    return line
