"""Learning from all users: the follower of `interactions`, run whole by every worker."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import compress

import numpy as np
from numpy.typing import NDArray

from agents.metrics import Metrics
from agents.rank import Rank
from models.contract.cancelled import CANCELLATIONS
from models.contract.events import LOG_MARK, Kind, RawBatch
from models.contract.forgetting import forgotten_sessions, is_forgotten
from models.contract.identity import CANCELLED, identities
from models.contract.wire import Learned, decode_log
from models.core.unlearning import KINDS, CancelledOrders, in_turns, kinds_of, unlearn
from models.duplicates import DuplicateFilter
from models.processor import Followed, hash_session
from models.recommender import LearningBatch, Recommender


@dataclass(frozen=True, slots=True)
class Learn:
    """Feeds interactions to the recommender and their ids to the duplicate filter, each source
    offset once.

    A worker learns its own batches before it emits them, and those of all workers from the log.
    Interactions of one source partition stand in offset order in each partition of the log; only a
    worker that repeats a batch after a crash goes back. So the highest offset per pair of both
    partitions tells repeats. `listeners` are told of the items of its own batches. What it emitted
    itself usually does not come back here (see `app.kafka.own_records`); where it does, it is a
    repeat. `rank` learns where lists may be ranked by what is learned.
    """

    recommender: Recommender
    seen: DuplicateFilter
    metrics: Metrics
    applied: dict[tuple[int, str], int] = field(default_factory=dict)
    listeners: list[Callable[[list[str]], None]] = field(default_factory=list)
    rank: Rank | None = None

    def learn_own(self, batches: Sequence[Followed]) -> None:
        """Learn batches that this worker is about to emit, each to its home partition of the log;
        their ids are remembered already.

        They are learned as one: a call costs as much as some fifty events.
        """
        new = [part for part in map(self._take_new, batches) if part is not None]
        if not new:
            return
        parts, users = zip(*new, strict=True)
        for listener in self.listeners:
            listener([self.recommender.items.names[item] for part in parts for item in part.items.tolist()])
        self._learn(
            LearningBatch(*(np.concatenate(column) for column in zip(*parts, strict=True))),
            [user for each in users for user in each],
        )

    def _take_new(self, followed: Followed) -> tuple[LearningBatch, list[str]] | None:
        """The events of a batch behind those that were learned, and their users; they count as
        learned now.
        """
        found = followed.admitted.interactions
        pair = (followed.admitted.home, found.source)
        first = int(np.searchsorted(found.offsets, self.applied.get(pair, -1), side="right"))
        if first == len(found):
            return None
        self.applied[pair] = int(found.offsets[-1])
        kinds = np.full(len(found) - first, found.kind, np.int32)
        if followed.outcomes is not None:
            kinds = kinds_of(kinds, followed.outcomes[first:])
        events = LearningBatch(followed.items[first:], followed.sessions[first:], found.ts[first:], kinds)
        user_ids = found.user_ids[first:]
        if found.is_learned is not None:
            learned = found.is_learned[first:]
            items, sessions, ts, kinds = events
            events = LearningBatch(items[learned], sessions[learned], ts[learned], kinds[learned])
            user_ids = list(compress(user_ids, learned.tolist()))
        return events, user_ids

    def log_of(self, topic: str, partition: int) -> str:
        """The name of the newest log of a source partition of which anything was learned; empty
        before that.
        """
        place = RawBatch.source_of(topic, partition, "")
        logs = [log for each, _, log in (source.partition(LOG_MARK) for _, source in self.applied) if each == place]
        return max(logs, key=lambda log: (len(log), log), default="")  # names are times in milliseconds

    def forget(self, sessions: NDArray[np.uint64]) -> int:
        """Forget the sessions with these hashes, shape (n,). Returns how many were known."""
        return self.recommender.forget(sessions)

    def handle(self, batch: RawBatch) -> None:
        """Learn from one batch of the interactions topic; forget the sessions that it says."""
        start = 0
        for row in [row for row, value in enumerate(batch.values) if value is None and is_forgotten(batch, row)]:
            self._handle(batch.part(start, row))
            self.forget(forgotten_sessions(batch, row))
            start = row + 1
        self._handle(batch.part(start, len(batch)) if start else batch)

    def _handle(self, batch: RawBatch) -> None:
        decoded = decode_log(batch.values)
        new = self._new_rows(batch.partition, decoded)
        rows = np.sort(np.concatenate(list(new.values()))).tolist() if new else []
        new_ones: list[Learned] = [decoded[row] for row in rows]
        learned = [each for each in new_ones if each.weight > 0]
        if learned:
            items = self.recommender.items.numbers([each.item_id for each in learned])
            sessions = np.fromiter((hash_session(each.session_id) for each in learned), np.uint64, len(learned))
            ts = np.fromiter((each.ts for each in learned), np.float64, len(learned))
            kinds = np.fromiter((KINDS[each.kind] for each in learned), np.int32, len(learned))
            self._learn(LearningBatch(items, sessions, ts, kinds), [each.user_id for each in learned])
        for source, places in new.items():
            found: list[Learned] = [decoded[row] for row in places.tolist()]
            self._remember(source, batch.times[places], found)
        unreadable = decoded.count(None)
        self.metrics.learned.labels("repeated").inc(len(decoded) - len(new_ones) - unreadable)
        self.metrics.learned.labels("unreadable").inc(unreadable)
        self.metrics.learned.labels("doubtful").inc(len(new_ones) - len(learned))

    def _new_rows(self, partition: int, decoded: list[Learned | None]) -> dict[str, NDArray[np.intp]]:
        """By source, the rows whose offset is above all that were learned of it before; they count
        as learned now.
        """
        by_source: dict[str, list[int]] = {}
        for row, each in enumerate(decoded):
            if each is not None:
                by_source.setdefault(each.source, []).append(row)
        new: dict[str, NDArray[np.intp]] = {}
        for source, rows in by_source.items():
            pair = (partition, source)
            offsets = [self.applied.get(pair, -1), *(decoded[row].offset for row in rows)]  # type: ignore[union-attr]  # those are read
            highest = np.maximum.accumulate(np.array(offsets, np.int64))
            fresh = highest[1:] > highest[:-1]
            if fresh.any():
                new[source], self.applied[pair] = np.array(rows, np.intp)[fresh], int(highest[-1])
        return new

    def _learn(self, events: LearningBatch, user_ids: Sequence[str]) -> None:
        if len(events.kinds) and events.kinds.max() > Kind.ORDER:
            for part, users in in_turns(events, user_ids):
                self._learn_part(part, users)
        else:
            self._learn_part(events, user_ids)
        self.metrics.learned.labels("learned").inc(len(events.items))
        self.metrics.index_bytes.set(self.recommender.index.memory_bytes)

    def _learn_part(self, events: LearningBatch | CancelledOrders, user_ids: Sequence[str]) -> None:
        if isinstance(events, CancelledOrders):
            unlearn(self.recommender, events)
        elif self.rank is None:
            self.recommender.learn(events)
        else:
            self.rank.learn(events, user_ids)

    def _remember(self, source: str, times: NDArray[np.float64], learned: list[Learned]) -> None:
        offsets = np.fromiter((each.offset for each in learned), np.int64, len(learned))
        ts = np.fromiter((each.ts for each in learned), np.float64, len(learned))
        keys = identities(learned, [each.user_id for each in learned])
        for row, each in enumerate(learned):
            if each.kind in CANCELLATIONS:
                keys[row] ^= CANCELLED
        self.seen.remember(source, offsets, times, ts, keys)
