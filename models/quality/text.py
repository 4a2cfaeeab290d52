"""What the quality model says about an item's text, and the text as the model reads it.

The encoder reads `title [SEP] category [SEP] brand` (empty parts stay empty), with the path of the category written as
`a > b > c`; what is counted in the raw text is its second input (`models.quality.features`). The tokenizer lower-cases,
so letter case cannot decide anything.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.events import Item
from models.quality.calibration import Line, sigmoid
from models.quality.defect import DEFECTS, Defect, ItemText
from models.setting import setting

SEPARATOR = " [SEP] "
# Longer parts are cut, so that category and brand stay in sight behind a stuffed title.
TITLE_LIMIT, CATEGORY_LIMIT, BRAND_LIMIT = 120, 60, 40
PATH = re.compile(r"\s*(?:[>/|]|(?<=\w)[.:](?=\w))\s*")
SPACE = re.compile(r"[\s_]+")
SMALLEST = 1e-9
# A mismatch says that category or brand may have to be repaired, and is the least sure in catalogues never seen: in
# the score it counts a quarter of a defect of the title itself.
MISMATCH_WEIGHT = 0.25
SCORE_WEIGHTS = np.array(
    [MISMATCH_WEIGHT if each in (Defect.CATEGORY_MISMATCH, Defect.BRAND_MISMATCH) else 1.0 for each in DEFECTS]
)


@dataclass(frozen=True, slots=True)
class QualitySettings:
    """When a text is called defective; a probability is that in a feed where one item in fifty has the defect."""

    garbled_from: float = setting(0.5, "probability from which a title counts as garbled; above 1 never", low=0, high=2)
    encoding_from: float = setting(
        0.5, "probability from which an encoding counts as broken; above 1 never", low=0, high=2
    )
    spam_from: float = setting(0.5, "probability from which a title counts as spam; above 1 never", low=0, high=2)
    markup_from: float = setting(0.5, "probability from which markup counts as left in; above 1 never", low=0, high=2)
    remark_from: float = setting(0.5, "probability from which a title counts as a remark; above 1 never", low=0, high=2)
    truncated_from: float = setting(
        0.5, "probability from which a title counts as cut off; above 1 never", low=0, high=2
    )
    foreign_from: float = setting(
        0.5,
        "probability from which a title counts as not English; above 1 never, for shops in other languages",
        low=0,
        high=2,
    )
    # In a catalogue with shelves of its own the mismatches are surer than they should be, hence strict thresholds.
    category_mismatch_from: float = setting(
        0.97, "probability from which a category contradicts its title; above 1 never", low=0, high=2
    )
    brand_mismatch_from: float = setting(
        0.97, "probability from which a brand contradicts its title; above 1 never", low=0, high=2
    )
    score_from: float = setting(0.15, "quality score from which an item may be recommended", low=0, high=1)

    def threshold(self, defect: Defect) -> float:
        """The probability from which the defect is flagged."""
        value: float = getattr(self, f"{defect.value}_from")
        return value


@dataclass(frozen=True, slots=True)
class TextVerdict:
    """The probability of each defect, and one score in [0, 1]: the probability that the text is fine."""

    probabilities: Mapping[Defect, float]
    score: float

    def defects(self, settings: QualitySettings) -> tuple[Defect, ...]:
        """The defects at or above their thresholds, in the order of `Defect`."""
        return tuple(each for each in DEFECTS if self.probabilities[each] >= settings.threshold(each))

    def acceptable(self, settings: QualitySettings) -> bool:
        """Whether no defect is flagged and the score reaches its threshold."""
        return self.score >= settings.score_from and not self.defects(settings)


@dataclass(frozen=True, slots=True)
class Calibration:
    """What turns the graph's numbers into probabilities: a line in the logit for each defect, and one for the score."""

    defects: tuple[Line, ...]
    score: Line


def text_of(item: Item) -> ItemText:
    """The part of the item that is judged."""
    return ItemText(item.title, item.category, item.brand)


def encoder_input(item: ItemText) -> str:
    """The line that the encoder reads: `title [SEP] category [SEP] brand`."""
    path = PATH.sub(" > ", item.category)
    parts = (item.title[:TITLE_LIMIT], path[:CATEGORY_LIMIT], item.brand[:BRAND_LIMIT])
    return SEPARATOR.join(SPACE.sub(" ", part).strip() for part in parts).strip()


def probabilities(logits: NDArray[np.float32], calibration: Calibration) -> NDArray[np.float64]:
    """Calibrated probabilities, shape (n, defects), of the graph's logits of the same shape."""
    slopes = np.array([line.slope for line in calibration.defects])
    offsets = np.array([line.offset for line in calibration.defects])
    return sigmoid(logits.astype(np.float64) * slopes + offsets)


def raw_score(probability: NDArray[np.float64]) -> NDArray[np.float64]:
    """The logit of the product of (1 - p)^w over the defects, shape (n,): falls with every single probability."""
    fine = np.log1p(-np.minimum(probability, 1 - SMALLEST)) @ SCORE_WEIGHTS
    fine = np.minimum(fine, -SMALLEST)
    return np.asarray(fine - np.log(-np.expm1(fine)))


def verdicts(logits: NDArray[np.float32], calibration: Calibration) -> list[TextVerdict]:
    """One verdict for each row of the graph's logits, shape (n, defects)."""
    probability = probabilities(logits, calibration)
    scores = sigmoid(raw_score(probability) * calibration.score.slope + calibration.score.offset)
    return [
        TextVerdict(dict(zip(DEFECTS, row, strict=True)), score)
        for row, score in zip(probability.tolist(), scores.tolist(), strict=True)
    ]
