"""Kafka bytes to columns of accepted events; the only place that knows the wire format of
events.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from models.contract.coercion import EVENT_FORMS, coerce, refuse_coerced
from models.contract.envelope import ENVELOPE, open_record
from models.contract.events import Kind, RawBatch
from models.contract.fields import Refused, event_time, number, optional_id, past_time, required_id, string
from models.contract.interactions import Interactions
from models.contract.mend import MOST_REPAIRS, EventRepair, mend, readable
from models.contract.outcome import Reason, Rejected
from models.contract.typed_event import CancelledOrder, EventRecord, quick_events
from models.setting import setting

CURRENCY_LENGTH = 3

REQUIRED_FIELDS = ("event_id", "item_id", "ts")
USER_FIELDS = ("user_id", "session_id")
CANCELLED_AT = "cancelled_at"


@dataclass(frozen=True, slots=True)
class EventSettings:
    """What is accepted as an event."""

    max_bytes: int = setting(1_000_000, "an event larger than this goes to quarantine", low=1_000)
    future_tolerance_seconds: float = setting(
        300.0, "how far an event's time may be ahead of the broker's", low=0, high=86_400
    )
    duplicate_window_seconds: float = setting(
        86_400.0, "a repeated event_id within this span of event time is a duplicate", low=0
    )
    duplicate_memory: int = setting(
        8_000_000, "event ids remembered per worker; at most 96 bytes each", low=1_000, high=1_000_000_000
    )
    strict: bool = setting(
        False, "refuse fields in another form than the contract's, such as ids as numbers and prices as text"
    )
    repair: bool = setting(
        False,
        "mend events where it is plain what was meant, such as times in milliseconds, instead of quarantining them",
    )
    quantity_limit: float = setting(10_000.0, "an event with a larger quantity goes to quarantine", low=1)
    non_products: str = setting(
        "", "item ids that are no products, such as POST,FEE; events on them go to quarantine, commas between ids"
    )

    def no_goods(self) -> frozenset[str]:
        """Return the item ids that are no products."""
        return frozenset(filter(None, map(str.strip, self.non_products.split(","))))


@dataclass(frozen=True, slots=True)
class Decoded:
    """A decoded batch: what is accepted, what is not, and how many unknown fields were ignored.

    `coerced` counts, by name, the fields of accepted events that had another form than the
    contract's. `accepted.repairs` has what was mended.
    """

    accepted: Interactions
    rejected: list[Rejected]
    unknown_fields: int
    coerced: Counter[str]


def decode(batch: RawBatch, kind: Kind, settings: EventSettings) -> Decoded:
    """Validate every record of `batch`; each becomes one accepted event or one rejection, in offset
    order.
    """
    latest: list[float] = (batch.times + settings.future_tolerance_seconds).tolist()
    events = quick_events(batch.values, kind, latest, settings.max_bytes)
    no_goods, limit = settings.no_goods(), settings.quantity_limit
    if no_goods:
        events = [None if each is None or each.item_id in no_goods else each for each in events]
    events = [None if each is None or (each.quantity or 0) > limit else each for each in events]
    rejected, unknown, coerced, cancelling = [], 0, Counter[str](), False
    repairs: dict[int, tuple[EventRepair, ...]] = {}
    for row in [row for row, event in enumerate(events) if event is None]:
        try:
            parsed, names = _read(batch.values[row], settings.max_bytes)
            event = check_event(parsed, kind, latest[row])
            _check_plausible(event, no_goods, limit)
            refuse_coerced(names, strict=settings.strict)
        except Refused as refused:
            mended = _mended(batch, row, kind, settings, refused) if settings.repair else None
            if mended is None:
                rejected.append(reject(batch, row, refused.reason, refused.detail))
            else:
                events[row], repairs[int(batch.offsets[row])] = mended
                cancelling |= type(mended[0]) is CancelledOrder
        else:
            events[row] = event
            cancelling |= type(event) is CancelledOrder
            unknown += len(parsed.keys() - KNOWN_FIELDS)
            coerced.update(names)
    accepted = _interactions(batch, kind, events, cancelling=cancelling)
    return Decoded(replace(accepted, repairs=repairs) if repairs else accepted, rejected, unknown, coerced)


def _mended(
    batch: RawBatch, row: int, kind: Kind, settings: EventSettings, refused: Refused
) -> tuple[EventRecord, tuple[EventRepair, ...]] | None:
    """Return the event of a refused record after its repairs; None if it stays refused."""
    value, arrival = batch.values[row], float(batch.times[row])
    latest = arrival + settings.future_tolerance_seconds
    try:
        found = readable(value, refused, settings.max_bytes)
        fields = _read(value, settings.max_bytes)[0] if found is None else coerce(found[0], EVENT_FORMS)[0]
    except Refused:
        return None
    done = [] if found is None else [found[1]]
    for _ in range(MOST_REPAIRS):
        try:
            event = check_event(fields, kind, latest)
            _check_plausible(event, settings.no_goods(), settings.quantity_limit)
        except Refused as again:
            found = mend(fields, again, latest, arrival)
            if found is None:
                return None
            fields, repair = found
            done.append(repair)
        else:
            return event, tuple(done)
    return None


def _read(value: bytes | None, max_bytes: int) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return an event's fields in the contract's form, and what was not in it."""
    opened = open_record(value, max_bytes)
    if opened.is_deletion or opened.fields is None:
        raise Refused(Reason.NULL_VALUE, "a deletion in an envelope; an event that happened is not deleted")
    fields, names = coerce(opened.fields, EVENT_FORMS)
    return fields, (ENVELOPE, *names) if opened.enveloped else names


