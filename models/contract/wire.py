"""The JSON of interactions: written for other programs, and read back."""

from typing import Any, NamedTuple

import orjson

from models.contract.events import KIND_OF_LABEL, Interactions, Kind


def encode_interactions(interactions: Interactions, session_ids: list[str], rows: list[int]) -> list[bytes]:
    """The JSON of each of `rows`, with its source position, so that a reader can ignore repeats.

    `session_ids` has one entry per entry of `rows`.
    """
    kind, source = interactions.kind.label, interactions.source
    offsets, ts = interactions.offsets.tolist(), interactions.ts.tolist()
    encoded = []
    for row, session_id in zip(rows, session_ids, strict=True):
        event: dict[str, Any] = {
            "event_id": interactions.event_ids[row],
            "user_id": interactions.user_ids[row],
            "item_id": interactions.item_ids[row],
            "kind": kind,
            "ts": ts[row],
            "session_id": session_id,
            "source": source,
            "offset": offsets[row],
        }
        extras = interactions.extras[row]
        if extras:
            event.update(extras)
        encoded.append(orjson.dumps(event))
    return encoded


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
