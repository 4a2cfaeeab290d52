"""Events, batches and the pure parts of a worker, with everything a test does not care about filled in."""

from collections.abc import Mapping, Sequence

import numpy as np
import orjson

from models.contract.event_codec import EventSettings
from models.contract.events import Kind, RawBatch
from models.contract.outcome import Rejected
from models.contract.wire import decode_interaction
from models.duplicates import DuplicateFilter
from models.processor import Effects, admit, decide, follow, hash_session
from models.profile import Profile, ProfileSettings
from models.recommender import Lessons, Recommender, RecommenderSettings

NOW = 1_760_000_000.0  # in October 2025
MINUTE, HOUR, DAY = 60.0, 3_600.0, 86_400.0

Fields = dict[str, object]


def event(event_id: object = "e1", /, **said: object) -> Fields:
    """The fields of an event that is accepted from any source topic, but for what is said otherwise."""
    return {"event_id": event_id, "user_id": "u1", "item_id": "i1", "ts": NOW, **said}


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


def batch(*values: Fields | bytes | None, topic: str = "views", partition: int = 0, first: int = 0) -> RawBatch:
    """Consecutive records, appended NOW, with keys k0, k1, …; fields become JSON."""
    count = len(values)
    return RawBatch(
        topic=topic,
        partition=partition,
        offsets=np.arange(first, first + count, dtype=np.int64),
        times=np.full(count, NOW),
        keys=[f"k{row}".encode() for row in range(count)],
        values=[orjson.dumps(value) if isinstance(value, dict) else value for value in values],
    )


def rejected(value: bytes | None = b"{", **said: object) -> Rejected:
    """A rejection that is ready for quarantine."""
    fields: Fields = {"topic": "views", "partition": 0, "offset": 0, "key": b"u1", "detail": "it is broken", **said}
    return Rejected(reason=fields.pop("reason", "malformed_json"), value=value, **fields)  # type: ignore[arg-type]  # told by name


def decided(offset: int, **said: object) -> bytes:
    """An interaction's bytes."""
    return orjson.dumps(interaction(offset, **said))


class PureWorker:
    """A worker without Kafka and Redis: batches in, effects out; profiles are kept in a dict."""

    def __init__(self, settings: RecommenderSettings | None = None, memory: int = 100_000) -> None:
        self.settings = settings or RecommenderSettings()
        self.recommender = Recommender(self.settings)
        self.seen = DuplicateFilter(EventSettings().duplicate_window_seconds, memory)
        self.profiles: dict[str, Profile] = {}

    def decide(self, raw: RawBatch, kind: Kind = Kind.VIEW) -> Effects:
        """What a batch leads to; profiles are written, nothing is learned."""
        admitted = admit(raw, kind, self.seen, EventSettings())
        known = {user: self.profiles.get(user, Profile()) for user in admitted.users}
        effects = decide(follow(admitted, known), known, self.recommender, self.profile_settings, NOW)
        self.profiles.update(effects.profiles)
        return effects

    @property
    def profile_settings(self) -> ProfileSettings:
        """The settings of profiles."""
        return self.settings.profile


def session_ids(effects: Effects) -> list[str]:
    """The session of each emitted interaction."""
    return [decode_interaction(value).session_id for value in effects.interactions]


def teach(recommender: Recommender, sessions: Mapping[str, Sequence[str]], ts: float = NOW) -> None:
    """Learn whole sessions: item ids in the order in which they were looked at, a second apart."""
    for session_id, item_ids in sessions.items():
        count = len(item_ids)
        recommender.learn(
            Lessons(
                recommender.items.numbers(item_ids),
                np.full(count, hash_session(session_id), np.uint64),
                ts + np.arange(count, dtype=np.float64),
                np.ones(count),
            )
        )
