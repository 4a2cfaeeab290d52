"""Translates the parts of rows into records: values into the contract's form, kinds into topics."""

from collections.abc import Collection, Iterator
from typing import Any

import orjson
from xxhash import xxh3_128_hexdigest

from app.datasets.cells import is_cut_off
from app.datasets.field import event_time, topic_of
from app.datasets.mapping import KINDS, SKIP, FileMapping
from app.datasets.moments import Clock, zone_of
from app.datasets.readers import Read, event_reads, item_reads
from app.datasets.record import CellReaders, LeaveOut, Record, Row, quarantined, user_key
from app.datasets.shapes.shape import Fields, RowPart, Shape, word
from models.contract.outcome import Reason

# An order's price has to be above 0; in most shapes 0 stands for a price that is not known.
PRICE = "price"
WITH_DIGITS = ("item_id", "user_id", "session_id", "event_id", "ts", "updated_at")
CUT_OFF = "is a number whose last digits a spreadsheet cut off: format its column as text, and export it again"

# A field, its columns, its function, and whether there is more to try than the first column.
Reader = tuple[str, tuple[str, ...], Read, bool]


class Translator:
    """Makes records of the parts of one file's rows.

    With `derived`, an event without an id gets one: a hash of its row's content and number.
    `columns` are those that a part may have, if they are known: other ones are not looked for.
    """

    def __init__(
        self, shape: Shape, mapping: FileMapping, *, derived: bool, columns: Collection[str] | None = None
    ) -> None:
        self._shape = shape
        self._derived = derived
        self._is_own = shape.name == "headrace"
        self._zero_is_unknown = shape.zero_is_unknown
        clock = clock_of(shape, mapping)
        mapped = {name: (column,) if column else () for name, column in mapping.columns.items()}
        places = {**shape.fields, **mapped}
        if columns is not None:
            places = {name: tuple(each for each in at if each in columns) for name, at in places.items()}
        self._kind_at = places.pop("kind", ())
        self._kind = mapping.kind or (shape.kind if "kind" not in mapped else "")
        self._kinds = {**shape.kinds, **mapping.kinds}
        self._topics: dict[str, str] = {}
        self._rating = places.get("rating", ())
        reads = event_reads(clock, mapping) if shape.of == "events" else item_reads(clock, mapping)
        self._readers: list[Reader] = [
            (name, at, reads[name], len(at) > 1 or "." in at[0])
            for name, at in places.items()
            if at and name in reads and name != "rating"
        ]

    @property
    def cell_readers(self) -> CellReaders | None:
        """Return how single cells are read; None if a field may be in several places."""
        if any(several for *_, several in self._readers) or len(self._kind_at) > 1:
            return None
        fields = {name: (columns[0], read) for name, columns, read, _ in self._readers}
        kind_column = "" if self._kind or not self._kind_at else self._kind_at[0]
        return CellReaders(fields, kind_column, self._topic_of_word, self._is_own, self._derived)

    def event(self, part: RowPart, leave_out: LeaveOut) -> Record | None:
        """Return the record of an event; None if it is left out because it is no interaction."""
        row, fields, place, _ = part
        if row.fault is not None:
            return quarantined(row, *row.fault)
        said = self._kind or _first(fields, self._kind_at)
        if (known := self._topics.get(said) if type(said) is str else None) is not None:
            return self._made(known, row, fields, place)
        kind = self._kind or self._known_kind(said)
        if kind == SKIP or (kind is None and self._shape.others_left_out):
            leave_out(str(said) if said is not None else "rows without a kind")
            return None
        rating = _first(fields, self._rating) if kind == "rating" else None
        topic = topic_of(kind, rating if rating is not None else "") if kind else Reason.UNKNOWN_KIND
        if isinstance(topic, Reason):
            return quarantined(row, topic, self._misfit(topic, said))
        if kind != "rating" and isinstance(said, str):
            self._topics[said] = topic  # a few words, over and over
        return self._made(topic, row, fields, place)

    def _made(self, topic: str, row: Row, fields: Fields, place: int) -> Record:
        event = self._read(fields)
        if self._zero_is_unknown and event.get(PRICE) == 0:
            del event[PRICE]
        if place and "event_id" in event:
            event["event_id"] = f"{event['event_id']}-{place}"
        if self._derived and "event_id" not in event:
            event["event_id"] = derived_id(row, place)
        key = user_key(_text(event.get("user_id")), _text(event.get("session_id")))
        return self._record(topic, key, event, row)

    def item(self, part: RowPart) -> Record:
        """Return the record of an item, or of its deletion."""
        item = self._read(part.fields)
        item_id = item.get("item_id")
        if not isinstance(item_id, str):  # a compacted topic refuses records without a key
            wrong = Reason.MISSING_FIELD if item_id is None else Reason.WRONG_TYPE
            return quarantined(part.row, wrong, "item_id is missing" if item_id is None else "item_id is not a text")
        key = item_id.encode("utf-8", "surrogateescape")
        if part.deleted:
            return Record("items", key, None, None, row=part.row.number)
        return self._record("items", key, item, part.row)

    def _read(self, fields: Fields) -> Fields:
        found: Fields = {}
        get = fields.get
        for name, columns, read, several in self._readers:
            value = get(columns[0])
            if value is None or value == "":
                value = _first(fields, columns) if several else None
                if value is None:
                    continue
            if (said := read(value)) is not None:
                found[name] = said
        return found

    def _record(self, topic: str, key: bytes | None, fields: Fields, row: Row) -> Record:
        try:
            value = orjson.dumps(fields, default=str)
        except orjson.JSONEncodeError:  # refused: text that was not UTF-8, or numbers beyond 64 bits
            return quarantined(row, Reason.INVALID_UTF8, "the row is not UTF-8")
        if b"E+" in value and (name := _cut_off(fields)):
            return quarantined(row, Reason.INVALID_VALUE, f"{name} {CUT_OFF}")
        when = fields.get("cancelled_at")  # a cancellation has the time of its order, and one of its own
        return Record(topic, key, value, event_time(when if when is not None else fields.get("ts")), row=row.number)

    def _known_kind(self, said: object) -> str | None:
        if said is None:
            return None
        text = str(said)
        return self._kinds.get(text) or self._kinds.get(word(text))

    def _topic_of_word(self, said: str) -> str | None:
        kind = self._kind or self._known_kind(said or None)
        if kind is None:
            return "" if said and self._shape.others_left_out else None
        if kind == SKIP:
            return "" if said else None
        topic = topic_of(kind, "")
        return None if isinstance(topic, Reason) else topic

    def _misfit(self, reason: Reason, said: object) -> str:
        if reason is not Reason.UNKNOWN_KIND:
            return "a rating needs a number in the column rating"
        known = ", ".join(KINDS if self._is_own else self._kinds)
        return "kind is missing" if said is None else f"kind {str(said)[:64]!r} is none of {known}"


