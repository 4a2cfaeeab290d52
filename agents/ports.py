"""What agents need of the outside world; implemented in `app/`, faked in the tests, held to one contract suite."""

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from typing import NamedTuple, Protocol

from models.contract.events import Item, RawBatch
from models.contract.item_codec import Change
from models.contract.outcome import Rejected
from models.processor import UserWrites
from models.quality.assessment import Assessment, Models
from models.users.stored import StoredFields

Clock = Callable[[], float]


class UserStore(Protocol):
    """Profiles and lists of users."""

    async def load(self, user_ids: Sequence[str]) -> list[StoredFields]:
        """The stored fields of these users' profiles, in their order; nothing for a new user."""

    async def write(self, writes: UserWrites) -> None:
        """Make profiles and lists readable; returns when they are, however long the store is away."""

    async def correct(self, lists: Mapping[str, bytes]) -> set[str]:
        """Overwrite existing lists and keep their expiry. Returns the users whose lists existed."""


class ItemStore(Protocol):
    """The catalogue as look-ups see it."""

    async def write(self, changes: Sequence[Change]) -> None:
        """Apply the changes in their order; returns when they are readable."""


class Assessed(NamedTuple):
    """An item and what the models say of it; `is_new` when the store has not heard that yet."""

    item: Item
    assessment: Assessment
    is_new: bool


class AssessmentStore(Protocol):
    """What the models say of the items, as look-ups see it."""

    async def items(self, item_ids: Sequence[str]) -> list[Item | None]:
        """The items as they are stored now; None for one that is unknown or deleted."""

    async def load(self, item_ids: Sequence[str]) -> list[Assessment | None]:
        """What was stored of each item, in their order."""

    async def write(self, assessed: Sequence[Assessed]) -> None:
        """Make the assessments, and the items' present attributes beside the vectors, readable."""

    async def remember(self, said: Mapping[str, Assessment | None]) -> None:
        """Make assessments readable, but not the vectors by which items are found; None removes one."""

    async def forget(self, item_ids: Sequence[str]) -> None:
        """Remove what was stored of items that were deleted."""

    async def complete(self) -> None:
        """Told, again and again, that the models in use assessed the whole catalogue: vectors of others may go."""


class CatalogueMarks(Protocol):
    """Up to where the store has each partition of `items`, remembered in the store itself."""

    async def load(self, partitions: Sequence[int]) -> list[str]:
        """The marks of these partitions, in their order; empty where there is none."""

    async def swap(self, partition: int, old: str, new: str) -> bool:
        """Put a mark in the place of `old`, empty for none; False, and no effect, where something else stands."""


class CatalogueLog(Protocol):
    """The log of the catalogue, read once more, each partition to its end as it is when the reader begins."""

    def items(self, partition: int, start: int) -> AsyncGenerator[RawBatch, None]:
        """What the shop said of its items, from this offset."""

    def vectors(self, partition: int) -> AsyncGenerator[RawBatch, None]:
        """What the models said of the items of this partition."""


class SimilarStore(Protocol):
    """What is like each item, as look-ups see it."""

    async def write(self, lists: Mapping[str, bytes | None]) -> None:
        """Replace the lists of these items; None removes one."""

    async def missing(self, item_ids: Sequence[str]) -> list[str]:
        """Those of these items that have no list, in their order."""


class Infer(Protocol):
    """The models at work, off the event loop."""

    @property
    def models(self) -> Models:
        """Which models they are."""

    async def assess(self, items: Sequence[Item]) -> list[Assessment]:
        """What the models say of each item, in their order; waits while there is more to do than can be done."""


class SecondJudge(Protocol):
    """A slower judge of what the quality model is unsure of, off the event loop."""

    async def judge(self, item: Item) -> float:
        """The probability that the item's text is fine, all that is known of it considered."""


class Outbox(Protocol):
    """Kafka topics that Headrace writes; every method returns when the broker has the records."""

    async def interactions(self, partition: int, keys: Sequence[str], values: Sequence[bytes]) -> None:
        """Append accepted events to the partition with the number that they came from."""

    async def recommendations(self, partition: int, lists: Mapping[str, bytes]) -> None:
        """Append lists, keyed by user."""

    async def vectors(self, partition: int, assessed: Mapping[str, Assessment | None]) -> None:
        """Append what the models say of items to the partition with the number of the items' own; None deletes."""

    async def quarantine(self, rejected: Sequence[Rejected]) -> None:
        """Append what could not be accepted, its bytes untouched, its reason in the headers."""


class Sources(Protocol):
    """What tells a source partition's log from another one with the same name and offsets."""

    async def log_of(self, batch: RawBatch) -> str:
        """The name of the log that the batch is from; empty when its beginning was never seen."""


class Replicas(Protocol):
    """The views of the log that every worker holds whole."""

    async def caught_up(self) -> None:
        """Return once all that stood in the log when partitions were last assigned is learned."""

    @property
    def behind(self) -> bool:
        """True until then."""
