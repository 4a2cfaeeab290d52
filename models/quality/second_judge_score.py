"""Compute the second judge's verdict from a causal model's numbers and the quality model's score.

The text is laid out line by line, as on a product page. A brand or category that is likelier after
the title than after any title is evidence for the item; so is a title that ends where one would
expect it. The likelihood of the title's words is left out: it tells nothing among doubtful items
(AUROC 0.52). Which defects the quality model suspects by itself is left out too: that fits the
catalogues calibrated on, and misleads in others.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from models.quality.assessment import Assessment
from models.quality.calibration import sigmoid
from models.quality.defect import Defect, ItemText
from models.quality.text import BRAND_LIMIT, CATEGORY_LIMIT, PATH, SPACE, TITLE_LIMIT, TextVerdict
from models.setting import setting

TITLE, BRAND, CATEGORY = "Product title:", "Brand:", "Category:"
# Used in place of any title: how likely a brand or category is by itself.
ANY_TITLE = "Item"
SURE = 1e-6
# From this probability on the defects that the quality model found are taken for false alarms.
OVERRULED_FROM = 0.5
# First the quality model's score, then what the language model adds; a product is one with the
# probability of a defect.
EVIDENCE = ("quality_logit", "brand_gain * brand_mismatch", "title_end * truncated", "category_loss")


@dataclass(frozen=True, slots=True)
class SecondJudgeSettings:
    """Holds the folder of the second judge, and the band of scores for which it is asked."""

    dir: str = setting("", "folder of the second judge (`headrace models export-judge`); empty leaves it off")
    low: float = setting(0.05, "quality score from which the first verdict is in doubt", low=0, high=1)
    high: float = setting(0.8, "quality score below which the first verdict is in doubt", low=0, high=1)

    def holds(self, score: float) -> bool:
        """Return whether the score is in the band of doubt: from `low` to below `high`."""
        return self.low <= score < self.high


@dataclass(frozen=True, slots=True)
class Heard:
    """Holds mean log-likelihoods per token, in nats, of the lines of one item.

    Brand and category have two numbers, after the item's title and after any title; None if the
    item has none. `end` is the end of the title's line.
    """

    title: float
    end: float
    brand: tuple[float, float] | None = None
    category: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Weights:
    """Holds a logistic regression.

    Each piece of evidence less its mean is divided by its spread and multiplied by its weight.
    """

    means: NDArray[np.float64]
    spreads: NDArray[np.float64]
    weights: NDArray[np.float64]
    offset: float


def lines(item: ItemText) -> tuple[str, str, str]:
    """Return title, brand and category in the form that the model reads."""
    path = PATH.sub(" > ", item.category)
    parts = (item.title[:TITLE_LIMIT], item.brand[:BRAND_LIMIT], path[:CATEGORY_LIMIT])
    title, brand, category = (SPACE.sub(" ", part).strip() for part in parts)
    return title, brand, category


def evidence(heard: Heard, first: TextVerdict) -> NDArray[np.float64]:
    """Return the evidence in the order of `EVIDENCE`, shape (4,).

    `first` is the quality model's verdict.
    """
    sure = min(max(first.score, SURE), 1 - SURE)
    brand, category = heard.brand or (0.0, 0.0), heard.category or (0.0, 0.0)
    return np.array(
        [
            math.log(sure / (1 - sure)),
            (brand[0] - brand[1]) * first.probabilities[Defect.BRAND_MISMATCH],
            heard.end * first.probabilities[Defect.TRUNCATED],
            min(category[0] - category[1], 0.0),
        ]
    )


def probability(found: NDArray[np.float64], weights: Weights) -> NDArray[np.float64]:
    """Return the probability that each text is fine, shape (n,), for evidence of shape (n, 4)."""
    return sigmoid((found - weights.means) / weights.spreads @ weights.weights + weights.offset)


def revised(assessment: Assessment, fine: float, judged_by: str) -> Assessment:
    """Return the assessment after the second judge.

    Its score is `fine`; the defects stay unless `fine` overrules them.
    """
    reasons: Sequence[str] = () if fine >= OVERRULED_FROM else assessment.reasons
    return replace(assessment, judged_by=judged_by, quality=fine, reasons=tuple(reasons))
