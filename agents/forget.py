"""Forgets users: the agent of the topic `forget`."""

import asyncio
from collections.abc import AsyncIterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from agents.learn import Learn
from agents.metrics import Metrics
from agents.ports import Outbox, Replicas, UserStore
from agents.upkeep_ports import PartitionLog, Receipts
from models.contract.events import RawBatch
from models.contract.forgetting import ForgetRequest, decode_requests, forgotten_sessions, forgotten_user
from models.contract.wire import decode_log
from models.processor import ListMaker, hash_session
from models.shown import Shown
from models.users.table import MISSING


@dataclass(slots=True)
class Traces:
    """What a partition of `interactions` holds of some users.

    `sessions` are the hashes of all sessions of each, `fresh` the number of interactions since the
    user was forgotten last, and `until` the offset of that, for every user who ever was.
    """

    sessions: dict[str, set[int]]
    fresh: dict[str, int]
    until: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, user_ids: Sequence[str]) -> "Traces":
        """Nothing of these users."""
        return cls({user: set() for user in user_ids}, dict.fromkeys(user_ids, 0))

    def add(self, batch: RawBatch) -> None:
        """Take in records, in the order of the log."""
        for row, event in enumerate(decode_log(batch.values)):
            if event is not None and event.user_id in self.sessions:
                self.sessions[event.user_id].add(hash_session(event.session_id))
                self.fresh[event.user_id] += 1
            elif event is None and (user := forgotten_user(batch, row)):
                self.until[user] = int(batch.offsets[row])
                if user in self.sessions:
                    self.sessions[user].update(forgotten_sessions(batch, row).tolist())
                    self.fresh[user] = 0


@dataclass(frozen=True, slots=True)
class Forget:
    """Removes all that is stored of users, and what this worker has in memory.

    It reads its partition of `interactions` for the users' sessions, then appends there that they
    are forgotten: all workers drop these sessions, and nobody makes the profiles from the log
    again. Redis comes last. A crash leads to a repetition, which changes nothing that was done.
    Events that are processed later begin a new profile. `write_lock` keeps batches of events out,
    and `emit_lock` waits until those that are stored are in the log.
    """

    maker: ListMaker
    learn: Learn
    shown: Shown
    replicas: Replicas
    users: UserStore
    log: PartitionLog
    outbox: Outbox
    receipts: Receipts
    metrics: Metrics
    write_lock: asyncio.Lock
    emit_lock: asyncio.Lock

    async def run(self, stream: AsyncIterable[RawBatch]) -> None:
        """Handle one batch after the other."""
        async for batch in stream:
            await self.handle(batch)

    async def handle(self, batch: RawBatch) -> None:
        """Forget the users whom a batch of the topic `forget` names."""
        requests = decode_requests(batch)
        if not requests:
            return
        await self.replicas.caught_up()
        async with self.write_lock, self.emit_lock:
            await self._forget(batch.partition, requests)
        self.metrics.forgotten_users.inc(len(requests))

    async def _forget(self, partition: int, requests: Sequence[ForgetRequest]) -> None:
        user_ids = list(dict.fromkeys(each.user_id for each in requests))
        traces = await self._traces(partition, user_ids)
        await self.outbox.forgotten(
            partition, {user: sessions for user, sessions in traces.sessions.items() if traces.fresh[user]}
        )
        known = {user: self.learn.forget(np.array(sorted(found), np.uint64)) for user, found in traces.sessions.items()}
        slots = self.maker.table.find(user_ids)
        self.maker.table.discard(slots[slots != MISSING])
        self.shown.remove(user_ids)
        erased = dict(zip(user_ids, await self.users.forget(user_ids), strict=True))
        told = [user for user in user_ids if traces.fresh[user] or any(erased[user])]
        await self.outbox.recommendations(partition, dict.fromkeys(told))
        rewritten = 0
        if any(each.rewrite for each in requests):
            after = await self._traces(partition, user_ids)
            rewritten = int(await self.log.rewrite(partition, after.until))
        for each in requests:
            if each.request_id:
                counts = {
                    "profiles": erased[each.user_id].profiles,
                    "lists": erased[each.user_id].lists,
                    "interactions": traces.fresh[each.user_id],
                    "sessions": known[each.user_id],
                    "rewritten": rewritten,
                }
                await self.receipts.write(each.request_id, partition, counts)

    async def _traces(self, partition: int, user_ids: Sequence[str]) -> Traces:
        traces = Traces.of(user_ids)
        async for batch in self.log.read(partition):
            traces.add(batch)
        return traces


def add_up(receipts: Mapping[int, Mapping[str, int]]) -> dict[str, int]:
    """What was erased of all partitions together; `rewritten` counts partitions."""
    names = ("profiles", "lists", "interactions", "sessions", "rewritten")
    return {name: sum(counts.get(name, 0) for counts in receipts.values()) for name in names}