def reject(batch: RawBatch, row: int, reason: Reason, detail: str) -> Rejected:
    """The rejection of one record of `batch`, with its bytes untouched."""
    return Rejected(
        reason,
        detail,
        batch.topic,
        batch.partition,
        int(batch.offsets[row]),
        batch.keys[row],
        batch.values[row],
    )


def _interactions(
    batch: RawBatch, kind: Kind, events: Sequence[EventRecord | None], *, cancelling: bool
) -> Interactions:
    accepted = [event for event in events if event is not None]
    offsets, times = batch.offsets, batch.times
    if len(accepted) < len(events):
        rows = [row for row, event in enumerate(events) if event is not None]
        offsets, times = offsets[rows], times[rows]
    found = Interactions.of(batch.source, kind, offsets, times, accepted)
    return found.with_cancellations() if cancelling else found


def check_event(event: dict[str, Any], kind: Kind, latest: float) -> EventRecord:
    """The event in a JSON object, not later than `latest`. Raises Refused, which says what does not
    hold.
    """
    event_id = required_id(event, "event_id")
    item_id = required_id(event, "item_id")
    user_id = optional_id(event, "user_id")
    session_id = optional_id(event, "session_id")
    if user_id is None and session_id is None:
        raise Refused(Reason.NO_USER, "neither user_id nor session_id")
    ts = event_time(event, latest)
    extras = {name: _EXTRA_CHECKS[name](event[name], kind) for name in _EXTRA_CHECKS if event.get(name) is not None}
    if kind is Kind.ORDER and event.get(CANCELLED_AT) is not None:
        cancelled_at = past_time(event, CANCELLED_AT, latest)
        return CancelledOrder(event_id, item_id, ts, user_id, session_id, cancelled_at=cancelled_at, **extras)
    return EventRecord(event_id, item_id, ts, user_id, session_id, **extras)


def _check_plausible(event: EventRecord, no_goods: frozenset[str], limit: float) -> None:
    if event.item_id in no_goods:
        raise Refused(Reason.NON_PRODUCT, "item_id is one of HEADRACE_EVENTS_NON_PRODUCTS")
    if (event.quantity or 0) > limit:
        detail = f"quantity {event.quantity} is above {limit:g} (HEADRACE_EVENTS_QUANTITY_LIMIT)"
        raise Refused(Reason.IMPLAUSIBLE_QUANTITY, detail)


def _price(value: Any, kind: Kind) -> float:
    """An order has a price above 0; elsewhere the price is a by-product, and 0 says that it is not
    known.
    """
    price = number("price", value)
    if price < 0:
        raise Refused(Reason.NEGATIVE_PRICE, f"price {price} is below 0")
    if price == 0 and kind is Kind.ORDER:
        raise Refused(Reason.ZERO_PRICE, f"price {price} in an order; leave the field out if it is not known")
    return price


def _quantity(value: Any, kind: Kind) -> float:
    quantity = number("quantity", value)
    if quantity < 0 and kind is Kind.ORDER:
        raise Refused(Reason.RETURNED, f"quantity {quantity} is below 0: goods that came back, or a correction")
    if quantity <= 0:  # what is sold by weight may be less than 1
        raise Refused(Reason.INVALID_VALUE, f"quantity {quantity} is not above 0")
    return quantity


def _currency(value: Any, kind: Kind) -> str:
    currency = string("currency", value)
    if len(currency) != CURRENCY_LENGTH or not (currency.isascii() and currency.isalpha() and currency.isupper()):
        raise Refused(Reason.INVALID_VALUE, f"currency {currency[:10]!r} is not an ISO 4217 code")
    return currency


def _position(value: Any, kind: Kind) -> float:
    position = number("position", value)
    if position < 0:
        raise Refused(Reason.INVALID_VALUE, f"position {position} is negative")
    return position


_EXTRA_CHECKS: dict[str, Callable[[Any, Kind], Any]] = {
    # What came back often has no price: that it came back says more.
    "quantity": _quantity,
    "price": _price,
    "currency": _currency,
    "request_id": lambda value, _: string("request_id", value),
    "position": _position,
    "surface": lambda value, _: string("surface", value),
}

KNOWN_FIELDS = frozenset((*REQUIRED_FIELDS, *USER_FIELDS, *_EXTRA_CHECKS, CANCELLED_AT))
