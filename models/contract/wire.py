"""The JSON of interactions: written for other programs, and read back."""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec
import orjson
from msgspec import Struct

from models.contract.events import KIND_OF_LABEL, Kind
from models.contract.interactions import Interactions


class Written(Struct, omit_defaults=True, forbid_unknown_fields=True, gc=False):
    """The fields of an interaction in their order; the optional ones are those that the event
    had.
    """

    event_id: str
    user_id: str
    item_id: str
    kind: str
    ts: float
    session_id: str
    source: str
    offset: int
    price: int | float | None = None
    quantity: int | float | None = None
    currency: str | None = None
    request_id: str | None = None
    position: int | float | None = None
    surface: str | None = None


_ENCODER = msgspec.json.Encoder()


def encode_interactions(interactions: Interactions, session_ids: Sequence[str]) -> list[bytes]:
    """The JSON of each event, with its source position, so that a reader can ignore repeats.

    `session_ids` has one entry per event.
    """
    kind, source = interactions.kind.label, interactions.source
    columns = zip(
        interactions.events,
        interactions.user_ids,
        interactions.ts.tolist(),
        session_ids,
        interactions.offsets.tolist(),
        strict=True,
    )
    written = [
        Written(
            event.event_id, user_id, event.item_id, kind, ts, session_id, source, offset,
            event.price, event.quantity, event.currency, event.request_id, event.position, event.surface,
        )
        for event, user_id, ts, session_id, offset in columns
    ]  # fmt: skip
    # JSON of one value has no line break: in strings it is escaped.
    return _ENCODER.encode_lines(written).split(b"\n")[:-1]


class Learned(NamedTuple):
    """One interaction as a worker learns from it."""

    event_id: str
    user_id: str
    item_id: str
    kind: Kind
    ts: float
    session_id: str
    source: str
    offset: int


_TYPES = (str, str, str, Kind, float, str, str, int)
_OFFSETS = range(1 << 48)


def decode_interaction(value: bytes) -> Learned:
    """Read back what `encode_interactions` wrote. Raises ValueError on anything else."""
    event = orjson.loads(value)
    try:
        learned = Learned(
            event["event_id"],
            event["user_id"],
            event["item_id"],
            KIND_OF_LABEL[event["kind"]],
            event["ts"],
            event["session_id"],
            event["source"],
            event["offset"],
        )
    except (KeyError, TypeError, IndexError) as missing:
        raise ValueError(f"not an interaction: {missing}") from None
    if tuple(map(type, learned)) != _TYPES or learned.offset not in _OFFSETS:
        raise ValueError("not an interaction: a field has another type")
    return learned
