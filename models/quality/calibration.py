"""Turn scores into probabilities, and measure them: Platt scaling, AUROC, precision and recall.

Plain numpy, so that training, evaluation and the tests use the same figures.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

ITERATIONS = 100
SMALLEST_SLOPE = 1e-3
RIDGE = 1e-4


@dataclass(frozen=True, slots=True)
class Line:
    """Holds `sigmoid(slope * x + offset)`; the slope is positive, so it keeps the order."""

    slope: float
    offset: float


def sigmoid(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return 1 / (1 + exp(-x)) without overflow, same shape."""
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * x)))


def prevalence_weights(labels: NDArray[np.bool_], prevalence: float) -> NDArray[np.float64]:
    """Return weights, shape (n,), of mean 1 that give the positive rows the share `prevalence`."""
    positive = max(float(labels.mean()), 1e-9)
    negative = max(1.0 - float(labels.mean()), 1e-9)
    return np.where(labels, prevalence / positive, (1.0 - prevalence) / negative)


def fit_platt(x: NDArray[np.float64], labels: NDArray[np.bool_], weights: NDArray[np.float64]) -> Line:
    """Fit the line that makes `sigmoid` of scores most likely for the labels (Platt 1999).

    `x`, `labels` and `weights` have the shape (n,). Uses Newton's method on the weighted log loss,
    with Platt's smoothed targets against over-confidence.
    """
    positives = float(labels.sum())
    target = np.where(labels, (positives + 1) / (positives + 2), 1 / (len(labels) - positives + 2))
    design = np.stack([x, np.ones_like(x)], axis=1)
    line = np.array([1.0, 0.0])
    for _ in range(ITERATIONS):
        p = sigmoid(design @ line)
        gradient = design.T @ (weights * (p - target))
        hessian = (design * (weights * p * (1 - p))[:, None]).T @ design + RIDGE * np.eye(2)
        step = np.linalg.solve(hessian, gradient)
        line = line - np.clip(step, -2.0, 2.0)
        if np.abs(step).max() < 1e-9:
            break
    return Line(max(float(line[0]), SMALLEST_SLOPE), float(line[1]))


def auroc(negatives: NDArray[np.float64], positives: NDArray[np.float64]) -> float:
    """Return the chance that a positive scores above a negative; ties count half (Mann-Whitney)."""
    ranked = np.sort(negatives)
    below = np.searchsorted(ranked, positives, side="left")
    upto = np.searchsorted(ranked, positives, side="right")
    return float((below + upto).mean() / 2 / len(ranked))


def precision_recall(scores: NDArray[np.float64], labels: NDArray[np.bool_], threshold: float) -> tuple[float, float]:
    """Return precision and recall of `scores >= threshold`; precision is 1 if none is flagged."""
    flagged = scores >= threshold
    hits = float((flagged & labels).sum())
    precision = hits / float(flagged.sum()) if flagged.any() else 1.0
    return precision, hits / max(float(labels.sum()), 1.0)


def reliability(
    probability: NDArray[np.float64], labels: NDArray[np.bool_], weights: NDArray[np.float64], bins: int = 10
) -> list[tuple[float, float, float]]:
    """Return a calibration curve over bins of equal width.

    Each filled bin gives (mean probability, share of positives, weight).
    """
    slots = np.minimum((probability * bins).astype(int), bins - 1)
    rows = []
    for slot in np.unique(slots):
        chosen = slots == slot
        weight = weights[chosen]
        rows.append(
            (
                float(np.average(probability[chosen], weights=weight)),
                float(np.average(labels[chosen], weights=weight)),
                float(weight.sum()),
            )
        )
    return rows
