"""Define what the models found in an item's text, and its form in the log.

A record's value is the vector; its headers have the rest. One header is a hash of text and models,
so that an unchanged item is recognised and needs no inference.
"""

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from models.contract.events import Item
from models.contract.formats import VECTORS, check_header, header
from models.quality.text import QualitySettings, weight_of

Headers = Sequence[tuple[str, bytes]]

# Little-endian, whatever machine writes and reads.
STORED = np.dtype("<f2")
HASH_BYTES = 8


@dataclass(frozen=True, slots=True)
class Models:
    """Names the models that assess, by the keys of their artefacts.

    A name is empty for a model that is not installed. `dimension` is that of the vectors. `second`
    is the judge of texts of which the quality model is unsure.
    """

    embedding: str = ""
    quality: str = ""
    dimension: int = 0
    second: str = ""

    @property
    def vector_bytes(self) -> int:
        """Return the length of a stored vector in bytes."""
        return self.dimension * STORED.itemsize

    @property
    def judges(self) -> str:
        """Return the `judged_by` of an assessment that both judges made."""
        return f"{self.quality}+{self.second}"

    def made(self, assessment: "Assessment") -> bool:
        """Return whether the models in use made it, with or without the second judge."""
        if assessment.embedding != self.embedding:
            return False
        return assessment.judged_by == self.quality or self.judged_twice(assessment)

    def judged_twice(self, assessment: "Assessment") -> bool:
        """Return whether the second judge in use judged already."""
        return self.second != "" and assessment.judged_by == self.judges

    def untitled(self, item: Item) -> "Assessment":
        """Return the assessment of an item without a title, of which no model is asked."""
        return Assessment(self.text_hash(item), self.embedding, b"", self.quality)

    def text_hash(self, item: Item) -> str:
        """Return a hash of the models and of what they read of the item: 16 hexadecimal digits."""
        parts = (self.embedding, self.quality, item.title, item.category, item.brand)
        content = "\0".join(parts).encode("utf-8", "surrogatepass")
        return hashlib.blake2b(content, digest_size=HASH_BYTES).hexdigest()


@dataclass(frozen=True, slots=True)
class Assessment:
    """Holds the vector as little-endian float16, and the verdict on the text.

    `vector` is empty without an embedding model or title. `quality` is a score in [0, 1], None
    without a quality model or title; `reasons` names the defects found. `judged_by` names the
    models that judged. `title` is the text itself, in the log only: compaction may remove the
    record that it is from.
    """

    text_hash: str
    embedding: str = ""
    vector: bytes = b""
    judged_by: str = ""
    quality: float | None = None
    reasons: tuple[str, ...] = ()
    title: str = field(default="", compare=False)

    def weight(self, settings: QualitySettings) -> float:
        """Return the factor of the item's score: 0 hides the item; 1 without a quality model."""
        return 1.0 if self.quality is None else weight_of(self.quality, settings)


def embedding_text(item: Item) -> str:
    """Return the text whose vector represents the item."""
    return item.title


def pack_vector(vector: NDArray[np.float32]) -> bytes:
    """Return a vector of shape (dim,) in its stored form."""
    return vector.astype(STORED).tobytes()


def unpack_vectors(stored: Sequence[bytes]) -> NDArray[np.float32]:
    """Return stored vectors of one length as an array of shape (n, dim)."""
    return np.frombuffer(b"".join(stored), STORED).reshape(len(stored), -1).astype(np.float32)


def encode_headers(assessment: Assessment) -> list[tuple[str, bytes]]:
    """Return everything but the vector, for the headers of a record."""
    headers = {
        "text": assessment.text_hash,
        "model": assessment.embedding,
        "judge": assessment.judged_by,
        "quality": "" if assessment.quality is None else repr(assessment.quality),
        "reasons": ",".join(assessment.reasons),
        "title": assessment.title,
    }
    return [*((name, value.encode("utf-8", "replace")) for name, value in headers.items()), header(VECTORS)]


def decode_assessment(vector: bytes, headers: Mapping[str, bytes]) -> Assessment:
    """Return the assessment of a record.

    Raises ValueError or KeyError for a record that Headrace did not write, NewerFormat for one of a
    newer version.
    """
    check_header(VECTORS, headers)
    text_hash = headers["text"].decode()
    if len(bytes.fromhex(text_hash)) != HASH_BYTES:
        raise ValueError("a hash of another length")
    return Assessment(
        text_hash=text_hash,
        embedding=headers["model"].decode(),
        vector=vector,
        judged_by=headers["judge"].decode(),
        quality=_quality(headers["quality"].decode()),
        reasons=tuple(filter(None, headers["reasons"].decode().split(","))),
        title=headers.get("title", b"").decode(),
    )


def _quality(text: str) -> float | None:
    if not text:
        return None
    quality = float(text)
    if not (math.isfinite(quality) and 0 <= quality <= 1):
        raise ValueError(f"a quality of {quality}")
    return quality
