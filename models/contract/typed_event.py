"""Events by a typed decoder: what it accepts is accepted, what it refuses is explained by
`models.contract.fields`.

It never accepts what the slower checks would refuse; `tests/property` holds both to the same
answers.
"""

from collections.abc import Mapping
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from models.contract.events import OLDEST_TS, Kind
from models.contract.fields import MAX_ID_LENGTH, Refused, moment

Id = Annotated[str, Meta(min_length=1, max_length=MAX_ID_LENGTH)]
Text = Annotated[str, Meta(max_length=MAX_ID_LENGTH)]
# Larger whole numbers are read as floats elsewhere, and so are left to the slower path.
LARGEST: Final = 2**53
Positive = Annotated[int, Meta(gt=0, le=LARGEST)] | Annotated[float, Meta(gt=0)]
NotNegative = Annotated[int, Meta(ge=0, le=LARGEST)] | Annotated[float, Meta(ge=0)]
Currency = Annotated[str, Meta(pattern=r"\A[A-Z]{3}\Z")]


class EventRecord(Struct, forbid_unknown_fields=True, gc=False):
    """The fields of one event; None where a field that may be left out is absent."""

    event_id: Id
    item_id: Id
    ts: float | str
    user_id: Id | None = None
    session_id: Id | None = None
    price: NotNegative | None = None
    quantity: Positive | None = None
    currency: Currency | None = None
    request_id: Text | None = None
    position: NotNegative | None = None
    surface: Text | None = None


class OrderRecord(EventRecord, forbid_unknown_fields=True, gc=False):
    """An order line: its price is above 0."""

    price: Positive | None = None


class CancelledOrder(EventRecord, forbid_unknown_fields=True, gc=False, kw_only=True):
    """An order line that was cancelled: the line as it was sent, and when it was cancelled.

    No decoder makes it: an event with `cancelled_at` always takes the slower path.
    """

    cancelled_at: float


_EVENT: msgspec.json.Decoder[EventRecord] = msgspec.json.Decoder(EventRecord)
_ORDER: msgspec.json.Decoder[EventRecord] = msgspec.json.Decoder(OrderRecord)
_DECODERS: Mapping[Kind, msgspec.json.Decoder[EventRecord]] = {
    Kind.VIEW: _EVENT,
    Kind.CLICK: _EVENT,
    Kind.CART: _EVENT,
    Kind.ORDER: _ORDER,
}
# Whatever else it may raise on bytes from outside would also be explained by the slower path.
REFUSALS = (msgspec.MsgspecError, ValueError, TypeError, RecursionError)


def quick_events(
    values: list[bytes | None], kind: Kind, latest: list[float], max_bytes: int
) -> list[EventRecord | None]:
    """The event in each value, None where the slower path has to look; `ts` of each is a number.

    `latest` is the greatest time of each that is not from the future, in seconds.
    """
    read = _DECODERS[kind].decode
    events: list[EventRecord | None] = []
    for value, end in zip(values, latest, strict=True):
        try:
            event = read(value)  # type: ignore[arg-type]  # None raises TypeError, which is caught
            ts = event.ts
            if type(ts) is str:
                ts = event.ts = moment("ts", ts)
            # No string here: it was turned into a number above.
            sound = OLDEST_TS <= ts <= end and len(value) <= max_bytes  # type: ignore[operator,arg-type]
        except (*REFUSALS, Refused):
            sound = False
        events.append(event if sound and (event.user_id is not None or event.session_id is not None) else None)
    return events
