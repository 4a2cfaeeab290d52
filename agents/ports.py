"""Declare what agents need of the outside world.

`app/` implements these ports, the tests have fakes of them, and one contract suite holds both to
the same behaviour.
"""

from collections.abc import AsyncGenerator, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple, Protocol

from models.contract.begun import Begun, Claim
from models.contract.events import Item, RawBatch
from models.contract.item_codec import Change, RecordPlace
from models.contract.moved import Moved
from models.contract.outcome import Rejected
from models.quality.assessment import Assessment, Models
from models.quality.last_good import Kept, Retitled, StoredText
from models.quality.repair import Repair
from models.users.stored import StoredFields
from models.users.writes import ListWrites, UserWrites

Clock = Callable[[], float]
NOTHING_KEPT: Mapping[int, Kept] = {}


class WriteOutcome(IntEnum):
    """What became of one user's write.

    A refused one changed nothing, because the stored revision is not the one that it supersedes;
    GONE is a list that is no longer there to be replaced.
    """

    REFUSED = 0
    DONE = 1
    GONE = 2


class ItemOutcome(IntEnum):
    """What became of one change of an item.

    OVERTAKEN and OUTDATED ones changed nothing: what is stored is from later in the log, or its
    `updated_at` is newer.
    """

    OVERTAKEN = 0
    DONE = 1
    OUTDATED = 2


class Erased(NamedTuple):
    """How many profiles and lists of one user were removed: 0 or 1 each."""

    profiles: int
    lists: int


@dataclass(frozen=True, slots=True)
class Handed:
    """Batches of one or more partitions, of each in its order, that are handed to an agent.

    They are committed once `finish` was called, which is when all their effects are stored.
    """

    batches: Sequence[RawBatch]
    finish: Callable[[], None]


class UserStore(Protocol):
    """Stores the profiles and lists of users, each behind the revision of its profile."""

    async def load(self, user_ids: Sequence[str]) -> list[StoredFields]:
        """Return the stored fields of these users' profiles, in their order; empty for a new
        user.
        """

    async def write(self, writes: UserWrites) -> list[WriteOutcome]:
        """Write profiles and lists, each user's together.

        Returns what became of each when those that are not refused are readable, however long the
        store is away.
        """

    async def correct(self, writes: ListWrites) -> list[WriteOutcome]:
        """Overwrite existing lists and keep their expiry. Returns what became of each."""

    async def forget(self, user_ids: Sequence[str]) -> list[Erased]:
        """Remove all that is stored of these users. Returns what was there, in their order."""


class ItemStore(Protocol):
    """Stores the catalogue for look-ups."""

    async def write(
        self,
        changes: Sequence[Change],
        places: Sequence[RecordPlace] = (),
        repairs: Sequence[Sequence[Repair]] = (),
        kept: Mapping[int, Kept] = NOTHING_KEPT,
    ) -> list[ItemOutcome]:
        """Apply the changes in their order, but for those of which a later version is stored.

        `places` are those of their records; a change without one comes last. `repairs` are those of
        each change, shown beside it. `kept` has the number of each change whose title is that of an
        earlier record. Returns what became of each when they are readable.
        """

    async def titles(self, item_ids: Sequence[str]) -> list[StoredText]:
        """Return what is stored of these items' titles, in their order."""

    async def retitle(self, retitled: Sequence[Retitled]) -> None:
        """Replace titles, each if the item is still as that record wrote it."""


class Assessed(NamedTuple):
    """An item and its assessment, which replaces `before` if `is_new`: the store lacks it."""

    item: Item
    assessment: Assessment
    is_new: bool
    before: Assessment | None = None


class AssessmentStore(Protocol):
    """Stores the assessments of the items for look-ups."""

    async def items(self, item_ids: Sequence[str]) -> list[Item | None]:
        """Return the items as they are stored now; None for one that is unknown or deleted."""

    async def load(self, item_ids: Sequence[str]) -> list[Assessment | None]:
        """Return the stored assessment of each item, in their order; None where there is none."""

    async def write(self, assessed: Sequence[Assessed]) -> list[str]:
        """Write the assessments, and the items' present attributes beside the vectors. Returns,
        when they are readable, the items whose text or assessment is another one meanwhile.
        """

    async def remember(self, assessments: Mapping[str, Assessment | None]) -> None:
        """Write assessments, but no vectors; None removes that of an item that is not there."""

    async def forget(self, item_ids: Sequence[str]) -> None:
        """Remove the assessments and vectors of those of these items that are not there."""

    async def complete(self) -> None:
        """Called repeatedly once the current models have assessed every item.

        May delete other models' vectors.
        """


