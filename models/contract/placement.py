"""In which partition a user's events belong, and which events of a batch lie elsewhere.

A worker owns the users of its partitions. Where events of one user lie in two of them, two workers
keep one profile.
"""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.contract.partitioner import CRC32, MOVE, TRUST
from models.kernel import kernel


@dataclass(frozen=True, slots=True)
class Placement:
    """How producers place users: `partitioner` is one of PARTITIONERS, `misplaced` what becomes of
    other events.

    `partitions` is the number of places that users have: the partitions of Headrace's own topics.
    """

    partitioner: str = TRUST
    partitions: int = 1
    misplaced: str = MOVE


ANYWHERE = Placement()


@dataclass(frozen=True, slots=True)
class Places:
    """Of each event of a batch, columns of shape (n,): its user's partition, and whether its key is
    its user id.
    """

    homes: NDArray[np.int32]
    keyed: NDArray[np.bool_]


def places(placement: Placement, partition: int, keys: Sequence[bytes | None], user_ids: Sequence[str]) -> Places:
    """Where events that lie in `partition` belong; with the partitioner `trust`, where they are."""
    users = _Texts.of(user_ids)
    return Places(_homes(placement, partition, users), users.equal(keys))


class _Texts(NamedTuple):
    """Texts as UTF-8, joined, and their lengths. Joining avoids a Python call for each text."""

    joined: bytes
    lengths: NDArray[np.int64]

    @classmethod
    def of(cls, texts: Sequence[str]) -> "_Texts":
        lengths = np.fromiter(map(len, texts), np.int64, len(texts))
        joined = "".join(texts).encode()
        if len(joined) != lengths.sum():  # not only ASCII
            lengths = np.fromiter((len(text.encode()) for text in texts), np.int64, len(texts))
        return cls(joined, lengths)

    def each(self) -> list[bytes]:
        ends = np.cumsum(self.lengths).tolist()
        return [self.joined[start:end] for start, end in zip([0, *ends], ends, strict=False)]

    def equal(self, keys: Sequence[bytes | None]) -> NDArray[np.bool_]:
        """Which of the keys are the texts."""
        given = [key or b"" for key in keys]
        if b"".join(given) == self.joined and (np.fromiter(map(len, given), np.int64) == self.lengths).all():
            return np.ones(len(given), np.bool_)
        return np.fromiter((key == text for key, text in zip(keys, self.each(), strict=True)), np.bool_, len(given))


def _homes(placement: Placement, partition: int, users: _Texts) -> NDArray[np.int32]:
    if placement.partitioner == TRUST:
        return np.full(len(users.lengths), partition, np.int32)
    if placement.partitioner == CRC32:
        hashes = np.array([zlib.crc32(user) for user in users.each()], np.int64)
    else:
        hashes = _murmur2(np.frombuffer(users.joined, np.uint8), np.cumsum(users.lengths))
    return (hashes % placement.partitions).astype(np.int32)


@kernel
def _murmur2(text: NDArray[np.uint8], ends: NDArray[np.int64]) -> NDArray[np.int64]:
    """Kafka's murmur2 of each text, its sign bit off, as `org.apache.kafka.common.utils.Utils`
    computes it.
    """
    hashes = np.empty(len(ends), np.int64)
    mixer, mask = np.uint64(0x5BD1E995), np.uint64(0xFFFFFFFF)
    start = 0
    for row in range(len(ends)):
        length = ends[row] - start
        value = np.uint64(0x9747B28C) ^ np.uint64(length)
        at = start
        while ends[row] - at >= 4:
            word = np.uint64(text[at]) | np.uint64(text[at + 1]) << np.uint64(8)
            word |= np.uint64(text[at + 2]) << np.uint64(16) | np.uint64(text[at + 3]) << np.uint64(24)
            word = word * mixer & mask
            word ^= word >> np.uint64(24)
            word = word * mixer & mask
            value = value * mixer & mask ^ word
            at += 4
        if at < ends[row]:
            for byte in range(ends[row] - at - 1, -1, -1):
                value ^= np.uint64(text[at + byte]) << np.uint64(8 * byte)
            value = value * mixer & mask
        value ^= value >> np.uint64(13)
        value = value * mixer & mask
        value ^= value >> np.uint64(15)
        hashes[row] = np.int64(value & np.uint64(0x7FFFFFFF))
        start = ends[row]
    return hashes
