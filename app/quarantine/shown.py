"""Shows records of the quarantine as JSON, for the command and for HTTP alike."""

from collections import Counter
from contextlib import suppress
from typing import Any

import orjson

from app.kafka.topics import SOURCES
from app.quarantine.reading import QuarantineReading
from models.contract.envelope import open_record
from models.contract.fields import Refused
from models.contract.masked import Named, shown_key, shown_value
from models.contract.offending import offending_field
from models.contract.quarantined import STATES, Quarantined

KEYED_BY_USER = (*SOURCES, "carts", "moved", "forget")


def record_as_json(record: Quarantined, state: str, named: Named | None) -> dict[str, Any]:
    """Return one record. `named` gives pseudonyms; without it, ids are shown as they are."""
    names_user = record.topic in KEYED_BY_USER
    naming: Named = named or str
    name = offending_field(record.reason, record.detail)
    if named is None:
        value = None if record.value is None else record.value.decode(errors="replace")
    else:
        value = shown_value(record.value, record.key if names_user else None, naming)
    return {
        "id": record.record_id,
        "reason": record.reason,
        "detail": record.detail,
        "field": name or None,
        "field_value": _field_value(record, name, naming),
        "topic": record.topic,
        "partition": record.partition,
        "offset": record.offset,
        "time": record.time,
        "state": state,
        "key": shown_key(record.key, names_user=names_user, named=naming),
        "value": value,
        "bytes": len(record.value or b""),
    }


def list_as_json(reading: QuarantineReading, named: Named | None) -> dict[str, Any]:
    """Return the newest records, and how many there are."""
    state = reading.replays.state
    return {
        "records": [record_as_json(each, state(each.record_id), named) for each in reading.newest],
        "total": len(reading.entries),
        "is_whole": reading.is_whole,
    }


def stats_as_json(reading: QuarantineReading) -> dict[str, Any]:
    """Return counts by reason, topic, state and hour."""
    entries = list(reading.entries.values())
    pairs = Counter((each.reason, each.topic) for each in entries)
    states = reading.states()
    return {
        "total": len(entries),
        "states": {name: states[name] for name in STATES},
        "reasons": dict(Counter(each.reason for each in entries).most_common()),
        "topics": dict(Counter(each.topic for each in entries).most_common()),
        "rows": [{"reason": reason, "topic": topic, "count": count} for (reason, topic), count in pairs.most_common()],
        "hours": [{"time": time, "count": count} for time, count in reading.hours().items()],
        "oldest": min((each.time for each in entries), default=None),
        "newest": max((each.time for each in entries), default=None),
        "is_whole": reading.is_whole,
    }


def _field_value(record: Quarantined, name: str, named: Named) -> Any:
    """Return what the record has in a field; None if it cannot be read."""
    with suppress(Refused):
        fields = open_record(record.value, len(record.value or b"")).fields
        if fields is not None and fields.get(name) is not None:
            shown = shown_value(orjson.dumps({name: fields[name]}), None, named)
            with suppress(ValueError):  # what was cut off is no JSON any more
                return orjson.loads(shown or "")[name]
    return None
