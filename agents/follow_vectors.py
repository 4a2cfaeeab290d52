"""Follow the assessments of all items from the log, in every worker."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import compress

import numpy as np
from numpy.typing import NDArray

from models.catalogue import NO_PARTITION, Catalogue
from models.contract.events import RawBatch
from models.quality.assessment import Assessment, Models, decode_assessment, unpack_vectors
from models.quality.second_judge_score import SecondJudgeSettings
from models.quality.text import QualitySettings
from models.recommender import Recommender

FIRST_CAPACITY = 1024
UNKNOWN = 0


@dataclass(slots=True)
class FollowVectors:
    """Tells this worker's recommender of vectors and quality, and remembers which texts are
    assessed.

    Skips vectors of models that are not in use: they cannot be compared. Calls `listeners` with the
    partition and the items that got new vectors, and `went_away` with each item that was shown and
    may not be shown any more.
    """

    models: Models
    settings: QualitySettings
    recommender: Recommender
    went_away: Callable[[str], None]
    listeners: list[Callable[[int, list[str]], None]] = field(default_factory=list)
    band: SecondJudgeSettings = field(default_factory=SecondJudgeSettings)
    allowed: frozenset[str] = frozenset()
    _hashes: NDArray[np.uint64] = field(default_factory=lambda: np.zeros(FIRST_CAPACITY, np.uint64))
    _doubtful: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(FIRST_CAPACITY, np.bool_))
    _partition: NDArray[np.int32] = field(default_factory=lambda: np.full(FIRST_CAPACITY, NO_PARTITION, np.int32))
    _weights: NDArray[np.float32] = field(default_factory=lambda: np.ones(FIRST_CAPACITY, np.float32))

    def handle(self, batch: RawBatch) -> None:
        """Apply one batch of `vectors`; skips records that Headrace did not write."""
        newest = decode_newest(batch)
        before = {item_id: self._catalogue.is_shown(item_id) for item_id in newest}
        self._apply(batch.partition, newest)
        self._tell(before)

    def allow(self, item_ids: frozenset[str]) -> frozenset[str]:
        """Let no verdict hide these items, and the verdict decide on all others.

        Returns the items of which that changed.
        """
        changed = item_ids ^ self.allowed
        before = {item_id: self._catalogue.is_shown(item_id) for item_id in changed}
        self.allowed = item_ids
        for item_id, number in zip(changed, self.recommender.items.numbers(list(changed)).tolist(), strict=True):
            self._grow(number + 1)
            self._weigh(item_id, number)
        self._tell(before)
        return changed

    def is_allowed(self, item_id: str) -> bool:
        """Return whether the shop decided that no verdict hides this item."""
        return item_id in self.allowed

    def hidden(self, most: int) -> list[str]:
        """Return the items on sale that a verdict hides, the newest ones first."""
        rows = self._catalogue.low_quality()
        return [self.recommender.items.names[row] for row in rows[::-1][:most].tolist()]

    def _tell(self, before: Mapping[str, bool]) -> None:
        """Tell of items that may be shown now and might not before, or the other way round."""
        changed = [item_id for item_id, was_shown in before.items() if self._catalogue.is_shown(item_id) != was_shown]
        if changed:
            self.recommender.catalogue_changed()
        for item_id in changed:
            if before[item_id]:
                self.went_away(item_id)

    def knows(self, item_id: str, text_hash: str) -> bool:
        """Return whether the log has the assessment of this text."""
        number = self.recommender.items.find(item_id)
        return number is not None and number < len(self._hashes) and self._hashes[number] == int(text_hash, 16)

    def waits(self, item_id: str) -> bool:
        """Return whether the log, as read so far, lacks an assessment by the models in use."""
        number = self.recommender.items.find(item_id)
        return number is None or number >= len(self._hashes) or bool(self._hashes[number] == UNKNOWN)

    def unassessed(self, partitions: Iterable[int] | None = None) -> dict[int, list[str]]:
        """Return the catalogue's items without an assessment of the models in use, by partition.

        Covers all partitions of `items`, or only those in `partitions`.
        """
        return self._by_partition(np.flatnonzero(self._is_unassessed()), partitions)

    def any_unassessed(self) -> bool:
        """Return whether any partition has an item without an assessment of the models in use."""
        return bool(self._is_unassessed().any())

    def doubtful(self, partitions: Iterable[int]) -> dict[int, list[str]]:
        """Return the items of these partitions that wait for the second judge, by partition."""
        partition = self._catalogue.partition
        both = min(len(partition), len(self._doubtful))
        rows = np.flatnonzero(self._doubtful[:both] & (partition[:both] != NO_PARTITION))
        return self._by_partition(rows, partitions)

    def in_doubt(self, assessment: Assessment) -> bool:
        """Return whether the second judge must be asked: only the quality model judged, and was
        unsure.
        """
        alone = self.models.second != "" and assessment.judged_by == self.models.quality
        return alone and assessment.quality is not None and self.band.holds(assessment.quality)

    def settled(self, item_id: str) -> None:
        """Remove the item from those that wait, until the log brings another assessment of it."""
        number = self.recommender.items.find(item_id)
        if number is not None and number < len(self._doubtful):
            self._doubtful[number] = False

    def _is_unassessed(self) -> NDArray[np.bool_]:
        partition = self._catalogue.partition
        known = np.zeros(len(partition), np.bool_)
        both = min(len(known), len(self._hashes))
        known[:both] = self._hashes[:both] != UNKNOWN
        return np.asarray(~known & (partition != NO_PARTITION), np.bool_)

    def _by_partition(self, rows: NDArray[np.intp], partitions: Iterable[int] | None) -> dict[int, list[str]]:
        partition, names = self._catalogue.partition, self.recommender.items.names
        wanted = set(partition[rows].tolist()) if partitions is None else set(partitions)
        found = {each: [names[row] for row in rows[partition[rows] == each].tolist()] for each in wanted}
        return {each: item_ids for each, item_ids in found.items() if item_ids}

    def by_partition(self, item_ids: Sequence[str], partitions: Iterable[int]) -> dict[int, list[str]]:
        """Return those of these items that the catalogue has in these partitions, by partition."""
        numbers = self.recommender.items.numbers(list(item_ids))
        return self._by_partition(numbers[numbers < len(self._catalogue.partition)].astype(np.intp), partitions)

    def items_of(self, partition: int) -> list[str]:
        """Return the catalogue's items whose records are in this partition of `items`."""
        rows = np.flatnonzero(self._catalogue.partition == partition)
        return [self.recommender.items.names[row] for row in rows.tolist()]

    def left_over(self, partition: int) -> list[str]:
        """Return items that this partition of `vectors` has, and the catalogue does not."""
        known = np.zeros(len(self._partition), np.bool_)
        both = min(len(known), len(self._catalogue.partition))
        known[:both] = self._catalogue.partition[:both] != NO_PARTITION
        rows = np.flatnonzero((self._partition == partition) & ~known)
        return [self.recommender.items.names[row] for row in rows.tolist()]

    def is_sound(self, assessment: Assessment) -> bool:
        """Return whether the models in use can have written this assessment.

        Another program may have written a record with the same headers.
        """
        if not self.models.made(assessment):
            return False
        if not assessment.vector:  # of an item without a title
            return self.models.vector_bytes == 0 or assessment.quality is None
        if len(assessment.vector) != self.models.vector_bytes:
            return False
        return bool(np.isfinite(unpack_vectors([assessment.vector])).all())

    @property
    def _catalogue(self) -> Catalogue:
        return self.recommender.catalogue

    def _apply(self, partition: int, newest: Mapping[str, Assessment | None]) -> None:
        numbers = self.recommender.items.numbers(list(newest))
        self._grow(int(numbers.max(initial=0)) + 1)
        gone: list[str] = []
        vectors: dict[str, bytes] = {}
        for number, (item_id, new) in zip(numbers.tolist(), newest.items(), strict=True):
            self._hashes[number] = self._hash_of(new)
            self._doubtful[number] = new is not None and self.in_doubt(new)
            self._partition[number] = NO_PARTITION if new is None else partition
            self._weights[number] = 1.0 if new is None else new.weight(self.settings)
            self._weigh(item_id, number)
            if new is None or not new.vector:
                gone.append(item_id)
            elif new.embedding == self.models.embedding and len(new.vector) == self.models.vector_bytes > 0:
                vectors[item_id] = new.vector
        self.recommender.remove_vectors(gone)
        self._set_vectors(partition, vectors)

    def _weigh(self, item_id: str, number: int) -> None:
        self._catalogue.set_quality(number, 1.0 if item_id in self.allowed else float(self._weights[number]))

    def _set_vectors(self, partition: int, stored: Mapping[str, bytes]) -> None:
        if not stored:
            return
        vectors = unpack_vectors(list(stored.values()))
        # Bytes that another program wrote with the same headers must not stop the worker.
        sound: NDArray[np.bool_] = np.asarray(np.isfinite(vectors).all(axis=1))
        item_ids = list(compress(stored, sound.tolist()))
        self.recommender.set_vectors(self.models.embedding, item_ids, vectors[sound])
        for listener in self.listeners:
            listener(partition, item_ids)

    def _hash_of(self, assessment: Assessment | None) -> int:
        if assessment is None or not self.models.made(assessment):
            return UNKNOWN
        return int(assessment.text_hash, 16)

    def _grow(self, size: int) -> None:
        if size > len(self._hashes):
            more = np.zeros(max(size, 2 * len(self._hashes)) - len(self._hashes), np.uint64)
            self._hashes = np.concatenate([self._hashes, more])
            self._doubtful = np.concatenate([self._doubtful, np.zeros(len(more), np.bool_)])
            nowhere = np.full(len(more), NO_PARTITION, np.int32)
            self._partition = np.concatenate([self._partition, nowhere])
            self._weights = np.concatenate([self._weights, np.ones(len(more), np.float32)])


def decode_newest(batch: RawBatch) -> dict[str, Assessment | None]:
    """Return the last assessment of each item in a batch of `vectors`; None for a deletion.

    Skips records that Headrace did not write.
    """
    newest: dict[str, Assessment | None] = {}
    for key, value, headers in zip(batch.keys, batch.values, batch.headers, strict=True):
        try:
            item_id = (key or b"").decode()
            newest[item_id] = None if value is None else decode_assessment(value, dict(headers))
        except (ValueError, KeyError):
            continue
    return newest
