"""Turn texts into vectors with a model.

Texts are sorted by length into batches with little padding. Several batches run at once, in a pool
of threads. The event loop and the clock are in `agents.inference_queue`.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer  # type: ignore[import-untyped]  # the wheel ships no types

from models.inference.manifest import Artefact, ManifestError, check_files
from models.inference.onnx_session import CUDA, OnnxSession
from models.inference.settings import InferenceSettings

Floats = NDArray[np.float32]
Tokens = NDArray[np.int64]

# Reading further than this for each token allowed changes no vector of a real text, and takes long.
CHARACTERS_PER_TOKEN = 64
CUDA_TOKENS = 16_384


@dataclass(frozen=True, slots=True)
class Limits:
    """Holds the limits of an encoder.

    `prefix` is put before each text, `max_tokens` are read of a text, and one run of the model
    takes at most `batch_tokens`.
    """

    prefix: str
    max_tokens: int
    batch_tokens: int


class Encoder:
    """Encodes texts with an open model and its tokenizer.

    A text's vector does not depend on the texts encoded with it.
    """

    def __init__(self, session: OnnxSession, tokenizer: Tokenizer, limits: Limits, parallel: int = 1) -> None:
        """Start `parallel` threads that run the model.

        Changes the tokenizer: it cuts at `max_tokens` and does not pad.
        """
        tokenizer.no_padding()
        tokenizer.enable_truncation(limits.max_tokens)
        self.session = session
        self._tokenizer = tokenizer
        self._limits = limits
        self._pool = ThreadPoolExecutor(parallel, thread_name_prefix="model")
        self._inputs = [each.name for each in session.inputs]
        self.dimension = int(session.outputs[0].shape[-1])

    def encode(self, texts: Sequence[str]) -> Floats:
        """Return the model's first output for each text, shape (n, dim)."""
        return self.infer(self.tokenise(texts))

    def tokenise(self, texts: Sequence[str]) -> list[Tokens]:
        """Return each text's tokens, at most `max_tokens`.

        Any string is allowed, also an empty or a huge one.
        """
        characters = self._limits.max_tokens * CHARACTERS_PER_TOKEN
        clean = [self._limits.prefix + _valid(text[:characters]) for text in texts]
        encodings = self._tokenizer.encode_batch_fast(clean)
        # A tokenizer without marks of its own gives no token for an empty text; a model needs one.
        return [np.array(each.ids or [0], np.int64) for each in encodings]

    def infer(self, tokens: Sequence[Tokens]) -> Floats:
        """Return the model's first output for tokens, in their order, shape (n, dim)."""
        vectors = np.empty((len(tokens), self.dimension), np.float32)
        batches = plan_batches([len(each) for each in tokens], self._limits.batch_tokens)
        runs = self._pool.map(lambda batch: self._run([tokens[row] for row in batch]), batches)
        for batch, found in zip(batches, runs, strict=True):
            vectors[batch] = found
        return vectors

    def close(self) -> None:
        """Wait for the runs in progress, and end the threads."""
        self._pool.shutdown()

    def _run(self, tokens: list[Tokens]) -> Floats:
        feeds = pad_batch(tokens)
        return self.session.run({name: feeds[name] for name in self._inputs})[0]


def pad_batch(tokens: Sequence[Tokens]) -> dict[str, NDArray[np.int64]]:
    """Return the inputs that a model may take for these tokens, each of shape (texts, longest)."""
    lengths = np.array([len(each) for each in tokens])
    mask = np.arange(lengths.max()) < lengths[:, None]
    ids = np.zeros(mask.shape, np.int64)
    ids[mask] = np.concatenate(tokens)
    return {"input_ids": ids, "attention_mask": mask.astype(np.int64), "token_type_ids": np.zeros_like(ids)}


def open_encoder(folder: Path, artefact: Artefact, settings: InferenceSettings | None = None) -> Encoder:
    """Open the artefact's encoder.

    Raises ManifestError if a file is not as the manifest lists it.
    """
    settings = settings or InferenceSettings()
    # Two runs of one thread each encode more texts on two cores than one run of two threads.
    session = open_session(folder, artefact, replace(settings, threads=1))
    tokenizer = open_tokenizer(folder / artefact.tokenizer_file)
    on_cuda = session.provider == CUDA
    batch_tokens = max(settings.batch_tokens, CUDA_TOKENS) if on_cuda else settings.batch_tokens
    limits = Limits(artefact.prefix, artefact.max_tokens, batch_tokens)
    return Encoder(session, tokenizer, limits, parallel=1 if on_cuda else settings.threads)


def open_session(folder: Path, artefact: Artefact, settings: InferenceSettings | None = None) -> OnnxSession:
    """Open the artefact's graph. Raises ManifestError if a file is not as the manifest lists it."""
    check_files(folder, artefact)
    try:
        session = OnnxSession(folder / artefact.model.file, settings)
    except Exception as error:  # onnxruntime has an error class for each of its status codes
        raise ManifestError(f"{artefact.name}: {artefact.model.file} cannot be opened: {error}") from error
    if session.inputs != artefact.inputs or session.outputs != artefact.outputs:
        raise ManifestError(f"{artefact.name}: inputs or outputs of {artefact.model.file} are not as listed")
    return session


def open_tokenizer(path: Path) -> Tokenizer:
    """Return a tokenizer from its JSON file. Raises ManifestError if it is not one."""
    try:
        return Tokenizer.from_file(str(path))
    except Exception as error:  # the library raises nothing more precise
        raise ManifestError(f"{path} is no tokenizer: {error}") from error


def plan_batches(lengths: Sequence[int], batch_tokens: int) -> list[NDArray[np.intp]]:
    """Return rows by length, longest first, in batches.

    A batch has one row, or at most `batch_tokens` tokens with padding.
    """
    order = np.argsort(np.asarray(lengths, np.int64), kind="stable")[::-1]
    batches: list[NDArray[np.intp]] = []
    start = 0
    while start < len(order):
        rows = max(1, batch_tokens // max(1, lengths[order[start]]))
        batches.append(order[start : start + rows])
        start += rows
    return batches


def _valid(text: str) -> str:
    # JSON can carry a lone half of a surrogate pair, which has no UTF-8 form.
    return text.encode("utf-8", "replace").decode("utf-8")
