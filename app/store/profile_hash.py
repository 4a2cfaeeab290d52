"""A profile as the fields of its Redis hash and back: each is JSON but the vector, which is little-endian float16."""

import math
from collections.abc import Mapping, Sequence

import orjson

from models.contract.events import KIND_OF_LABEL, Kind
from models.profile import Profile, Seen, Session

FIELDS = ("recent", "bought", "counts", "session", "offsets", "vector", "vector_model")


def encode(profile: Profile) -> dict[str, bytes]:
    """The hash's fields; `recent` is a list of [item_id, event time, kind], newest first."""
    vector = {"vector": profile.vector, "vector_model": profile.vector_model.encode()}
    counts: dict[str, float] = {kind.label: profile.counts[kind] for kind in Kind}
    session = profile.session
    return {
        "recent": orjson.dumps([(seen.item_id, seen.ts, Kind(seen.kind).label) for seen in profile.recent]),
        "bought": orjson.dumps([(seen.item_id, seen.ts) for seen in profile.bought]),
        "counts": orjson.dumps(counts | {"at": profile.counted_at}),
        "session": orjson.dumps(session and (session.session_id, session.start, session.end)),
        "offsets": orjson.dumps(profile.applied),
    } | (vector if profile.vector_model else {})


def decode(values: Sequence[bytes | None]) -> Profile:
    """The profile in the values of FIELDS; an empty one when the hash does not exist.

    Raises ValueError, KeyError or TypeError when somebody else wrote the hash.
    """
    if values[0] is None:
        return Profile()
    *fields, vector, vector_model = values
    recent, bought, counts, session, offsets = (orjson.loads(value or b"null") for value in fields)
    return Profile(
        recent=tuple(Seen(ts, int(KIND_OF_LABEL[kind]), item_id) for item_id, ts, kind in recent),
        bought=tuple(Seen(ts, int(Kind.ORDER), item_id) for item_id, ts in bought),
        counts=_counts(counts),
        counted_at=counts["at"],
        session=Session(*session) if session else None,
        applied=offsets,
        vector=vector or b"",
        vector_model=(vector_model or b"").decode(),
    )


def _counts(counts: Mapping[str, float]) -> tuple[float, ...]:
    found = tuple(float(counts[kind.label]) for kind in Kind)
    if not all(math.isfinite(count) for count in found):
        raise ValueError("a count is not finite")
    return found