class CatalogueMarks(Protocol):
    """Stores how far the store has each partition of `items`, in the store itself."""

    async def load(self, partitions: Sequence[int]) -> list[str]:
        """Return the marks of these partitions, in their order; empty where there is none."""

    async def swap(self, partition: int, old: str, new: str) -> bool:
        """Replace the mark `old` by `new`; an empty `old` means no mark.

        Returns False, and changes nothing, if the mark is not `old`.
        """


class CatalogueLog(Protocol):
    """Reads the log of the catalogue again.

    Each partition is read up to its end at the time the reader starts.
    """

    def items(self, partition: int, start: int) -> AsyncGenerator[RawBatch, None]:
        """Yield the records of this partition of `items`, from this offset."""

    def vectors(self, partition: int) -> AsyncGenerator[RawBatch, None]:
        """Yield the records of this partition of `vectors`."""


class DecisionStore(Protocol):
    """Stores what the shop decided on items, and which items its decisions may be about."""

    async def allowed(self) -> frozenset[str]:
        """Return the items that no verdict on their text hides."""

    async def publish_hidden(self, item_ids: Sequence[str]) -> None:
        """Replace the list of items that a verdict hides, newest first."""


class SimilarStore(Protocol):
    """Stores the list of similar items of each item, for look-ups."""

    async def moment(self) -> int:
        """Return the store's time, before lists are made; later ones are higher."""

    async def write(self, lists: Mapping[str, bytes | None], moment: int) -> None:
        """Replace the lists of these items that began to be made at this moment, but for those that
        were made later; None removes one.
        """

    async def missing(self, item_ids: Sequence[str]) -> list[str]:
        """Return those of these items that have no list, in their order."""


class Infer(Protocol):
    """Runs the models off the event loop."""

    @property
    def models(self) -> Models:
        """Return which models are in use."""

    async def assess(self, items: Sequence[Item]) -> list[Assessment]:
        """Return the assessment of each item, in their order; waits while the models are busy."""


class SecondJudge(Protocol):
    """Judges texts of which the quality model is unsure; slower than it, and off the event loop."""

    async def judge(self, item: Item) -> float:
        """Return the probability that the item's text is fine, given all that is known of it."""


class Outbox(Protocol):
    """Writes Headrace's Kafka topics; every method returns when the broker has the records."""

    async def interactions(self, partition: int, keys: Sequence[str], values: Sequence[bytes]) -> None:
        """Append accepted events to the partition with the same number as their source."""

    async def recommendations(self, partition: int, lists: Mapping[str, bytes | None]) -> None:
        """Append lists, keyed by user; None says that the user is forgotten."""

    async def forgotten(self, partition: int, sessions: Mapping[str, Collection[int]]) -> None:
        """Append to `interactions` that these users are forgotten, with the hashes of their
        sessions.
        """

    async def vectors(self, partition: int, assessed: Mapping[str, Assessment | None]) -> None:
        """Append assessments of items; None deletes.

        `partition` is the number of the items' own partition.
        """

    async def move(self, moved: Sequence[Moved]) -> None:
        """Append events to `moved`, each to the partition of its user, with its origin in the
        headers.
        """

    async def quarantine(self, rejected: Sequence[Rejected]) -> None:
        """Append rejected records with their bytes untouched and the reason in the headers."""

    async def ranker(self, records: Mapping[bytes, bytes]) -> None:
        """Append weights of the learned ranker, by key."""


class Sources(Protocol):
    """Tells the log of a source partition from another log with the same name and offsets."""

    async def log_of(self, batch: RawBatch, learned: Callable[[], str]) -> str:
        """Return the name of the batch's log; empty if its beginning was never seen.

        `learned` gives the name that `interactions` have for it, for a store that lost it.
        """


class BegunBatches(Protocol):
    """Which batches of events were begun, noted in the store that they change."""

    async def claim(self, partition: int) -> str:
        """The newest claim to the sources' partitions with this number; empty if there is none."""

    async def take_over(self, partition: int, claim: Claim) -> list[Begun] | None:
        """Those of the sources' partitions with this number, in their order; None if another claim
        was made since.

        From now on only who names this claim may replace them.
        """

    async def write(self, begun: Mapping[int, Sequence[Begun]], claims: Mapping[int, Claim]) -> set[int]:
        """Replace those of these partition numbers, and the claims to them; returns when they are
        noted.

        Returns the numbers of which the store has another claim, or none: their notes stay as they
        are.
        """


class EventLog(Protocol):
    """The logs of the sources, read once more."""

    async def read(self, topic: str, partition: int, first: int, last: int) -> RawBatch:
        """The records from offset `first` to `last`, both included, as far as they are there."""


class Replicas(Protocol):
    """Tells how far this worker has read the topics that every worker holds whole."""

    async def caught_up(self) -> None:
        """Return once all is learned that was in the log when partitions were last assigned."""

    @property
    def behind(self) -> bool:
        """Return True until then."""
