"""Malformed events of 30 kinds, each with the reason for which it is refused."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import orjson

from models.contract.outcome import Reason

SECONDS_A_YEAR = 31_557_600.0


@dataclass(frozen=True, slots=True)
class Malformed:
    """One malformed event: what kind it is, the reason that is expected, and its bytes."""

    what: str
    reason: Reason
    value: bytes | None


Event = dict[str, object]
Damage = Callable[[Event, random.Random], bytes | None]


def _with(**said: object) -> Damage:
    return lambda event, _: orjson.dumps({**event, **said})


def _without(*names: str) -> Damage:
    return lambda event, _: orjson.dumps({name: value for name, value in event.items() if name not in names})


def _cut(event: Event, random: random.Random) -> bytes:
    whole = orjson.dumps(event)
    return whole[: random.randrange(1, len(whole))]


def _not_utf8(event: Event, random: random.Random) -> bytes:
    return orjson.dumps(event).replace(b"item", b"\xff\xfeitem", 1)


def _milliseconds(event: Event, _: random.Random) -> bytes:
    return orjson.dumps({**event, "ts": float(str(event["ts"])) * 1000})


KINDS: dict[str, tuple[Reason, Damage]] = {
    "no value": (Reason.NULL_VALUE, lambda *_: None),
    "empty value": (Reason.MALFORMED_JSON, lambda *_: b""),
    "cut off": (Reason.MALFORMED_JSON, _cut),
    "plain text": (Reason.MALFORMED_JSON, lambda _, random: b"GET /shop/%d HTTP/1.1" % random.randrange(9999)),
    "deep nesting": (Reason.MALFORMED_JSON, lambda _, random: b"[" * random.randrange(2_000, 9_000)),
    "NaN": (Reason.MALFORMED_JSON, lambda event, _: orjson.dumps(event)[:-1] + b',"price":NaN}'),
    "random bytes": (Reason.INVALID_UTF8, lambda _, random: b"\xff" + random.randbytes(60)),
    "Latin-1": (Reason.INVALID_UTF8, _not_utf8),
    "an array": (Reason.NOT_AN_OBJECT, lambda event, _: orjson.dumps([event])),
    "a number": (Reason.NOT_AN_OBJECT, lambda _, random: b"%d" % random.randrange(9999)),
    "a string of JSON": (Reason.NOT_AN_OBJECT, lambda event, _: orjson.dumps(orjson.dumps(event).decode())),
    "too large": (Reason.TOO_LARGE, lambda event, _: orjson.dumps({**event, "surface": "x" * 1_000_001})),
    "no event id": (Reason.MISSING_FIELD, _without("event_id")),
    "no item id": (Reason.MISSING_FIELD, _without("item_id")),
    "no time": (Reason.MISSING_FIELD, _without("ts")),
    "null item id": (Reason.MISSING_FIELD, _with(item_id=None)),
    "no user": (Reason.NO_USER, _without("user_id")),
    "item id is a fraction": (Reason.WRONG_TYPE, lambda event, r: orjson.dumps({**event, "item_id": r.random()})),
    "user id is an object": (Reason.WRONG_TYPE, _with(user_id={"id": "u1"})),
    "time is a truth value": (Reason.WRONG_TYPE, _with(ts=True)),
    "price is a text": (Reason.WRONG_TYPE, _with(price="12,50")),
    "empty item id": (Reason.EMPTY_ID, _with(item_id="")),
    "long user id": (
        Reason.FIELD_TOO_LONG,
        lambda event, r: orjson.dumps({**event, "user_id": "ü" * r.randrange(129, 500)}),
    ),
    "time without a zone": (Reason.INVALID_TIME, _with(ts="2025-10-09T08:00:00")),
    "time in words": (Reason.INVALID_TIME, _with(ts="yesterday")),
    "clock never set": (Reason.TOO_OLD, lambda event, random: orjson.dumps({**event, "ts": random.randrange(9999)})),
    "milliseconds": (Reason.FROM_THE_FUTURE, _milliseconds),
    "negative price": (Reason.NEGATIVE_PRICE, _with(price=-1)),
    "no quantity": (Reason.INVALID_VALUE, _with(quantity=0)),
    "currency in words": (Reason.INVALID_VALUE, _with(currency="euro")),
}


def malformed(count: int, now: float, *, seed: int = 1, skip: tuple[str, ...] = ()) -> Iterator[Malformed]:
    """Yield `count` malformed events, each kind in turn; `now` in seconds. The seed decides all."""
    chosen = random.Random(seed)
    kinds = [(what, *rest) for what, rest in KINDS.items() if what not in skip]
    for number in range(count):
        what, reason, damage = kinds[number % len(kinds)]
        event: Event = {
            "event_id": f"bad-{seed}-{number}",
            "user_id": f"u{chosen.randrange(500)}",
            "item_id": f"i{chosen.randrange(500)}",
            "ts": now - chosen.random() * SECONDS_A_YEAR,
        }
        yield Malformed(what, reason, damage(event, chosen))
