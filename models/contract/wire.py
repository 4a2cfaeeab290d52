"""The JSON of interactions: written for other programs, and read back."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Annotated, Literal

import msgspec
import numpy as np
from msgspec import Meta, Struct

from models.contract.cancelled import KIND_OF_OUTCOME, Outcome
from models.contract.events import Kind
from models.contract.formats import FIRST, INTERACTIONS, check_version
from models.contract.interactions import Interactions
from models.contract.mend import encode_event_repairs
from models.contract.outcome import DOUBTS
from models.contract.typed_event import CancelledOrder, EventRecord

# The formats of records that older versions would misunderstand; all others are of the first.
WITH_CARTS = 2
WITH_CANCELLATIONS = 3


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
    format: int = FIRST
    doubt: str | None = None
    weight: float | None = None
    repairs: list[dict[str, object]] | None = None


class WrittenCancellation(Written, omit_defaults=True, forbid_unknown_fields=True, gc=False):
    """The fields of a cancellation, or of an order that was cancelled before it came."""

    cancelled_at: float | None = None


_ENCODER = msgspec.json.Encoder()


def encode_interactions(
    interactions: Interactions, session_ids: Sequence[str], outcomes: Sequence[Outcome] | None = None
) -> list[bytes]:
    """The JSON of each event, with its source position, so that a reader can ignore repeats.

    `session_ids` has one entry per event, and so has `outcomes` where there are cancellations. Only
    carts and cancellations say their format: the first has all other kinds.
    """
    kind, source = interactions.kind.label, interactions.source
    said = WITH_CARTS if interactions.kind is Kind.CART else FIRST
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
            said,
        )
        for event, user_id, ts, session_id, offset in columns
    ]  # fmt: skip
    if interactions.doubts is not None:
        for row in interactions.doubts.nonzero()[0].tolist():
            written[row].doubt = DOUBTS[interactions.doubts[row] - 1].value
    if interactions.repairs:
        for row, offset in enumerate(interactions.offsets.tolist()):
            if offset in interactions.repairs:
                written[row].repairs = encode_event_repairs(interactions.repairs[offset])
    if interactions.is_learned is not None:
        for row in np.flatnonzero(~interactions.is_learned).tolist():
            written[row].weight = 0.0
    if outcomes is not None:
        rows = zip(written, interactions.events, outcomes, strict=True)
        written = [_marked(record, event, outcome) for record, event, outcome in rows]
    # JSON of one value has no line break: in strings it is escaped.
    return _ENCODER.encode_lines(written).split(b"\n")[:-1]


def _marked(record: Written, event: EventRecord, outcome: Outcome) -> Written:
    """The record with what became of it, where that is not the rule."""
    if outcome is Outcome.PLAIN:
        return record
    fields = msgspec.structs.asdict(record) | {"kind": KIND_OF_OUTCOME[outcome], "format": WITH_CANCELLATIONS}
    cancelled_at = event.cancelled_at if isinstance(event, CancelledOrder) else None
    return WrittenCancellation(**fields, cancelled_at=cancelled_at)


class Learned(Struct, gc=False):
    """One interaction as a worker learns from it; fields that it does not need are passed over.

    With a `weight` of 0 it is not learned.
    """

    event_id: str
    user_id: str
    item_id: str
    kind: Literal["view", "click", "cart", "order", "cancellation", "unmatched_cancellation", "cancelled_order"]
    ts: float
    session_id: str
    source: str
    offset: Annotated[int, Meta(ge=0, lt=1 << 48)]
    price: float | None = None
    quantity: float | None = None
    weight: float = 1.0
    format: int = FIRST


_DECODER = msgspec.json.Decoder(Learned)


def decode_interaction(value: bytes) -> Learned:
    """Read back what `encode_interactions` wrote. Raises ValueError on anything else."""
    try:
        return _DECODER.decode(value)
    except RecursionError as error:
        raise ValueError(f"not an interaction: {error}") from None


def decode_log(values: Sequence[bytes | None]) -> list[Learned | None]:
    """Each of these as `decode_interaction` reads it, None for what it refuses and for no value.

    Raises NewerFormat for what a newer version of Headrace wrote.

    A log that only Headrace wrote, which is the rule, is decoded in one call.
    """
    if None not in values:
        joined = b"\n".join(values)  # type: ignore[arg-type]  # none of them is None
        # Where a value has a line break of its own, lines are not values.
        if joined.count(b"\n") == len(values) - 1:
            with suppress(ValueError, RecursionError):
                decoded = _DECODER.decode_lines(joined)
                if len(decoded) == len(values):
                    return _checked(list(decoded))
    return _checked([_read(value) for value in values])


def _checked(found: list[Learned | None]) -> list[Learned | None]:
    newest = max((each.format for each in found if each is not None), default=FIRST)
    check_version(INTERACTIONS, newest)
    return found


def _read(value: bytes | None) -> Learned | None:
    if value is None:
        return None
    with suppress(ValueError):
        return decode_interaction(value)
    return None
