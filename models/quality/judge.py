"""The quality model at work: items in, verdicts out.

An item's verdict does not depend on the others judged with it, so batches may be cut as it suits the machine.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer  # type: ignore[import-untyped]  # the wheel ships no types

from models.inference_settings import InferenceSettings
from models.manifest import Artefact, ManifestError, read_manifest
from models.quality.calibration import Line
from models.quality.defect import DEFECTS, Defect, ItemText
from models.quality.features import FEATURE_NAMES, lexical_features
from models.quality.text import Calibration, TextVerdict, encoder_input, verdicts
from models.session import Session

TASK = "quality"
BATCH = 32
# A title that is empty says nothing: no defect of text, and no good either. Completeness is another rule's matter.
NOTHING_TO_JUDGE = TextVerdict(dict.fromkeys(DEFECTS, 0.0), 0.5)


class QualityModel:
    """An open quality model."""

    def __init__(self, session: Session, tokenizer: Tokenizer, calibration: Calibration) -> None:
        """The tokenizer must already pad and truncate (see `padded_tokenizer`)."""
        self.session = session
        self._tokenizer = tokenizer
        self.calibration = calibration

    def judge(self, items: Sequence[ItemText]) -> list[TextVerdict]:
        """One verdict for each item, in their order; an item without a title scores 0.5 and has no defect."""
        found = verdicts(self.logits(items), self.calibration)
        return [verdict if item.title.strip() else NOTHING_TO_JUDGE for item, verdict in zip(items, found, strict=True)]

    def logits(self, items: Sequence[ItemText]) -> NDArray[np.float32]:
        """The graph's numbers before calibration, shape (n, defects); batches hold items of like length."""
        lines = [encoder_input(item) for item in items]
        features = lexical_features(items)
        out = np.zeros((len(items), len(DEFECTS)), np.float32)
        order = sorted(range(len(items)), key=lambda i: len(lines[i]))
        for start in range(0, len(order), BATCH):
            rows = order[start : start + BATCH]
            out[rows] = self._run([lines[i] for i in rows], features[rows])
        return out

    def _run(self, lines: list[str], features: NDArray[np.float32]) -> NDArray[np.float32]:
        encoded = self._tokenizer.encode_batch(lines)
        feeds: dict[str, NDArray[Any]] = {
            "input_ids": np.array([each.ids for each in encoded], np.int64),
            "attention_mask": np.array([each.attention_mask for each in encoded], np.int64),
            "features": features,
        }
        return self.session.run(feeds)[0]


def open_quality_model(folder: Path, settings: InferenceSettings | None = None) -> QualityModel:
    """The quality model that the folder's manifest lists. Raises ManifestError if there is none, or of another make."""
    artefact = read_manifest(folder).find(TASK)
    if tuple(artefact.details.get("features", ())) != FEATURE_NAMES:
        raise ManifestError(f"{artefact.name} was made for other features than this Headrace counts; train it anew")
    tokenizer = padded_tokenizer(folder / artefact.tokenizer.file, artefact.max_tokens)
    return QualityModel(Session(folder / artefact.model.file, settings), tokenizer, calibration_of(artefact))


def padded_tokenizer(path: Path, max_tokens: int) -> Tokenizer:
    """The tokenizer, padding to the longest of a batch and cutting at `max_tokens`."""
    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.enable_padding()
    tokenizer.enable_truncation(max_tokens)
    return tokenizer


def calibration_of(artefact: Artefact) -> Calibration:
    """The calibration in the artefact's details. Raises ManifestError if a defect's line is missing."""
    lines = artefact.details.get("calibration", {})
    try:
        return Calibration(tuple(_line(lines[defect.value]) for defect in Defect), _line(lines["score"]))
    except (KeyError, TypeError, ValueError) as error:
        raise ManifestError(f"{artefact.name}: details.calibration lacks a slope and an offset for {error}") from error


def _line(pair: Sequence[float]) -> Line:
    slope, offset = pair
    return Line(float(slope), float(offset))
