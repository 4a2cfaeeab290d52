"""What the models say of all items, followed from the log by every worker, whichever worker asked them."""

from collections.abc import Callable, Iterable, Mapping
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
    """Tells this worker's recommender of vectors and quality, and remembers which texts are assessed already.

    Vectors of other models than those in use are passed over: they cannot be compared. `listeners` are told of items
    with new vectors and their partition, `went_away` of each item that was shown and may not be shown any more.
    """

    models: Models
    settings: QualitySettings
    recommender: Recommender
    went_away: Callable[[str], None]
    listeners: list[Callable[[int, list[str]], None]] = field(default_factory=list)
    band: SecondJudgeSettings = field(default_factory=SecondJudgeSettings)
    _hashes: NDArray[np.uint64] = field(default_factory=lambda: np.zeros(FIRST_CAPACITY, np.uint64))
    _doubtful: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(FIRST_CAPACITY, np.bool_))
    _partition: NDArray[np.int32] = field(default_factory=lambda: np.full(FIRST_CAPACITY, NO_PARTITION, np.int32))

    def handle(self, batch: RawBatch) -> None:
        """Take in one batch of `vectors`; what Headrace did not write is passed over."""
        newest = decode_newest(batch)
        before = {item_id: self._catalogue.is_shown(item_id) for item_id in newest}
        self._apply(batch.partition, newest)
        changed = [item_id for item_id, was_shown in before.items() if self._catalogue.is_shown(item_id) != was_shown]
        if changed:
            self.recommender.catalogue_changed()
        for item_id in changed:
            if before[item_id]:
                self.went_away(item_id)

    def knows(self, item_id: str, text_hash: str) -> bool:
        """Whether the log has the assessment of this text."""
        number = self.recommender.items.find(item_id)
        return number is not None and number < len(self._hashes) and self._hashes[number] == int(text_hash, 16)

    def waits(self, item_id: str) -> bool:
        """Whether the models in use have not assessed the item, as far as the log was followed."""
        number = self.recommender.items.find(item_id)
        return number is None or number >= len(self._hashes) or bool(self._hashes[number] == UNKNOWN)

    def unassessed(self, partitions: Iterable[int] | None = None) -> dict[int, list[str]]:
        """The catalogue's items that the models in use have not assessed, by the partition of `items`; of all
        partitions, or these."""
        return self._by_partition(np.flatnonzero(self._is_unassessed()), partitions)

    def any_unassessed(self) -> bool:
        """Whether the catalogue, in any partition, has an item that the models in use have not assessed."""
        return bool(self._is_unassessed().any())

    def doubtful(self, partitions: Iterable[int]) -> dict[int, list[str]]:
        """The catalogue's items of these partitions that wait for the second judge."""
        partition = self._catalogue.partition
        both = min(len(partition), len(self._doubtful))
        rows = np.flatnonzero(self._doubtful[:both] & (partition[:both] != NO_PARTITION))
        return self._by_partition(rows, partitions)

    def in_doubt(self, said: Assessment) -> bool:
        """Whether the second judge is to be asked: the quality model was unsure, and judged alone."""
        alone = self.models.second != "" and said.judged_by == self.models.quality
        return alone and said.quality is not None and self.band.holds(said.quality)

    def settled(self, item_id: str) -> None:
        """The item waits for nothing any more, until the log brings another assessment of it."""
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

    def items_of(self, partition: int) -> list[str]:
        """The catalogue's items that stand in this partition of `items`."""
        rows = np.flatnonzero(self._catalogue.partition == partition)
        return [self.recommender.items.names[row] for row in rows.tolist()]

    def left_over(self, partition: int) -> list[str]:
        """Items of which this partition of `vectors` says something, and the catalogue nothing."""
        known = np.zeros(len(self._partition), np.bool_)
        both = min(len(known), len(self._catalogue.partition))
        known[:both] = self._catalogue.partition[:both] != NO_PARTITION
        rows = np.flatnonzero((self._partition == partition) & ~known)
        return [self.recommender.items.names[row] for row in rows.tolist()]

    def is_sound(self, said: Assessment) -> bool:
        """Whether the models in use can have said this; somebody else's bytes may stand under our headers."""
        if not self.models.made(said):
            return False
        if len(said.vector) != self.models.vector_bytes:
            return False
        return not said.vector or bool(np.isfinite(unpack_vectors([said.vector])).all())

    @property
    def _catalogue(self) -> Catalogue:
        return self.recommender.catalogue

    def _apply(self, partition: int, newest: Mapping[str, Assessment | None]) -> None:
        numbers = self.recommender.items.numbers(list(newest))
        self._grow(int(numbers.max(initial=0)) + 1)
        gone: list[str] = []
        vectors: dict[str, bytes] = {}
        for number, (item_id, said) in zip(numbers.tolist(), newest.items(), strict=True):
            self._hashes[number] = self._hash_of(said)
            self._doubtful[number] = said is not None and self.in_doubt(said)
            self._partition[number] = NO_PARTITION if said is None else partition
            self._catalogue.set_quality(number, 1.0 if said is None else said.weight(self.settings))
            if said is None:
                gone.append(item_id)
            elif said.embedding == self.models.embedding and len(said.vector) == self.models.vector_bytes > 0:
                vectors[item_id] = said.vector
        self.recommender.remove_vectors(gone)
        self._set_vectors(partition, vectors)

    def _set_vectors(self, partition: int, stored: Mapping[str, bytes]) -> None:
        if not stored:
            return
        vectors = unpack_vectors(list(stored.values()))
        # Somebody else's bytes under our headers must not stop the worker.
        sound: NDArray[np.bool_] = np.asarray(np.isfinite(vectors).all(axis=1))
        item_ids = list(compress(stored, sound.tolist()))
        self.recommender.set_vectors(self.models.embedding, item_ids, vectors[sound])
        for listener in self.listeners:
            listener(partition, item_ids)

    def _hash_of(self, said: Assessment | None) -> int:
        if said is None or not self.models.made(said):
            return UNKNOWN
        return int(said.text_hash, 16)

    def _grow(self, size: int) -> None:
        if size > len(self._hashes):
            more = np.zeros(max(size, 2 * len(self._hashes)) - len(self._hashes), np.uint64)
            self._hashes = np.concatenate([self._hashes, more])
            self._doubtful = np.concatenate([self._doubtful, np.zeros(len(more), np.bool_)])
            nowhere = np.full(len(more), NO_PARTITION, np.int32)
            self._partition = np.concatenate([self._partition, nowhere])


def decode_newest(batch: RawBatch) -> dict[str, Assessment | None]:
    """The last word on each item in a batch of `vectors`, None for a deletion; without what Headrace did not write."""
    newest: dict[str, Assessment | None] = {}
    for key, value, headers in zip(batch.keys, batch.values, batch.headers, strict=True):
        try:
            item_id = (key or b"").decode()
            newest[item_id] = None if value is None else decode_assessment(value, dict(headers))
        except (ValueError, KeyError):
            continue
    return newest
