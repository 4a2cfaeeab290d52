"""Judge item texts with a causal model, as second judge.

An item takes one forward pass, and one more for a brand or category that is new to the model.
"""

import hashlib
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.inference.causal_model import TASK, CausalModel, causal_model, open_session
from models.inference.manifest import Artefact, ManifestError, read_manifest
from models.inference.onnx_session import OnnxSession
from models.inference.settings import InferenceSettings
from models.quality.defect import ItemText
from models.quality.second_judge_score import (
    ANY_TITLE,
    BRAND,
    CATEGORY,
    EVIDENCE,
    TITLE,
    Heard,
    Weights,
    evidence,
    lines,
    probability,
)
from models.quality.text import TextVerdict

NAME_DIGITS = 8
MOST_LINES = 10_000


class TextHearing:
    """Measures the likelihoods of an item's lines with a causal model."""

    def __init__(self, model: CausalModel, prefix: str) -> None:
        """Keep the model.

        `prefix` marks a new document for the model, such as `<|endoftext|>`.
        """
        self._model = model
        self._prefix = prefix
        # A catalogue has few brands and categories, so most are known after a while.
        self._alone = lru_cache(MOST_LINES)(self._read_alone)

    def __call__(self, item: ItemText) -> Heard:
        """Return the likelihoods of the item's lines."""
        title, brand, category = lines(item)
        parts = [f"{self._prefix}{TITLE}", f" {title}", "\n"]
        if brand:
            parts += [BRAND, f" {brand}", "\n"]
        if category:
            parts += [CATEGORY, f" {category}", "\n"]
        found = self._model.log_likelihoods(parts)
        after_brand = 3 if brand else 0
        return Heard(
            title=_mean(found[1]),
            end=_mean(found[2]),
            brand=(_mean(found[4]), self._alone(BRAND, brand)) if brand else None,
            category=(_mean(found[4 + after_brand]), self._alone(CATEGORY, category)) if category else None,
        )

    def _read_alone(self, kind: str, text: str) -> float:
        return _mean(self._model.log_likelihoods([f"{self._prefix}{TITLE} {ANY_TITLE}\n{kind}", f" {text}"])[1])


class SecondJudgeModel:
    """Gives the probability that a text is fine, with an open causal model."""

    def __init__(self, artefact: Artefact, session: OnnxSession, hear: TextHearing) -> None:
        """Keep the open model.

        Raises ManifestError if the artefact's calibration is for other evidence than is computed
        here.
        """
        self.artefact = artefact
        self.session = session
        self.hear = hear
        self._weights = weights_of(artefact)

    @property
    def name(self) -> str:
        """Return the model's key with a checksum of its calibration."""
        digest = hashlib.blake2b(repr(self.artefact.details["calibration"]).encode()).hexdigest()
        return f"{self.artefact.key}-{digest[:NAME_DIGITS]}"

    def judge(self, item: ItemText, first: TextVerdict) -> float:
        """Return the probability that the text is fine, given the quality model's verdict."""
        return float(probability(evidence(self.hear(item), first)[None], self._weights)[0])


def open_second_judge_model(folder: Path, settings: InferenceSettings | None = None) -> SecondJudgeModel:
    """Open the judge that the folder's manifest lists.

    Raises ManifestError if there is none, or if it was calibrated for other evidence.
    """
    artefact = read_manifest(folder).find(TASK)
    session = open_session(folder, artefact, settings)
    return SecondJudgeModel(artefact, session, TextHearing(causal_model(folder, artefact, session), artefact.prefix))


def heard_titles(hear: TextHearing, titles: Sequence[str]) -> NDArray[np.float32]:
    """Return the mean log-likelihood per token of each title by itself, shape (n, 1).

    Models are compared by these numbers.
    """
    return np.array([[hear(ItemText(title)).title] for title in titles], np.float32)


def weights_of(artefact: Artefact) -> Weights:
    """Return the calibration in the artefact's details.

    Raises ManifestError if it is missing or for other evidence.
    """
    found: Mapping[str, Any] = artefact.details.get("calibration", {})
    try:
        if tuple(found["evidence"]) != EVIDENCE:
            raise ManifestError(
                f"{artefact.name} was calibrated for other evidence than is found here; export it again"
            )
        means, spreads, weights = (_numbers(found[name]) for name in ("means", "spreads", "weights"))
        return Weights(means, spreads, weights, float(found["offset"]))
    except (KeyError, TypeError, ValueError) as error:
        if isinstance(error, ManifestError):
            raise
        raise ManifestError(f"{artefact.name}: details.calibration is not whole: {error}") from error


def _numbers(listed: Sequence[float]) -> NDArray[np.float64]:
    numbers = np.array(listed, np.float64)
    if numbers.shape != (len(EVIDENCE),) or not np.isfinite(numbers).all():
        raise ValueError(f"{len(EVIDENCE)} finite numbers are needed")
    return numbers


def _mean(found: NDArray[np.float32]) -> float:
    return float(found.mean()) if len(found) else 0.0
