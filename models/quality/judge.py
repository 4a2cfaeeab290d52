"""Run the quality model: items in, verdicts out.

An item's verdict does not depend on the others judged with it, so batches may have any size.
"""

from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer  # type: ignore[import-untyped]  # the wheel ships no types

from models.inference.encoder import Tokens, open_session, open_tokenizer, pad_batch, plan_batches
from models.inference.manifest import Artefact, ManifestError, read_manifest
from models.inference.onnx_session import CUDA, OnnxSession
from models.inference.settings import InferenceSettings
from models.quality.calibration import Line
from models.quality.defect import DEFECTS, Defect, ItemText
from models.quality.features import FEATURE_NAMES, lexical_features
from models.quality.reading import combined, reading_of
from models.quality.text import Calibration, TextVerdict, encoder_input, probabilities, verdicts_of

TASK = "quality"
BATCH_TOKENS = 192
# An empty title has no text defect and nothing good either; a missing title is another rule's
# matter.
NOTHING_TO_JUDGE = TextVerdict(dict.fromkeys(DEFECTS, 0.0), 0.5)


class QualityModel:
    """Judges item texts with an open quality model."""

    def __init__(
        self,
        session: OnnxSession,
        tokenizer: Tokenizer,
        calibration: Calibration,
        parallel: int = 1,
        *,
        counted: Collection[Defect] = DEFECTS,
    ) -> None:
        """Start `parallel` threads that run the model.

        The tokenizer must cut and not pad (see `cutting_tokenizer`). Only `counted` defects lower
        the score.
        """
        self.session = session
        self._tokenizer = tokenizer
        self.calibration = calibration
        self._counted = counted
        self._pool = ThreadPoolExecutor(parallel, thread_name_prefix="quality")

    def judge(self, items: Sequence[ItemText]) -> list[TextVerdict]:
        """Return one verdict for each item, in their order, by the model and by the rules.

        An item without a title scores 0.5 and has no defect.
        """
        reading = reading_of(items)
        probability = combined(items, reading, probabilities(self.logits(reading.texts), self.calibration))
        found = verdicts_of(probability, self._counted)
        return [verdict if item.title.strip() else NOTHING_TO_JUDGE for item, verdict in zip(items, found, strict=True)]

    def logits(self, items: Sequence[ItemText]) -> NDArray[np.float32]:
        """Return the graph's numbers before calibration, shape (n, defects).

        Batches hold items of similar length.
        """
        encoded = self._tokenizer.encode_batch_fast([encoder_input(item) for item in items])
        tokens = [np.array(each.ids, np.int64) for each in encoded]
        out = np.zeros((len(items), len(DEFECTS)), np.float32)
        batches = plan_batches([len(each) for each in tokens], BATCH_TOKENS)
        runs = self._pool.map(lambda rows: self._run([tokens[i] for i in rows], [items[i] for i in rows]), batches)
        for rows, found in zip(batches, runs, strict=True):
            out[rows] = found
        return out

    def _run(self, tokens: list[Tokens], items: list[ItemText]) -> NDArray[np.float32]:
        feeds = pad_batch(tokens)
        ids, mask = feeds["input_ids"], feeds["attention_mask"]
        return self.session.run({"input_ids": ids, "attention_mask": mask, "features": lexical_features(items)})[0]


def open_quality_model(
    folder: Path, settings: InferenceSettings | None = None, counted: Collection[Defect] = DEFECTS
) -> QualityModel:
    """Open the quality model that the folder's manifest lists.

    Raises ManifestError if there is none, if it was made for other features, or if a file is not as
    listed.
    """
    settings = settings or InferenceSettings()
    artefact = read_manifest(folder).find(TASK)
    if tuple(artefact.details.get("features", ())) != FEATURE_NAMES:
        raise ManifestError(f"{artefact.name} was made for other features than this Headrace counts; train it again")
    # As in `models.inference.encoder`: two runs of one thread each do more on two cores than one of
    # two threads.
    session = open_session(folder, artefact, replace(settings, threads=1))
    tokenizer = cutting_tokenizer(folder / artefact.tokenizer_file, artefact.max_tokens)
    parallel = 1 if session.provider == CUDA else settings.threads
    return QualityModel(session, tokenizer, calibration_of(artefact), parallel, counted=counted)


def cutting_tokenizer(path: Path, max_tokens: int) -> Tokenizer:
    """Open a tokenizer that cuts at `max_tokens` and does not pad.

    Raises ManifestError if the file is not a tokenizer.
    """
    tokenizer = open_tokenizer(path)
    tokenizer.no_padding()
    tokenizer.enable_truncation(max_tokens)
    return tokenizer


def calibration_of(artefact: Artefact) -> Calibration:
    """Return the calibration in the artefact's details.

    Raises ManifestError if a defect's line is missing.
    """
    lines = artefact.details.get("calibration", {})
    try:
        return Calibration(tuple(_line(lines[defect.value]) for defect in Defect))
    except (KeyError, TypeError, ValueError) as error:
        raise ManifestError(f"{artefact.name}: details.calibration lacks a slope and an offset for {error}") from error


def _line(pair: Sequence[float]) -> Line:
    slope, offset = pair
    return Line(float(slope), float(offset))