def _cut_off(fields: Fields) -> str:
    return next((name for name in WITH_DIGITS if is_cut_off(str(fields.get(name, "")))), "")


def clock_of(shape: Shape, mapping: FileMapping) -> Clock:
    """Return how the times of a file are read: as the user says, else as the shape says."""
    zone = mapping.time_zone or shape.zone
    return Clock(mapping.time_unit or shape.unit, zone_of(zone) if zone else None, mapping.time_format)


def derived_id(row: Row, place: int) -> str:
    """Return an id that the same row in the same place always gets."""
    digest = xxh3_128_hexdigest(row.content, seed=row.number)
    return f"{digest}-{place}" if place else digest


def _first(fields: Fields, columns: tuple[str, ...]) -> Any:
    """Return the first filled value of the columns, or None."""
    for column in columns:
        value = fields.get(column)
        if value is None and "." in column:
            value = _inside(fields, column)
        if value is not None and value != "":
            return value
    return None


def _inside(fields: Fields, path: str) -> Any:
    """Return the value at `a.b` inside nested objects, or None."""
    value: Any = fields
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def records(rows: Iterator[Row], shape: Shape, translator: Translator, leave_out: LeaveOut) -> Iterator[Record]:
    """Yield the records of all rows. A row that cannot be read goes to quarantine unchanged."""
    faults: list[Record] = []

    def sound() -> Iterator[Row]:
        for row in rows:
            if row.fault is not None:
                faults.append(quarantined(row, *row.fault))
            else:
                yield row

    for part in shape.explode(sound()):
        if faults:
            yield from faults
            faults.clear()
        record = translator.event(part, leave_out) if shape.of == "events" else translator.item(part)
        if record is not None:
            yield record
    yield from faults
