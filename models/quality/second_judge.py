"""A causal model as second judge of item texts: one forward pass an item, and one more for a brand or category that
is new to it."""

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
    """What a causal model makes of an item's lines."""

    def __init__(self, model: CausalModel, prefix: str) -> None:
        """`prefix` is what marks a new document for the model, such as `<|endoftext|>`."""
        self._model = model
        self._prefix = prefix
        # A catalogue has few brands and categories, so that most are known after a while.
        self._alone = lru_cache(MOST_LINES)(self._read_alone)

    def __call__(self, item: ItemText) -> Heard:
        """The likelihoods of the item's lines."""
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
    """An open second judge."""

    def __init__(self, artefact: Artefact, session: OnnxSession, hear: TextHearing) -> None:
        """Raises ManifestError if the artefact's calibration is not for the evidence that is found here."""
        self.artefact = artefact
        self.session = session
        self.hear = hear
        self._weights = weights_of(artefact)

    @property
    def name(self) -> str:
        """The model's key with a checksum of its calibration."""
        digest = hashlib.blake2b(repr(self.artefact.details["calibration"]).encode()).hexdigest()
        return f"{self.artefact.key}-{digest[:NAME_DIGITS]}"

    def judge(self, item: ItemText, first: TextVerdict) -> float:
        """The probability that the item's text is fine, given the quality model's verdict."""
        return float(probability(evidence(self.hear(item), first)[None], self._weights)[0])


def open_second_judge_model(folder: Path, settings: InferenceSettings | None = None) -> SecondJudgeModel:
    """The judge that the folder's manifest lists. Raises ManifestError if there is none, or of another make."""
    artefact = read_manifest(folder).find(TASK)
    session = open_session(folder, artefact, settings)
    return SecondJudgeModel(artefact, session, TextHearing(causal_model(folder, artefact, session), artefact.prefix))


def heard_titles(hear: TextHearing, titles: Sequence[str]) -> NDArray[np.float32]:
    """The mean log-likelihood a token of each title by itself, shape (n, 1): what models are compared by."""
    return np.array([[hear(ItemText(title)).title] for title in titles], np.float32)


def weights_of(artefact: Artefact) -> Weights:
    """The calibration in the artefact's details. Raises ManifestError if it is missing or for other evidence."""
    found: Mapping[str, Any] = artefact.details.get("calibration", {})
    try:
        if tuple(found["evidence"]) != EVIDENCE:
            raise ManifestError(f"{artefact.name} was calibrated for other evidence than is found here; export it anew")
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
