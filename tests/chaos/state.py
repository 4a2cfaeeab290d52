"""The field `state` of a stored profile, read from its documented form alone.

    version · flags · counted_at · a count for each kind that has one
    · the open session, if there is one: three times
    · sources: number, then name and offset of each
    · bought items, newest first: number, then time and id of each

Times and counts are little-endian float64; numbers, offsets and lengths of texts are LEB128.
"""

import struct
from dataclasses import dataclass

KINDS = ("view", "click", "cart", "order")
HAS_SESSION = 1
VERSION = 2


@dataclass(frozen=True, slots=True)
class State:
    """What the state holds beside the open session."""

    at: float
    counts: dict[str, float]
    offsets: dict[str, int]
    bought: list[tuple[str, float]]


def read_state(data: bytes) -> State:
    reader = _Reader(data)
    version, flags = reader.byte(), reader.byte()
    assert version == VERSION, f"a state of version {version}"
    at = reader.number()
    counts = {kind: reader.number() if flags & (2 << bit) else 0.0 for bit, kind in enumerate(KINDS)}
    for _ in range(3 if flags & HAS_SESSION else 0):
        reader.number()
    offsets = {reader.text(): reader.whole() for _ in range(reader.whole())}
    bought = []
    for _ in range(reader.whole()):
        ts = reader.number()
        bought.append((reader.text(), ts))
    return State(at, counts, offsets, bought)


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def byte(self) -> int:
        self._at += 1
        return self._data[self._at - 1]

    def number(self) -> float:
        self._at += 8
        (value,) = struct.unpack("<d", self._data[self._at - 8 : self._at])
        return float(value)

    def whole(self) -> int:
        value = shift = 0
        while True:
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    def text(self) -> str:
        length = self.whole()
        self._at += length
        return self._data[self._at - length : self._at].decode()
