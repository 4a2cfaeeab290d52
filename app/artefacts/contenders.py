"""Builds the ways to turn texts into vectors that are compared, each as an expert would use it."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.inference.encoder import Encoder, Limits, open_tokenizer, pad_batch
from models.inference.manifest import Artefact
from models.inference.onnx_session import OnnxSession
from models.inference.settings import InferenceSettings

Floats = NDArray[np.float32]
Contender = Callable[[Sequence[str]], Floats]

USUAL_BATCH = 32


def plain_onnx(model: Path, folder: Path, artefact: Artefact, settings: InferenceSettings) -> Contender:
    """Return an exported model as it is usually run.

    It gets padded batches of 32 in the given order, and one run uses all threads.
    """
    session = OnnxSession(model, settings)
    limits = Limits(artefact.prefix, artefact.max_tokens, settings.batch_tokens)
    encoder = Encoder(session, open_tokenizer(folder / artefact.tokenizer_file), limits)
    names = [each.name for each in session.inputs]

    def encode(texts: Sequence[str]) -> Floats:
        vectors = []
        for start in range(0, len(texts), USUAL_BATCH):
            feeds = pad_batch(encoder.tokenise(texts[start : start + USUAL_BATCH]))
            vectors.append(session.run({name: feeds[name] for name in names})[0])
        return np.concatenate(vectors)

    return encode


def sorted_onnx(model: Path, folder: Path, artefact: Artefact, settings: InferenceSettings) -> Encoder:
    """Return another model file, run like the shipped one: sorted by length, a run a thread."""
    session = OnnxSession(model, replace(settings, threads=1))
    limits = Limits(artefact.prefix, artefact.max_tokens, settings.batch_tokens)
    return Encoder(session, open_tokenizer(folder / artefact.tokenizer_file), limits, parallel=settings.threads)


def torch_available() -> bool:
    """Return whether sentence-transformers can be imported here."""
    return find_spec("sentence_transformers") is not None


def sentence_transformers(source: Path, artefact: Artefact, settings: InferenceSettings) -> Contender:
    """Return PyTorch with the usual library, batch size 32.

    The library sorts many texts by length.
    """
    import_module("torch").set_num_threads(settings.threads)
    device = "cuda" if settings.provider == "cuda" else "cpu"
    model: Any = import_module("sentence_transformers").SentenceTransformer(str(source), device=device)
    model.max_seq_length = artefact.max_tokens

    def encode(texts: Sequence[str]) -> Floats:
        prefixed = [artefact.prefix + text for text in texts]
        vectors: Floats = model.encode(
            prefixed, batch_size=USUAL_BATCH, normalize_embeddings=True, show_progress_bar=False
        )
        return vectors

    return encode


def in_order(encode: Contender) -> Contender:
    """Return the same contender, given batches of 32 in the order of the texts, as in a stream."""

    def encode_in_order(texts: Sequence[str]) -> Floats:
        starts = range(0, len(texts), USUAL_BATCH)
        return np.concatenate([encode(texts[start : start + USUAL_BATCH]) for start in starts])

    return encode_in_order
