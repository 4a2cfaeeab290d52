"""The arithmetic of the second judge: what a causal model's numbers and the quality model's score say together.

The text is laid out as a product page has it, line by line. A brand or category that is likelier after the title than
after any title speaks for the item; so does a title that ends where one would expect it. How likely the title's words
are says nothing among doubtful items (AUROC 0.52), so it is left out; so is which defects the quality model suspects by
itself: that fits the catalogues calibrated on, and misleads in others.
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
# Stands for any title at all: how likely a brand or category is by itself.
ANY_TITLE = "Item"
SURE = 1e-6
# From here on the defects that the quality model found are taken for false alarms.
OVERRULED_FROM = 0.5
# What the quality model says, then what the language model adds; a product with the probability of a defect.
EVIDENCE = ("quality_logit", "brand_gain * brand_mismatch", "title_end * truncated", "category_loss")


@dataclass(frozen=True, slots=True)
class SecondJudgeSettings:
    """Whether, and of which scores, the second judge is asked."""

    dir: str = setting("", "folder of the second judge (`headrace models export-judge`); empty leaves it off")
    low: float = setting(0.05, "quality score from which the first verdict is in doubt", low=0, high=1)
    high: float = setting(0.8, "quality score below which the first verdict is in doubt", low=0, high=1)

    def holds(self, score: float) -> bool:
        """Whether the score lies in the band of doubt."""
        return self.low <= score < self.high


@dataclass(frozen=True, slots=True)
class Heard:
    """Mean log-likelihoods a token, in nats, of the lines of one item: after its title, and after any title.

    Brand and category are None where the item has none.
    """

    title: float
    end: float
    brand: tuple[float, float] | None = None
    category: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Weights:
    """A logistic regression: each piece of evidence less its mean, divided by its spread, times its weight."""

    means: NDArray[np.float64]
    spreads: NDArray[np.float64]
    weights: NDArray[np.float64]
    offset: float


def lines(item: ItemText) -> tuple[str, str, str]:
    """Title, brand and category as the model reads them."""
    path = PATH.sub(" > ", item.category)
    parts = (item.title[:TITLE_LIMIT], item.brand[:BRAND_LIMIT], path[:CATEGORY_LIMIT])
    title, brand, category = (SPACE.sub(" ", part).strip() for part in parts)
    return title, brand, category


def evidence(heard: Heard, first: TextVerdict) -> NDArray[np.float64]:
    """The numbers in the order of `EVIDENCE`, shape (4,); `first` is the quality model's verdict."""
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
    """The probability that each text is fine, shape (n,), of evidence of shape (n, 4)."""
    return sigmoid((found - weights.means) / weights.spreads @ weights.weights + weights.offset)


def revised(said: Assessment, fine: float, judged_by: str) -> Assessment:
    """The assessment after the second judge: its score is `fine`, and defects stay unless that overrules them."""
    reasons: Sequence[str] = () if fine >= OVERRULED_FROM else said.reasons
    return replace(said, judged_by=judged_by, quality=fine, reasons=tuple(reasons))
