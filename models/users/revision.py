"""The revision of a stored profile, by which a write names what it supersedes.

The store takes a write only if the stored revision is the one that the write is based on. A write
that arrives late, or that another worker overtook, is refused then, and changes nothing.

A revision is a number of 64 bits, stored as 8 bytes, big-endian. The upper half counts the writes
that led to it; the lower half is a mark that tells this write from any other with the same count.
NO_REVISION means that nothing is stored, or that a version without revisions stored it.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

REVISION = "revision"  # the field of a profile's hash
NO_REVISION = 0
OCTETS = 8
_MARK_BITS = 32
_MARK_MASK = (1 << _MARK_BITS) - 1


class Fence(NamedTuple):
    """Which revisions a write supersedes and which it makes, one entry a user; empty for no
    revision.
    """

    supersedes: list[bytes]
    revisions: list[bytes]

    def only(self, rows: Sequence[int]) -> "Fence":
        """The entries of these rows."""
        return Fence([self.supersedes[row] for row in rows], [self.revisions[row] for row in rows])


def next_revisions(revisions: NDArray[np.uint64], mark: int) -> NDArray[np.uint64]:
    """The revisions that a write with this mark makes of those, shape (n,)."""
    count = (revisions >> np.uint64(_MARK_BITS)) + np.uint64(1)
    return (count << np.uint64(_MARK_BITS)) | np.uint64(mark & _MARK_MASK)


def is_behind(stored: int, known: int) -> bool:
    """Whether the stored revision counts fewer writes than the known one: the store lost some."""
    return stored >> _MARK_BITS < known >> _MARK_BITS


def pack_revisions(revisions: NDArray[np.uint64]) -> list[bytes]:
    """The revisions as they are stored."""
    data = revisions.astype(">u8").tobytes()
    packed = [data[at : at + OCTETS] for at in range(0, len(data), OCTETS)]
    for row in np.flatnonzero(revisions == NO_REVISION).tolist():
        packed[row] = b""
    return packed


def unpack_revisions(stored: Sequence[bytes | None]) -> NDArray[np.uint64]:
    """The revisions from what is stored, shape (n,). Raises ValueError for what is none."""
    whole = [each or bytes(OCTETS) for each in stored]
    if any(len(each) != OCTETS for each in whole):
        raise ValueError(f"a revision does not have {OCTETS} bytes")
    return np.frombuffer(b"".join(whole), ">u8").astype(np.uint64)
