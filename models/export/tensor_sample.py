"""Sample the values of tensors inside a graph for typical texts, to choose fixed scales."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from models.export.graph import onnx, up_to
from models.export.quantisation import Floats
from models.inference.encoder import Tokens, pad_batch, plan_batches
from models.inference.onnx_session import OnnxSession
from models.inference.settings import InferenceSettings

MOST_ROWS = 30_000
BATCH_TOKENS = 1_024
SEED = 7


class TensorSample:
    """Runs a graph on tokenised texts and returns one tensor inside it.

    It has one row per token that is not padding.
    """

    def __init__(self, model: Path, tokens: Sequence[Tokens], threads: int) -> None:
        self._model: Any = onnx.load(model)
        self._settings = InferenceSettings(provider="cpu", threads=threads)
        batches = plan_batches([len(each) for each in tokens], BATCH_TOKENS)
        self._feeds = [pad_batch([tokens[row] for row in batch]) for batch in batches]

    def __call__(self, name: str) -> Floats:
        """Return the tensor's values in random order, shape (tokens, channels).

        There are at most MOST_ROWS rows.
        """
        session = OnnxSession(up_to(self._model, name).SerializeToString(), self._settings)
        names = [each.name for each in session.inputs]
        rows = []
        for feeds in self._feeds:
            found = session.run({each: feeds[each] for each in names})[0]
            rows.append(found[feeds["attention_mask"] > 0])
        values = np.concatenate(rows)
        np.random.default_rng(SEED).shuffle(values)
        return values[:MOST_ROWS]
