"""The port through which workers know of each other."""

from typing import NamedTuple, Protocol


class Member(NamedTuple):
    """A worker that announced itself: its terms, and the time of its last announcement."""

    worker_id: str
    beat: int
    terms: bytes


class Announced(NamedTuple):
    """What an announcement finds: the workers that announced themselves before this one first did,
    and all others.
    """

    earlier: list[Member]
    later: list[Member]


class Members(Protocol):
    """Which workers live, and on which terms. One that is silent for long is no member any more."""

    async def announce(self, worker_id: str, terms: bytes) -> Announced:
        """Say that this worker lives, and return the others."""

    async def living(self) -> list[Member]:
        """Return all workers that live, the earliest first."""

    async def leave(self, worker_id: str) -> None:
        """Take this worker out."""
