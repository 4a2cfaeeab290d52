"""A seeded log of a shop: users and guests, late events, repeats, broken records, and a catalogue
that changes.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from random import Random
from typing import Any

from chaos.broken import broken_event, broken_item
from chaos.records import ITEMS, KIND_OF_TOPIC, Planned

HOUR = 3600.0
RETRIED = 400  # a producer repeats one of this many last events


@dataclass(frozen=True, slots=True)
class Shop:
    """How large the shop is, and which share of its records is what."""

    users: int = 400
    items: int = 150
    guests: float = 0.25
    repeats: float = 0.04
    twins: float = 0.02  # the same event on a second topic
    broken: float = 0.03
    catalogue: float = 0.05
    late: float = 0.2
    without_session: float = 0.05
    texts: float = 0.1  # times as text instead of a number


@dataclass(slots=True)
class _Writer:
    shop: Shop
    rng: Random
    now: float
    taken: set[tuple[str, float]] = field(default_factory=set)
    recent: list[Planned] = field(default_factory=list)
    number: int = 0

    def item(self, item_number: int) -> Planned:
        return Planned(ITEMS, f"i{item_number}".encode(), json.dumps(self._item(item_number)).encode())

    def change(self) -> Planned:
        """An item is described again, sold out, withdrawn, deleted, or broken."""
        way, number = self.rng.random(), self.rng.randrange(self.shop.items)
        key = f"i{number}".encode()
        if way < 0.5:
            return self.item(number)
        if way < 0.6:
            return Planned(ITEMS, key, json.dumps(self._item(number) | {"available": False}).encode())
        if way < 0.7:
            said = {"item_id": f"i{number}", "available": False, "remark": self._next()}
            return Planned(ITEMS, key, json.dumps(said).encode())
        if way < 0.85:
            return Planned(ITEMS, key, None)
        return broken_item(self.rng, self._item(number))

    def event(self) -> Planned:
        topic = self.rng.choices(list(KIND_OF_TOPIC), (12, 6, 3, 2))[0]
        key, said = self._event(topic)
        broken = broken_event(self.rng, topic, key, said) if self.rng.random() < self.shop.broken else None
        if self.rng.random() < self.shop.texts:
            said["ts"] = datetime.fromtimestamp(said["ts"], UTC).isoformat(timespec="milliseconds")
        planned = Planned(topic, key, json.dumps(said).encode())
        # A broken event may be sent again later, repaired, under its id.
        self.recent = [*self.recent[-RETRIED:], planned]
        return broken or planned

    def again(self) -> Planned:
        """A retry of the producer: one of the last events, as it was."""
        return self.rng.choice(self.recent)

    def twin(self) -> Planned:
        """One of the last events on another topic."""
        first = self.rng.choice(self.recent)
        topic = self.rng.choice([topic for topic in KIND_OF_TOPIC if topic != first.topic])
        return Planned(topic, first.key, first.value)

    def _event(self, topic: str) -> tuple[bytes, dict[str, Any]]:
        # Few users are busy, many come once in a while.
        user = int(self.shop.users * self.rng.random() ** 2)
        is_guest = user * self.shop.guests % 1 < self.shop.guests  # every fourth, say
        session = f"s{user}" if is_guest else f"u{user}-{self.rng.randrange(3)}"
        said: dict[str, Any] = {"event_id": f"e{self._next()}", "item_id": self._item_id()}
        key = f"session:{session}" if is_guest else f"u{user}"
        if not is_guest:
            said["user_id"] = key
        if is_guest or self.rng.random() >= self.shop.without_session:
            said["session_id"] = session
        said["ts"] = self._time(key)
        if topic == "orders":
            said |= {"price": self.rng.randrange(1, 90), "quantity": self.rng.randrange(1, 4), "currency": "EUR"}
        return key.encode(), said

    def _item_id(self) -> str:
        """Mostly one of the catalogue; one event in forty is on an item that nobody described."""
        return f"x{self.rng.randrange(9)}" if self.rng.random() < 0.025 else self._popular()

    def _popular(self) -> str:
        return f"i{int(self.shop.items * self.rng.random() ** 1.5)}"

    def _time(self, user: str) -> float:
        """A millisecond in which the user did nothing else, so that every order of two events is
        clear.
        """
        ts = self.now + self.number * 0.001
        if self.rng.random() < self.shop.late:
            ts -= self.rng.uniform(0, 5 * HOUR)
        ts = round(ts, 3)
        while (user, ts) in self.taken:
            ts = round(ts - 0.001, 3)
        self.taken.add((user, ts))
        return ts

    def _item(self, number: int) -> dict[str, Any]:
        said: dict[str, Any] = {"item_id": f"i{number}", "title": f"Item {number} of print {self._next()}"}
        for name, value in (("category", f"c{number % 7}/d{number % 3}"), ("brand", f"b{number % 11}")):
            if self.rng.random() < 0.8:
                said[name] = value
        if self.rng.random() < 0.7:
            said |= {"price": self.rng.randrange(100, 9_000) / 100, "currency": "EUR"}
        return said

    def _next(self) -> int:
        self.number += 1
        return self.number


def shop_log(shop: Shop, seed: int, now: float) -> Iterator[Planned]:
    """The catalogue first, then events without end; `now` in seconds since 1970 is about the newest
    event's time.
    """
    writer = _Writer(shop, Random(f"log {seed}"), now)
    yield from (writer.item(number) for number in range(shop.items))
    yield from (writer.event() for _ in range(20))  # what may be repeated
    while True:
        way = writer.rng.random()
        for share, make in (
            (shop.catalogue, writer.change),
            (shop.repeats, writer.again),
            (shop.twins, writer.twin),
            (1.0, writer.event),
        ):
            if way < share:
                yield make()
                break
            way -= share


def first_records(shop: Shop, seed: int, now: float, count: int) -> list[Planned]:
    """The log's beginning."""
    return list(islice(shop_log(shop, seed, now), count))
