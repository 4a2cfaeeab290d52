"""Run a causal language model, which gives the likelihood of each token after those before it.

Each text takes one forward pass, without sampling. The graph takes tokens and gives one number for
each, so it returns nothing of the size of the vocabulary.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.inference.encoder import open_tokenizer
from models.inference.manifest import Artefact, ManifestError, check_files
from models.inference.onnx_session import OnnxSession
from models.inference.settings import InferenceSettings

TASK = "judge"
OUTPUT = "log_likelihoods"

Run = Callable[[NDArray[np.int64]], NDArray[np.float32]]
"""Takes token ids of one text, shape (1, tokens).

Returns the log-likelihood of each token but the first, shape (1, tokens - 1).
"""


class CausalModel:
    """Runs an open causal model on one text at a time, so that no text depends on another."""

    def __init__(self, run: Run, tokenizer: Any, max_tokens: int) -> None:
        """Change the tokenizer (of the library `tokenizers`) so that it neither pads nor cuts."""
        tokenizer.no_padding()
        tokenizer.no_truncation()
        self._run = run
        self._tokenizer = tokenizer
        self._max_tokens = max_tokens

    def log_likelihoods(self, parts: Sequence[str]) -> list[NDArray[np.float32]]:
        """Return the natural logarithm of the probability of each token, by the parts of one text.

        Each array has the shape (tokens,) of its part. The first token has none, because nothing
        comes before it. Tokens beyond `max_tokens` count 0.
        """
        tokens = [self.tokens(part) or [0] for part in parts]
        ids = np.array([[each for part in tokens for each in part][: self._max_tokens]], np.int64)
        whole = np.zeros(sum(map(len, tokens)), np.float32)
        whole[1 : ids.shape[1]] = self._run(ids)[0]
        first, *others = np.split(whole, list(accumulate(map(len, tokens)))[:-1])
        return [first[1:], *others]

    def tokens(self, text: str) -> list[int]:
        """Return the text's tokens, without any that the tokenizer would add of its own."""
        # JSON can carry a lone half of a surrogate pair, which has no UTF-8 form.
        clean = text.encode("utf-8", "replace").decode("utf-8")
        ids: list[int] = self._tokenizer.encode(clean, add_special_tokens=False).ids
        return ids


def run_of(session: OnnxSession) -> Run:
    """Return the open model as a function of tokens alone."""
    names = [each.name for each in session.inputs]

    def run(ids: NDArray[np.int64]) -> NDArray[np.float32]:
        positions = np.arange(ids.shape[1], dtype=np.int64)[None]
        feeds = {"input_ids": ids, "attention_mask": np.ones_like(ids), "position_ids": positions}
        return session.run({name: feeds[name] for name in names})[0]

    return run


def open_session(folder: Path, artefact: Artefact, settings: InferenceSettings | None = None) -> OnnxSession:
    """Open the artefact's graph on one thread.

    Raises ManifestError if a file is not as the manifest lists it.
    """
    check_files(folder, artefact)
    try:
        session = OnnxSession(folder / artefact.model.file, replace(settings or InferenceSettings(), threads=1))
    except Exception as error:  # onnxruntime has an error class for each of its status codes
        raise ManifestError(f"{artefact.name}: {artefact.model.file} cannot be opened: {error}") from error
    if session.inputs != artefact.inputs or session.outputs != artefact.outputs:
        raise ManifestError(f"{artefact.name}: inputs or outputs of {artefact.model.file} are not as listed")
    return session


def causal_model(folder: Path, artefact: Artefact, session: OnnxSession) -> CausalModel:
    """Return the open graph with its tokenizer. Raises ManifestError if that is not a tokenizer."""
    return CausalModel(run_of(session), open_tokenizer(folder / artefact.tokenizer_file), artefact.max_tokens)
