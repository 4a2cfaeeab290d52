"""Canonical vectors: texts with what the original model gave for them, so that an artefact can be
checked anywhere.

A processor may round integers in its own way, or saturate; the check is made where the model will
run.
"""

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.inference.manifest import ManifestError
from models.inference.parity import Encode, cosines

COSINE = "cosine"
ABSOLUTE = "absolute"

# Written for this purpose: short, long, empty, odd, several scripts.
TEXTS = (
    "Red ceramic mug, 350 ml",
    "red ceramic mug 350ml",
    "Wireless over-ear headphones with noise cancelling, 30 h battery, black",
    "Women's waterproof hiking jacket - size M - forest green",
    "SET OF 6 SCENTED CANDLES IN A TIN, LAVENDER",
    "Dishwasher tablets, all in one, 60 pieces",
    "Boys' football boots, firm ground, EU 34",
    "27-inch 4K monitor (3840x2160), USB-C, height adjustable, with three years of warranty and a cable",
    "Gift card",
    "Paperback: a history of canals and water mills",
    "Écharpe en laine mérinos, bleu nuit",
    "儿童保温杯 不锈钢 500毫升",
    "Кружка керамическая, белая",
    "🎁🎉 Party box 🎈",
    "<b>Garden hose</b> 20&nbsp;m",
    "B07-XQ/99 #1134 *** !!!",
    "wool " * 150,
    "",
)


@dataclass(frozen=True, slots=True)
class Canonical:
    """Texts and the vectors (n, dim) wanted for them.

    With measure "cosine" each vector's cosine must be at least `bound`; with "absolute" no number
    may differ by more.
    """

    texts: tuple[str, ...]
    vectors: NDArray[np.float32]
    measure: str
    bound: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """The worst value found, of which measure, and whether it is within the bound."""

    measure: str
    worst: float
    bound: float
    passed: bool


def compare(canonical: Canonical, encode: Encode) -> Comparison:
    """Encode the canonical texts, all together, and compare. Raises ManifestError if the dimensions
    differ.
    """
    found = encode(canonical.texts)
    if found.shape != canonical.vectors.shape:
        raise ManifestError(f"the model gives vectors of shape {found.shape}, listed are {canonical.vectors.shape}")
    if canonical.measure == COSINE:
        worst = float(cosines(found, canonical.vectors).min())
        return Comparison(COSINE, worst, canonical.bound, worst >= canonical.bound)
    worst = float(np.abs(found - canonical.vectors).max())
    return Comparison(ABSOLUTE, worst, canonical.bound, worst <= canonical.bound)


def write_canonical(path: Path, canonical: Canonical) -> None:
    """Write the texts, and the vectors as base64 of little-endian float32."""
    document = {
        "measure": canonical.measure,
        "bound": canonical.bound,
        "dimension": canonical.vectors.shape[1],
        "texts": canonical.texts,
        "vectors": base64.b64encode(canonical.vectors.astype("<f4").tobytes()).decode(),
    }
    path.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def read_canonical(path: Path) -> Canonical:
    """The canonical vectors in a file. Raises ManifestError if it is not such a file."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        numbers = np.frombuffer(base64.b64decode(document["vectors"]), "<f4").astype(np.float32)
        texts: Sequence[str] = document["texts"]
        vectors = numbers.reshape(len(texts), document["dimension"])
        return Canonical(tuple(texts), vectors, document["measure"], float(document["bound"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ManifestError(f"{path} holds no canonical vectors: {error}") from error
