"""In which partition a user's events belong, and which events of a batch lie elsewhere.

A worker owns the users of its partitions. Where events of one user lie in two of them, two workers
keep one profile.
"""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.contract.joined import JoinedTexts
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
    users = JoinedTexts.of(user_ids)
    return Places(_homes(placement, partition, users), users.equal(keys))


def _homes(placement: Placement, partition: int, users: JoinedTexts) -> NDArray[np.int32]:
    if placement.partitioner == TRUST:
        return np.full(len(users.ends), partition, np.int32)
    if placement.partitioner == CRC32:
        hashes = np.array([zlib.crc32(user) for user in users.each()], np.int64)
    else:
        hashes = _murmur2(users.data, users.ends)
    return (hashes % placement.partitions).astype(np.int32)


@kernel
def _murmur2(text: NDArray[np.uint8], ends: NDArray[np.int64]) -> NDArray[np.int64]:
    """Kafka's murmur2 of each of the joined texts, its sign bit off, as
    `org.apache.kafka.common.utils.Utils` computes it.
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
        start = ends[row] + 1
    return hashes
