"""Item ids as JSON strings, made once for each id."""

from collections.abc import Sequence

import numpy as np
import orjson

from models.contract.list_writer import Texts
from models.vocabulary import Vocabulary

FIRST_BYTES = 4096
FIRST_NAMES = 1024
COMMA, QUOTE = b',"'


class JsonNames:
    """Follows a vocabulary: the JSON string of each of its names, in UTF-8."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary
        self._count = 0
        self._texts = Texts(np.zeros(FIRST_BYTES, np.uint8), np.zeros(FIRST_NAMES + 1, np.int64))

    @property
    def memory_bytes(self) -> int:
        """Bytes that the arrays take."""
        return self._texts.text.nbytes + self._texts.starts.nbytes

    def catch_up(self) -> Texts:
        """The strings of all names, by number."""
        new = self.vocabulary.names[self._count :]
        if new:
            added, end = _quoted(new), int(self._texts.starts[self._count])
            count = self._count + len(new)
            self._texts = _with_room(self._texts, end + len(added.text), count)
            self._texts.text[end : end + len(added.text)] = added.text
            self._texts.starts[self._count : count + 1] = end + added.starts
            self._count = count
        return self._texts


def texts_of(pieces: Sequence[bytes]) -> Texts:
    """Byte strings as columns."""
    starts = np.zeros(len(pieces) + 1, np.int64)
    np.cumsum(np.fromiter(map(len, pieces), np.int64, len(pieces)), out=starts[1:])
    return Texts(np.frombuffer(b"".join(pieces), np.uint8), starts)


def _quoted(names: Sequence[str]) -> Texts:
    """The JSON strings of names: encoded in one call, as one for each takes seconds for a
    million.
    """
    data = np.frombuffer(orjson.dumps(names), np.uint8)[1:-1]
    commas = 1 + np.flatnonzero((data[1:-1] == COMMA) & (data[:-2] == QUOTE) & (data[2:] == QUOTE))
    # Within a string each quotation mark has a backslash before it, so only the name `,` looks like
    # an end.
    if len(commas) != len(names) - 1:
        return texts_of([orjson.dumps(name) for name in names])
    text = np.delete(data, commas)
    return Texts(text, np.concatenate([[0], commas - np.arange(len(commas)), [len(text)]]).astype(np.int64))


def _with_room(texts: Texts, size: int, names: int) -> Texts:
    text, starts = texts
    if size > len(text):
        text = np.zeros(2 * size, np.uint8)
        text[: len(texts.text)] = texts.text
    if names >= len(starts):
        starts = np.zeros(2 * names + 1, np.int64)
        starts[: len(texts.starts)] = texts.starts
    return Texts(text, starts)
