"""Events, batches and the pure parts of a worker, with everything a test does not care about filled
in.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import orjson
from numpy.typing import NDArray

from models.contract.event_codec import EventSettings
from models.contract.events import Kind, RawBatch
from models.contract.identity import identities
from models.contract.lists import Ranking
from models.contract.outcome import Rejected
from models.contract.typed_event import EventRecord
from models.contract.wire import decode_interaction
from models.duplicates import DuplicateFilter
from models.processor import ListMaker, admit, decide, follow, hash_session
from models.profile import Profile
from models.recommender import LearningBatch, Recommender, RecommenderSettings
from models.users.stored import StoredFields, decode_profile
from models.users.table import MISSING

NOW = 1_760_000_000.0  # in October 2025
MINUTE, HOUR, DAY = 60.0, 3_600.0, 86_400.0

Fields = dict[str, object]


def event(event_id: object = "e1", /, **said: object) -> Fields:
    """The fields of an event that is accepted from any source topic, but for what is said
    otherwise.
    """
    return {"event_id": event_id, "user_id": "u1", "item_id": "i1", "ts": NOW, **said}


def keys_of(event_ids: Sequence[str]) -> NDArray[np.uint64]:
    """What tells the events with these ids from others, when all else is as `event` has it."""
    return identities([EventRecord(each, "i1", NOW) for each in event_ids], ["u1"] * len(event_ids))


def item(item_id: object = "i1", /, **said: object) -> Fields:
    """The fields of an item that is accepted, but for what is said otherwise."""
    return {"item_id": item_id, "title": f"Title of {item_id}", **said}


def interaction(offset: int = 0, **said: object) -> Fields:
    """The fields of an interaction as a worker emits it."""
    return {
        "event_id": f"e{offset}",
        "user_id": "u1",
        "item_id": "i1",
        "kind": "view",
        "ts": NOW,
        "session_id": "s1",
        "source": "views-0",
        "offset": offset,
        **said,
    }


def without(fields: Fields, *names: str) -> Fields:
    """The fields but for these."""
    return {name: value for name, value in fields.items() if name not in names}


def batch(
    *values: Fields | bytes | None,
    topic: str = "views",
    partition: int = 0,
    first: int = 0,
    keys: Sequence[bytes | None] | None = None,
) -> RawBatch:
    """Consecutive records, appended NOW, with keys k0, k1, … or others; fields become JSON."""
    count = len(values)
    return RawBatch(
        topic=topic,
        partition=partition,
        offsets=np.arange(first, first + count, dtype=np.int64),
        times=np.full(count, NOW),
        keys=[f"k{row}".encode() for row in range(count)] if keys is None else list(keys),
        values=[orjson.dumps(value) if isinstance(value, dict) else value for value in values],
    )


def rejected(value: bytes | None = b"{", **said: object) -> Rejected:
    """A rejection that is ready for quarantine."""
    fields: Fields = {"topic": "views", "partition": 0, "offset": 0, "key": b"u1", "detail": "it is broken", **said}
    return Rejected(reason=fields.pop("reason", "malformed_json"), value=value, **fields)  # type: ignore[arg-type]  # told by name


def decided(offset: int, **said: object) -> bytes:
    """An interaction's bytes."""
    return orjson.dumps(interaction(offset, **said))


@dataclass(frozen=True, slots=True)
class Recommendation:
    """A user's list as it was written."""

    user_id: str
    ranking: Ranking
    event_ts: float
    generated_at: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one batch led to, as objects."""

    profiles: Mapping[str, Profile]
    vectors: Mapping[str, bytes]
    recommendations: list[Recommendation]
    interactions: list[bytes]
    interaction_keys: list[str]
    rejected: list[Rejected]
    accepted: int
    duplicates: int
    unknown_fields: int


class PureWorker:
    """A worker without Kafka and Redis: batches in, outcomes out; what is stored of profiles is
    kept in a dict.
    """

    def __init__(
        self, settings: RecommenderSettings | None = None, memory: int = 100_000, capacity: int = 10_000
    ) -> None:
        self.recommender = Recommender(settings or RecommenderSettings())
        self.seen = DuplicateFilter(EventSettings().duplicate_window_seconds, memory)
        self.maker = ListMaker.of(self.recommender, capacity)
        self.stored: dict[str, StoredFields] = {}

    def decide(self, raw: RawBatch, kind: Kind = Kind.VIEW) -> Outcome:
        """What a batch leads to; profiles are stored, nothing is learned."""
        admitted = admit(raw, kind, self.seen, EventSettings())
        followed = follow(admitted, self.maker.table, self._load(admitted.users))
        effects = decide([followed], self.maker, NOW)
        writes = effects.writes
        self.stored |= dict(zip(writes.user_ids, writes.profiles, strict=True))
        return Outcome(
            profiles={user: self.profile(user) for user in writes.user_ids},
            vectors={user: self.stored[user].get("vector") or b"" for user in writes.user_ids},
            recommendations=[
                read_list(encoded, user) for user, encoded in zip(writes.user_ids, writes.lists, strict=True)
            ],
            interactions=effects.interactions[0],
            interaction_keys=admitted.interactions.user_ids,
            rejected=admitted.rejected,
            accepted=len(admitted.interactions),
            duplicates=admitted.duplicates,
            unknown_fields=admitted.unknown_fields,
        )

    def _load(self, users: Sequence[str]) -> NDArray[np.int32]:
        slots = self.maker.table.find(users)
        missing = [user for user, slot in zip(users, slots.tolist(), strict=True) if slot == MISSING]
        profiles = {user: decode_profile(user, self.stored.get(user, {})) for user in missing}
        slots[slots == MISSING] = self.maker.table.add(profiles)
        return slots

    def profile(self, user: str) -> Profile:
        """The user's profile as it is stored."""
        return decode_profile(user, self.stored[user]) or Profile()

    @property
    def profiles(self) -> dict[str, Profile]:
        """All profiles as they are stored."""
        return {user: self.profile(user) for user in self.stored}


def read_list(encoded: bytes, user_id: str) -> Recommendation:
    """A list out of its JSON."""
    body = orjson.loads(encoded)
    assert body["user_id"] == user_id
    columns = [tuple(each[name] for each in body["items"]) for name in ("item_id", "score", "source")]
    return Recommendation(user_id, Ranking(*columns), body["event_ts"], body["generated_at"])


def session_ids(outcome: Outcome) -> list[str]:
    """The session of each emitted interaction."""
    return [decode_interaction(value).session_id for value in outcome.interactions]


def teach(recommender: Recommender, sessions: Mapping[str, Sequence[str]], ts: float = NOW) -> None:
    """Learn whole sessions: item ids in the order in which they were looked at, a second apart."""
    for session_id, item_ids in sessions.items():
        count = len(item_ids)
        recommender.learn(
            LearningBatch(
                recommender.items.numbers(item_ids),
                np.full(count, hash_session(session_id), np.uint64),
                ts + np.arange(count, dtype=np.float64),
                np.zeros(count, np.int32),
            )
        )
