"""Learning from all users: the follower of `interactions`, run whole by every worker."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from agents.metrics import Metrics
from models.contract.events import RawBatch
from models.contract.wire import Learned, decode_interaction
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
    repeat.
    """

    recommender: Recommender
    seen: DuplicateFilter
    metrics: Metrics
    applied: dict[tuple[int, str], int] = field(default_factory=dict)
    listeners: list[Callable[[list[str]], None]] = field(default_factory=list)

    def learn_own(self, partition: int, followed: Followed) -> None:
        """Learn a batch that this worker is about to emit to `partition` of the log; its ids are
        remembered already.
        """
        found = followed.admitted.interactions
        pair = (partition, found.source)
        first = int(np.searchsorted(found.offsets, self.applied.get(pair, -1), side="right"))
        if first == len(found):
            return
        self.applied[pair] = int(found.offsets[-1])
        for listener in self.listeners:
            listener([event.item_id for event in found.events[first:]])
        kinds = np.full(len(found) - first, found.kind, np.int32)
        self._learn(LearningBatch(followed.items[first:], followed.sessions[first:], found.ts[first:], kinds))

    def handle(self, batch: RawBatch) -> None:
        """Learn from one batch of the interactions topic."""
        rows: list[int] = []
        learned: list[Learned] = []
        repeats = unreadable = 0
        for row, value in enumerate(batch.values):
            interaction = _read(value)
            if interaction is None:
                unreadable += 1
            elif self._is_new(batch.partition, interaction):
                rows.append(row)
                learned.append(interaction)
            else:
                repeats += 1
        if learned:
            self._learn(
                LearningBatch(
                    self.recommender.items.numbers(each.item_id for each in learned),
                    np.array([hash_session(each.session_id) for each in learned], np.uint64),
                    np.array([each.ts for each in learned]),
                    np.array([each.kind for each in learned], np.int32),
                )
            )
            self._remember(batch, rows, learned)
        self.metrics.learned.labels("repeated").inc(repeats)
        self.metrics.learned.labels("unreadable").inc(unreadable)

    def _is_new(self, partition: int, interaction: Learned) -> bool:
        pair = (partition, interaction.source)
        if interaction.offset <= self.applied.get(pair, -1):
            return False
        self.applied[pair] = interaction.offset
        return True

    def _learn(self, events: LearningBatch) -> None:
        self.recommender.learn(events)
        self.metrics.learned.labels("learned").inc(len(events.items))
        self.metrics.index_bytes.set(self.recommender.index.memory_bytes)

    def _remember(self, batch: RawBatch, rows: list[int], learned: list[Learned]) -> None:
        by_source: dict[str, list[int]] = {}
        for at, interaction in enumerate(learned):
            by_source.setdefault(interaction.source, []).append(at)
        for source, places in by_source.items():
            self.seen.remember(
                source,
                np.array([learned[at].offset for at in places], np.int64),
                batch.times[[rows[at] for at in places]],
                np.array([learned[at].ts for at in places], np.float64),
                [learned[at].event_id for at in places],
            )


def _read(value: bytes | None) -> Learned | None:
    """None for what Headrace did not write; another program's record must not stop the learning."""
    if value is None:
        return None
    try:
        return decode_interaction(value)
    except ValueError:
        return None
