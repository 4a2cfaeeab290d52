"""What the models say of an item's text, and how it stands in the log: a vector, with the rest in the headers.

The log's record carries a hash of text and models, so that an unchanged item is recognised and costs no inference.
"""

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.contract.events import Item
from models.quality.text import QualitySettings, weight_of

Headers = Sequence[tuple[str, bytes]]

# Little-endian, whatever machine writes and reads.
STORED = np.dtype("<f2")
HASH_BYTES = 8


@dataclass(frozen=True, slots=True)
class Models:
    """Which models assess: the artefacts' keys, empty for one that is not installed; `dimension` of the vectors.

    `second` is the judge of what the quality model is unsure of; empty where there is none.
    """

    embedding: str = ""
    quality: str = ""
    dimension: int = 0
    second: str = ""

    @property
    def vector_bytes(self) -> int:
        """The length of a stored vector."""
        return self.dimension * STORED.itemsize

    @property
    def judges(self) -> str:
        """The `judged_by` of an assessment that both have a share in."""
        return f"{self.quality}+{self.second}"

    def made(self, said: "Assessment") -> bool:
        """Whether an assessment is by the models in use, with or without the second judge."""
        return said.embedding == self.embedding and (said.judged_by == self.quality or self.judged_twice(said))

    def judged_twice(self, said: "Assessment") -> bool:
        """Whether the second judge in use was heard already."""
        return self.second != "" and said.judged_by == self.judges

    def text_hash(self, item: Item) -> str:
        """16 hexadecimal digits that differ when the models, or what they read of the item, differ."""
        parts = (self.embedding, self.quality, item.title, item.category, item.brand)
        content = "\0".join(parts).encode("utf-8", "surrogatepass")
        return hashlib.blake2b(content, digest_size=HASH_BYTES).hexdigest()


@dataclass(frozen=True, slots=True)
class Assessment:
    """The vector as little-endian float16, and the verdict on the text.

    `vector` is empty without an embedding model. `quality` is a score in [0, 1], None without a quality model;
    `reasons` names the defects found.
    """

    text_hash: str
    embedding: str = ""
    vector: bytes = b""
    judged_by: str = ""
    quality: float | None = None
    reasons: tuple[str, ...] = ()

    def weight(self, settings: QualitySettings) -> float:
        """The factor of the item's score: 0 keeps it out of lists, 1 where nobody judged."""
        return 1.0 if self.quality is None else weight_of(self.quality, settings)


def embedding_text(item: Item) -> str:
    """The text that stands for the item in the embedding space."""
    return item.title


def pack_vector(vector: NDArray[np.float32]) -> bytes:
    """A vector of shape (dim,) as it is stored."""
    return vector.astype(STORED).tobytes()


def unpack_vectors(stored: Sequence[bytes]) -> NDArray[np.float32]:
    """Stored vectors of one length as an array of shape (n, dim)."""
    return np.frombuffer(b"".join(stored), STORED).reshape(len(stored), -1).astype(np.float32)


def encode_headers(assessment: Assessment) -> list[tuple[str, bytes]]:
    """Everything but the vector, for the headers of a record."""
    said = {
        "text": assessment.text_hash,
        "model": assessment.embedding,
        "judge": assessment.judged_by,
        "quality": "" if assessment.quality is None else repr(assessment.quality),
        "reasons": ",".join(assessment.reasons),
    }
    return [(name, value.encode()) for name, value in said.items()]


def decode_assessment(vector: bytes, headers: Mapping[str, bytes]) -> Assessment:
    """What a record says. Raises ValueError or KeyError for one that Headrace did not write."""
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
    )


def _quality(text: str) -> float | None:
    if not text:
        return None
    quality = float(text)
    if not (math.isfinite(quality) and 0 <= quality <= 1):
        raise ValueError(f"a quality of {quality}")
    return quality
