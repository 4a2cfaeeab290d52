"""Many texts as one array of bytes, for compiled code: joining avoids a Python call for each."""

from collections.abc import Sequence
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

SEPARATOR = "\0"  # rare in ids
_SEPARATOR = SEPARATOR.encode()


class JoinedTexts(NamedTuple):
    """Texts as UTF-8, with one byte behind each: text i is joined[ends[i - 1] + 1:ends[i]], the
    first one joined[:ends[0]].

    `plain` says that no text holds the byte that stands behind each.
    """

    joined: bytes
    ends: NDArray[np.int64]
    plain: bool

    @classmethod
    def of(cls, texts: Sequence[str]) -> Self:
        """Join texts."""
        joined = SEPARATOR.join([*texts, ""]).encode()
        ends = np.flatnonzero(np.frombuffer(joined, np.uint8) == _SEPARATOR[0])
        if len(ends) == len(texts):
            return cls(joined, ends, plain=True)
        return cls(joined, np.cumsum([len(text.encode()) + 1 for text in texts]) - 1, plain=False)

    @property
    def data(self) -> NDArray[np.uint8]:
        """The bytes as an array."""
        return np.frombuffer(self.joined, np.uint8)

    def each(self) -> list[bytes]:
        """The texts one by one."""
        ends = self.ends.tolist()
        return [self.joined[start:end] for start, end in zip([0, *(end + 1 for end in ends)], ends, strict=False)]

    def equal(self, others: Sequence[bytes | None]) -> NDArray[np.bool_]:
        """Which of the others, shape (n,), are the texts. None is the empty one."""
        given = [other or b"" for other in others]
        if self.plain and _SEPARATOR.join([*given, b""]) == self.joined:
            return np.ones(len(given), np.bool_)
        return np.fromiter(
            (other == text for other, text in zip(given, self.each(), strict=True)), np.bool_, len(given)
        )
