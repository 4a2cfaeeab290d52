"""Faults that real logs have, put into a sound log on purpose, so that each one is known.

A fault either spoils the record of something that a user did, or adds a record of something that
nobody did.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

import numpy as np
import orjson

from models.contract.events import KIND_OF_TOPIC, Kind
from models.contract.outcome import Reason

Rng = np.random.Generator
Fields = dict[str, Any]

DUPLICATE = "duplicate"  # the outcome of an event that came before; not a reason
INVENTED = -1  # the row of a record that stands for nothing that a user did
NEVER_SET = 20 * 365 * 86_400.0  # clocks that were never set begin in 1970 and count for some years
ONE_CRAWL = 1_000  # records of one robot, at most
HUNDRED = 100.0
NO_GOODS = ("POST", "SHIPPING", "DISCOUNT", "BANK CHARGES", "CARRIAGE", "AMAZONFEE")


class Fault(StrEnum):
    """Names what is wrong with a record."""

    MILLISECONDS = "milliseconds"
    CLOCK_NEVER_SET = "clock_never_set"
    NO_ZONE = "no_zone"
    NO_ITEM = "no_item"
    NO_USER = "no_user"
    CUT_OFF = "cut_off"
    WRONG_ENCODING = "wrong_encoding"
    ID_TOO_LONG = "id_too_long"
    NEGATIVE_PRICE = "negative_price"
    ZERO_PRICE = "zero_price"
    QUANTITY = "quantity"
    DECIMAL_SHIFT = "decimal_shift"
    REPEATED = "repeated"
    RETURNED = "returned"
    ROBOT = "robot"
    NON_PRODUCT = "non_product"


class SoundEvent(NamedTuple):
    """A record of the log as it is: when it reached the broker, in seconds, and its bytes."""

    topic: str
    key: bytes | None
    value: bytes
    time: float


class Arrival(NamedTuple):
    """A record as it reaches the broker.

    `row` is that of the sound event which it stands for, INVENTED for none. `fault` is empty for a
    sound record.
    """

    topic: str
    key: bytes | None
    value: bytes
    time: float
    row: int
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Spoil:
    """How a record is spoilt, and the reason for which it must be rejected.

    `fits` says of which events it can happen: those of a topic that have the fields.
    """

    reason: str
    spoil: Callable[[Fields, Rng], bytes]
    needs: tuple[str, ...] = ()
    only_orders: bool = False

    def fits(self, topic: str, fields: Fields) -> bool:
        """Return whether an event can have this fault."""
        is_of_kind = not self.only_orders or KIND_OF_TOPIC[topic] is Kind.ORDER
        return is_of_kind and all(fields.get(name) is not None for name in self.needs)


def _set(**changes: Callable[[Fields, Rng], Any]) -> Callable[[Fields, Rng], bytes]:
    """Spoil by other values of fields; None takes the field out."""

    def spoil(fields: Fields, rng: Rng) -> bytes:
        changed = fields | {name: make(fields, rng) for name, make in changes.items()}
        return orjson.dumps({name: value for name, value in changed.items() if value is not None})

    return spoil


def _nothing(_fields: Fields, _rng: Rng) -> None:
    return None


def _cut_off(fields: Fields, rng: Rng) -> bytes:
    whole = orjson.dumps(fields)
    return whole[: int(rng.integers(1, len(whole)))]


def _wrong_encoding(fields: Fields, _rng: Rng) -> bytes:
    return orjson.dumps({**fields, "surface": "café"}).replace("é".encode(), "é".encode("latin-1"))


def _shifted(fields: Fields, rng: Rng) -> float:
    """The price in pence, or two digits short."""
    return float(fields["price"]) * (HUNDRED if rng.random() < 0.5 else 1 / HUNDRED)


def _without_zone(fields: Fields, _rng: Rng) -> str:
    return str(np.datetime64(int(float(fields["ts"])), "s"))


SPOILS: Mapping[Fault, Spoil] = {
    Fault.MILLISECONDS: Spoil(Reason.FROM_THE_FUTURE, _set(ts=lambda fields, _: round(float(fields["ts"]) * 1_000))),
    Fault.CLOCK_NEVER_SET: Spoil(Reason.TOO_OLD, _set(ts=lambda _, rng: float(rng.uniform(0, NEVER_SET)))),
    Fault.NO_ZONE: Spoil(Reason.INVALID_TIME, _set(ts=_without_zone)),
    Fault.NO_ITEM: Spoil(Reason.MISSING_FIELD, _set(item_id=_nothing)),
    Fault.NO_USER: Spoil(Reason.NO_USER, _set(user_id=_nothing, session_id=_nothing)),
    Fault.CUT_OFF: Spoil(Reason.MALFORMED_JSON, _cut_off),
    Fault.WRONG_ENCODING: Spoil(Reason.INVALID_UTF8, _wrong_encoding),
    Fault.ID_TOO_LONG: Spoil(
        Reason.FIELD_TOO_LONG, _set(item_id=lambda fields, rng: f"{fields['item_id']}?ref=" + "x" * 128)
    ),
    Fault.NEGATIVE_PRICE: Spoil(Reason.NEGATIVE_PRICE, _set(price=lambda fields, _: -fields["price"]), ("price",)),
    Fault.ZERO_PRICE: Spoil(Reason.ZERO_PRICE, _set(price=lambda *_: 0), only_orders=True),
    # a barcode that was read into the field of the quantity
    Fault.QUANTITY: Spoil(
        Reason.IMPLAUSIBLE_QUANTITY, _set(quantity=lambda _, rng: int(rng.integers(10**7, 10**13))), only_orders=True
    ),
    Fault.DECIMAL_SHIFT: Spoil(Reason.PRICE_OUTLIER, _set(price=_shifted), ("price",), only_orders=True),
}
ADDED: Mapping[Fault, str] = {
    Fault.REPEATED: DUPLICATE,
    Fault.RETURNED: Reason.RETURNED,
    Fault.ROBOT: Reason.ROBOT,
    Fault.NON_PRODUCT: Reason.NON_PRODUCT,
}
EXPECTED: Mapping[str, str] = dict((*((str(fault), each.reason) for fault, each in SPOILS.items()), *ADDED.items()))


# Nobody can tell from such a record what was meant.
LOST = frozenset({Fault.CUT_OFF, Fault.NO_ITEM, Fault.NO_USER, Fault.ID_TOO_LONG})


def perfectly_read(events: Sequence[SoundEvent], arrivals: Sequence[Arrival]) -> list[Arrival]:
    """Return what a perfect stage would make of the records: those of true events as they were,
    empty ones for what is LOST, and none that stands for nothing.
    """
    true = [(each, events[each.row]) for each in arrivals if each.row != INVENTED]
    return [
        Arrival(event.topic, event.key, b"" if each.fault in LOST else event.value, event.time, each.row)
        for each, event in true
    ]


def corrupt(events: Sequence[SoundEvent], rate: float, faults: Sequence[Fault], rng: Rng) -> list[Arrival]:
    """Return the records of the log with `rate` times as many faulty ones, in the order of their
    times.

    The faults have equal shares, where enough events can have them.
    """
    each = round(rate * len(events) / max(len(faults), 1))
    spoilt = _spoilt(events, {fault: each for fault in faults if fault in SPOILS}, rng)
    sound = [
        Arrival(*event, row) if row not in spoilt else Arrival(event.topic, event.key, *spoilt[row])
        for row, event in enumerate(events)
    ]
    # The first good record of an event is no repeat, so what was spoilt is not repeated.
    kept = [event for row, event in enumerate(events) if row not in spoilt]
    added = [arrival for fault in faults if fault in ADDED for arrival in MAKERS[fault](kept, each, rng)]
    # A stable order: what is added comes after what it repeats.
    return sorted([*sound, *added], key=lambda arrival: arrival.time)


def _spoilt(
    events: Sequence[SoundEvent], wanted: dict[Fault, int], rng: Rng
) -> dict[int, tuple[bytes, float, int, str]]:
    """Spoil events that are drawn at random, each once."""
    found: dict[int, tuple[bytes, float, int, str]] = {}
    for row in rng.permutation(len(events)).tolist():
        if not wanted:
            break
        event = events[row]
        fields = orjson.loads(event.value)
        fault = max(
            (each for each in wanted if SPOILS[each].fits(event.topic, fields)), key=wanted.__getitem__, default=None
        )
        if fault is None:
            continue
        found[row] = (SPOILS[fault].spoil(fields, rng), event.time, row, fault)
        wanted[fault] -= 1
        if not wanted[fault]:
            del wanted[fault]
    return found


def _repeated(events: Sequence[SoundEvent], count: int, rng: Rng) -> list[Arrival]:
    """Send events again after a while, as a producer does that did not hear from the broker."""
    rows = rng.integers(0, len(events), count).tolist()
    pauses = rng.exponential(60.0, count).tolist()
    return [
        Arrival(each.topic, each.key, each.value, each.time + pause, INVENTED, Fault.REPEATED)
        for each, pause in ((events[row], pause) for row, pause in zip(rows, pauses, strict=True))
    ]


def _robots(events: Sequence[SoundEvent], count: int, rng: Rng) -> list[Arrival]:
    """Let programs look through the catalogue: some as fast as they may, some at a steady pace."""
    items = sorted({item for each in events if isinstance(item := orjson.loads(each.value).get("item_id"), str)})
    found: list[Arrival] = []
    while len(found) < count and items:
        number, size = len(found) // ONE_CRAWL, min(ONE_CRAWL, count - len(found))
        start = events[int(rng.integers(len(events)))].time
        pauses = rng.exponential(0.3, size) if number % 2 else rng.normal(7.0, 0.2, size)
        first = int(rng.integers(len(items)))
        for step, time in enumerate((start + np.cumsum(pauses)).tolist()):
            user, item = f"crawler-{number}", items[(first + step) % len(items)]
            fields = {"event_id": f"{user}-{step}", "user_id": user, "item_id": item, "ts": time}
            found.append(Arrival("views", user.encode(), orjson.dumps(fields), time, INVENTED, Fault.ROBOT))
    return found


def _beside_orders(
    fault: Fault, change: Callable[[Rng], Fields], pause: float
) -> Callable[[Sequence[SoundEvent], int, Rng], list[Arrival]]:
    """Add lines beside orders: those of the same user and session, but for what `change` says."""

    def make(events: Sequence[SoundEvent], count: int, rng: Rng) -> list[Arrival]:
        orders = [each for each in events if KIND_OF_TOPIC[each.topic] is Kind.ORDER]
        found = []
        for number in range(count if orders else 0):
            event = orders[int(rng.integers(len(orders)))]
            time = event.time + pause
            fields = orjson.loads(event.value) | {"event_id": f"{fault}-{number}", "ts": time} | change(rng)
            found.append(Arrival(event.topic, event.key, orjson.dumps(fields), time, INVENTED, fault))
        return found

    return make


MAKERS: Mapping[Fault, Callable[[Sequence[SoundEvent], int, Rng], list[Arrival]]] = {
    Fault.REPEATED: _repeated,
    Fault.RETURNED: _beside_orders(Fault.RETURNED, lambda _: {"quantity": -1}, 3 * 86_400.0),
    Fault.ROBOT: _robots,
    Fault.NON_PRODUCT: _beside_orders(
        Fault.NON_PRODUCT, lambda rng: {"item_id": NO_GOODS[int(rng.integers(len(NO_GOODS)))], "quantity": 1}, 0.0
    ),
}
