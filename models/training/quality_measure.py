"""Measure the quality model, by head and by corruption, on examples that it never learned from."""

from collections import defaultdict
from dataclasses import asdict, dataclass
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from models.quality.calibration import auroc, fit_platt, precision_recall, prevalence_weights
from models.quality.defect import DEFECTS
from models.quality.text import Calibration, QualitySettings, probabilities, scores
from models.training.garble import Rng
from models.training.quality_examples import CLEAN, Example, Material, examples

# The share of items with a given defect for which its probability is calibrated.
PREVALENCE = 0.02
FEWEST = 8


@dataclass(frozen=True, slots=True)
class HeadFigures:
    """Holds the figures of one head, or of one corruption against all clean examples."""

    name: str
    positives: int
    auroc: float
    precision: float
    recall: float
    false_alarms: float


def draw(source: Material, rng: Rng, count: int) -> list[Example]:
    """Draw `count` examples."""
    return list(islice(examples(source, rng), count))


def labels_of(drawn: list[Example]) -> NDArray[np.float32]:
    """Return the labels, shape (n, defects); -1 is unknown."""
    return np.array([each.labels for each in drawn], np.float32)


def calibrate(logits: NDArray[np.float32], labels: NDArray[np.float32]) -> Calibration:
    """Fit a line for every head on the rows where its label is known."""
    lines = []
    for head in range(len(DEFECTS)):
        known = labels[:, head] >= 0
        positive = np.asarray(labels[known, head] > 0, np.bool_)
        weights = prevalence_weights(positive, PREVALENCE)
        lines.append(fit_platt(logits[known, head].astype(np.float64), positive, weights))
    return Calibration(tuple(lines))


def false_alarm(logits: NDArray[np.float32], calibration: Calibration, settings: QualitySettings) -> NDArray[np.bool_]:
    """Return which rows would be flagged or held back, shape (n,).

    These have a defect named, or a score under its threshold.
    """
    thresholds = np.array([settings.threshold(defect) for defect in DEFECTS])
    probability = probabilities(logits, calibration)
    return np.asarray((probability >= thresholds).any(axis=1) | (scores(probability) < settings.score_from))


def by_head(drawn: list[Example], probability: NDArray[np.float64], settings: QualitySettings) -> list[HeadFigures]:
    """Measure every head against all other examples with a known label."""
    labels = labels_of(drawn)
    figures = []
    for head, defect in enumerate(DEFECTS):
        known = labels[:, head] >= 0
        positive = labels[known, head] > 0
        figures.append(_figures(defect.value, probability[known, head], positive, settings.threshold(defect)))
    return figures


def by_corruption(
    drawn: list[Example], probability: NDArray[np.float64], settings: QualitySettings
) -> list[HeadFigures]:
    """Measure every corruption against the clean examples, on the head of its first defect."""
    labels = labels_of(drawn)
    rows: dict[str, list[int]] = defaultdict(list)
    for number, each in enumerate(drawn):
        rows[each.corruption].append(number)
    clean = rows.pop(CLEAN, [])
    figures = []
    for name, chosen in sorted(rows.items()):
        head = int((labels[chosen] > 0).sum(axis=0).argmax())
        both = np.array(chosen + clean)
        positive = np.arange(len(both)) < len(chosen)
        threshold = settings.threshold(DEFECTS[head])
        figures.append(_figures(f"{DEFECTS[head].value}: {name}", probability[both, head], positive, threshold))
    return figures


def _figures(name: str, probability: NDArray[np.float64], positive: NDArray[np.bool_], threshold: float) -> HeadFigures:
    if positive.sum() < FEWEST or (~positive).sum() < FEWEST:
        return HeadFigures(name, int(positive.sum()), float("nan"), float("nan"), float("nan"), float("nan"))
    precision, recall = precision_recall(probability, positive, threshold)
    return HeadFigures(
        name,
        int(positive.sum()),
        auroc(probability[~positive], probability[positive]),
        precision,
        recall,
        float((probability[~positive] >= threshold).mean()),
    )


def as_rows(figures: list[HeadFigures]) -> list[dict[str, object]]:
    """Return the figures for JSON; a figure without enough examples is null."""
    return [
        {key: (None if isinstance(value, float) and np.isnan(value) else value) for key, value in asdict(each).items()}
        for each in figures
    ]
