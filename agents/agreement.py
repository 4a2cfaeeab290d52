"""Keeps a worker out of a group whose other workers work with other settings, models or formats.

Each worker announces its terms every few seconds. The one that came later compares them with those
of the workers that were there before it, and ends if they differ. A worker that was silent for long
counts as gone, and comes back as a newcomer.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field

from agents.members import Member, Members
from models.contract.agreement import Terms

BEAT_SECONDS = 2.0
LEAVE_SECONDS = 1.0

logger = logging.getLogger(__name__)


class Disagreement(Exception):
    """Another worker of the group works on other terms. The message names the differences."""


@dataclass(slots=True)
class Agreement:
    """Announces this worker's terms, and compares them with those of earlier workers.

    Where `tolerant`, differing settings lead to a warning, but for those named in `strict`. `away`
    are the errors of a store that is away: what is not announced then is announced later.
    `keep_formats` checks and notes the versions of what is stored, each time when nobody differs.
    """

    worker_id: str
    terms: Terms
    members: Members
    strict: Collection[str] = ()
    tolerant: bool = False
    away: tuple[type[Exception], ...] = ()
    keep_formats: Callable[[], Awaitable[None]] | None = None
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    _beats: dict[str, int] = field(default_factory=dict)
    _warned: set[str] = field(default_factory=set)
    _agreed: asyncio.Event = field(default_factory=asyncio.Event)

    async def agreed(self) -> None:
        """Return once no earlier worker that lives has other terms."""
        await self._agreed.wait()

    async def run(self) -> None:
        """Announce and compare until cancelled. Raises Disagreement."""
        while True:
            try:
                differing = await self._compare()
                if not differing and self.keep_formats is not None:
                    await self.keep_formats()
            except self.away as error:
                self._tell(error)
            else:
                if not differing:
                    self._agreed.set()
            await self.sleep(BEAT_SECONDS)

    def _tell(self, error: Exception) -> None:
        # Some errors do not pass by themselves, such as a right that is missing.
        if (text := str(error)) not in self._warned:
            self._warned.add(text)
            logger.warning("this worker's settings are not announced to others yet, trying again: %s", text)

    async def leave(self) -> None:
        """Say that this worker is gone, so that the next one need not wait."""
        try:
            async with asyncio.timeout(LEAVE_SECONDS):
                await self.members.leave(self.worker_id)
        except TimeoutError:
            logger.debug("not signed off within %g s", LEAVE_SECONDS)
        except self.away as error:
            logger.debug("not signed off: %s", error)

    async def _compare(self) -> bool:
        """Return whether an earlier worker differs that may not live any more."""
        found = await self.members.announce(self.worker_id, self.terms.encode())
        differing = False
        for member in found.earlier:
            reason = self._reason(member)
            if not reason:
                continue
            before = self._beats.setdefault(member.worker_id, member.beat)
            if member.beat != before:  # it announced itself again, so it lives
                await self.leave()
                raise Disagreement(reason)
            differing = True
        return differing

    def _reason(self, member: Member) -> str:
        try:
            other = Terms.decode(member.terms)
        except ValueError:
            return f"the worker {member.worker_id} announces terms that cannot be read; run one version of Headrace"
        who = f"the worker {member.worker_id} (Headrace {other.version}) of this group"
        if formats := self.terms.unreadable_formats(other):
            return (
                f"{who} and this one (Headrace {self.terms.version}) cannot read what the other stores: "
                f"{', '.join(formats)}. Stop all workers of the group before you start this version"
            )
        names = self.terms.differing_settings(other)
        refused = [name for name in names if not self.tolerant or name in self.strict]
        if not refused:
            self._warn(member.worker_id, who, names, other)
            return ""
        return (
            f"{who} works with other settings: {self.terms.describe(refused, other)}. "
            "Give all workers the same settings, or stop the others first"
        )

    def _warn(self, worker_id: str, who: str, names: list[str], other: Terms) -> None:
        if names and worker_id not in self._warned:
            self._warned.add(worker_id)
            logger.warning("%s works with other settings: %s", who, self.terms.describe(names, other))
