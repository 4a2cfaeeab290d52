"""Define the text that the quality model reads, and its verdict on it.

The encoder reads `title [SEP] category [SEP] brand` (empty parts stay empty), with the path of the
category written as `a > b > c`. What is counted in the raw text is its second input
(`models.quality.features`). The tokenizer lower-cases, so letter case cannot decide anything.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.contract.events import Item
from models.quality.calibration import Line, sigmoid
from models.quality.defect import DEFECTS, Defect, ItemText
from models.setting import setting

SEPARATOR = " [SEP] "
# Longer parts are cut, so that category and brand are still read behind a stuffed title.
TITLE_LIMIT, CATEGORY_LIMIT, BRAND_LIMIT = 120, 60, 40
PATH = re.compile(r"\s*(?:[>/|]|(?<=\w)[.:](?=\w))\s*")
SPACE = re.compile(r"[\s_]+")
# What a defect costs the score when it is certain. A title that is cut off, or is under a doubtful
# category or brand, still names a thing that can be sold. The model is the least sure of these
# defects in catalogues that it never saw. So each costs half at most, and none hides an item alone.
# A language is no defect in a shop that uses it.
MINOR_COST, NO_COST = 0.5, 0.0
COSTS = {
    Defect.TRUNCATED: MINOR_COST,
    Defect.CATEGORY_MISMATCH: MINOR_COST,
    Defect.BRAND_MISMATCH: MINOR_COST,
    Defect.FOREIGN: NO_COST,
}
SCORE_COSTS = np.array([COSTS.get(each, 1.0) for each in DEFECTS])


@dataclass(frozen=True, slots=True)
class QualitySettings:
    """Holds the thresholds from which a text counts as defective.

    Probabilities are calibrated for a feed where one item in fifty has the defect.
    """

    garbled_from: float = setting(0.6, "probability from which a title counts as garbled; above 1 never", low=0, high=2)
    encoding_from: float = setting(
        0.5, "probability from which an encoding counts as broken; above 1 never", low=0, high=2
    )
    spam_from: float = setting(0.5, "probability from which a title counts as spam; above 1 never", low=0, high=2)
    markup_from: float = setting(0.5, "probability from which markup counts as left in; above 1 never", low=0, high=2)
    remark_from: float = setting(0.4, "probability from which a title counts as a remark; above 1 never", low=0, high=2)
    # Names such as "Mondeo" or "Swiss chard" look like words cut short, and foreign ones like
    # another language.
    truncated_from: float = setting(
        0.8, "probability from which a title counts as cut off; above 1 never", low=0, high=2
    )
    foreign_from: float = setting(
        0.9,
        "probability from which a title counts as not English; above 1 never, for shops in other languages",
        low=0,
        high=2,
    )
    # In a catalogue with categories of its own the model is surer of this than it should be, so the
    # threshold is strict.
    category_mismatch_from: float = setting(
        0.985, "probability from which a category contradicts its title; above 1 never", low=0, high=2
    )
    brand_mismatch_from: float = setting(
        0.7, "probability from which a brand contradicts its title; above 1 never", low=0, high=2
    )
    score_from: float = setting(0.2, "quality score from which an item may be recommended", low=0, high=1)
    full_from: float = setting(
        0.6, "quality score from which an item counts in full; below, in proportion", low=0.01, high=1
    )

    def threshold(self, defect: Defect) -> float:
        """Return the probability from which the defect is flagged."""
        value: float = getattr(self, f"{defect.value}_from")
        return value

    def counted(self) -> tuple[Defect, ...]:
        """Return the defects that can be flagged; the others do not lower the score either."""
        return tuple(each for each in DEFECTS if self.threshold(each) <= 1)


def recommendable(score: float, settings: QualitySettings) -> bool:
    """Return whether an item of this score may be recommended.

    Reasons alone hide nothing: they are flagged at lower probabilities than it takes to hide an
    item.
    """
    return score >= settings.score_from


def weight_of(score: float, settings: QualitySettings) -> float:
    """Return the factor of an item's place in lists: 0 hides it, 1 is full weight.

    Good titles differ by how usual they are, not by how good they are, so all of them weigh the
    same.
    """
    return min(1.0, score / settings.full_from) if recommendable(score, settings) else 0.0


@dataclass(frozen=True, slots=True)
class TextVerdict:
    """Holds the probability of each defect, and one score.

    The score in [0, 1] says how sure it is that the text may be shown.
    """

    probabilities: Mapping[Defect, float]
    score: float

    def defects(self, settings: QualitySettings) -> tuple[Defect, ...]:
        """Return the defects at or above their thresholds, in the order of `Defect`."""
        return tuple(each for each in DEFECTS if self.probabilities[each] >= settings.threshold(each))

    def acceptable(self, settings: QualitySettings) -> bool:
        """Return whether the item may be recommended: whether its score reaches the threshold."""
        return recommendable(self.score, settings)

    def faultless(self, settings: QualitySettings) -> bool:
        """Return whether the item may be recommended and no defect is flagged."""
        return self.acceptable(settings) and not self.defects(settings)


@dataclass(frozen=True, slots=True)
class Calibration:
    """Turns the graph's numbers into probabilities: holds a line in the logit for each defect."""

    defects: tuple[Line, ...]


def text_of(item: Item) -> ItemText:
    """Return the part of the item that is judged."""
    return ItemText(item.title, item.category, item.brand)


def encoder_input(item: ItemText) -> str:
    """Return the line that the encoder reads: `title [SEP] category [SEP] brand`."""
    path = PATH.sub(" > ", item.category)
    parts = (item.title[:TITLE_LIMIT], path[:CATEGORY_LIMIT], item.brand[:BRAND_LIMIT])
    line = SEPARATOR.join(SPACE.sub(" ", part).strip() for part in parts).strip()
    # JSON can carry a lone half of a surrogate pair, which has no UTF-8 form.
    return line.encode("utf-8", "replace").decode("utf-8")


def probabilities(logits: NDArray[np.float32], calibration: Calibration) -> NDArray[np.float64]:
    """Return calibrated probabilities of the graph's logits; both have the shape (n, defects)."""
    slopes = np.array([line.slope for line in calibration.defects])
    offsets = np.array([line.offset for line in calibration.defects])
    return sigmoid(logits.astype(np.float64) * slopes + offsets)


def scores(probability: NDArray[np.float64], counted: Collection[Defect] = DEFECTS) -> NDArray[np.float64]:
    """Return the product of (1 - cost * p) over the counted defects, shape (n,).

    So a probability that rises never raises the score.
    """
    costs = SCORE_COSTS * np.array([each in counted for each in DEFECTS])
    return np.asarray(np.prod(1.0 - probability * costs, axis=1))


def verdicts(
    logits: NDArray[np.float32], calibration: Calibration, counted: Collection[Defect] = DEFECTS
) -> list[TextVerdict]:
    """Return one verdict for each row of the graph's logits, shape (n, defects).

    Only `counted` defects lower the score.
    """
    return verdicts_of(probabilities(logits, calibration), counted)


def verdicts_of(probability: NDArray[np.float64], counted: Collection[Defect] = DEFECTS) -> list[TextVerdict]:
    """Return one verdict for each row of probabilities, shape (n, defects)."""
    return [
        TextVerdict(dict(zip(DEFECTS, row, strict=True)), score)
        for row, score in zip(probability.tolist(), scores(probability, counted).tolist(), strict=True)
    ]
