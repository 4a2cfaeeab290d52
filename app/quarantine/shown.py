"""Shows records of the quarantine as JSON, for the command and for HTTP alike."""

from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import orjson

from app.quarantine.reading import QuarantineReading
from app.quarantine.replay import ReplayReport
from models.contract.envelope import open_record
from models.contract.fields import Refused
from models.contract.masked import SHOWN, Named, masked_json, shown_key
from models.contract.offending import offending_field
from models.contract.quarantined import STATES, Quarantined

REPLAY_TEXTS = {
    "only_on_request": "not sent: name --topic items or --reason worse_than_before to send them",
    "unchanged": "not sent: the edits leave them as they are",
    "not_from_a_topic": "not sent: they came from a file; correct it and replay it",
    "no_such_partition": "not sent: Kafka has no such partition of their topic; send them yourself, by their key",
    "replayed_before": "were sent before",
    "found_sent": "had arrived, though the replay that sent them ended early",
    "held_by_others": "not sent: another replay that runs now sends them",
    "in_doubt": "in doubt: a replay ended early, or runs now; --take-over sends what did not arrive",
}
KEYED_BY_ITEM = "items"  # the key of any other record may name a user


def record_as_json(record: Quarantined, state: str, named: Named | None) -> dict[str, Any]:
    """Return one record. `named` gives pseudonyms; without it, ids are shown as they are."""
    names_user = record.topic != KEYED_BY_ITEM
    naming: Named = named or str
    name = offending_field(record.reason, record.detail)
    if named is None:
        whole = value = None if record.value is None else record.value.decode(errors="replace")
    else:
        whole = masked_json(record.value, record.key if names_user else None, naming)
        value = None if whole is None else whole[:SHOWN]
    return {
        "id": record.record_id,
        "reason": record.reason,
        "detail": record.detail,
        "field": name or None,
        "field_value": _field_value(whole, name),
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


def replay_as_json(report: ReplayReport, *, dry_run: bool) -> dict[str, Any]:
    """Return what became of the records that were to be sent again."""
    return {
        "dry_run": dry_run,
        "sent": report.sent.total(),
        "rows": [
            {"reason": reason, "topic": topic, "count": count} for (reason, topic), count in report.sent.most_common()
        ],
        "still_refused": {str(reason): count for reason, count in report.refused.most_common()},
        "only_on_request": report.on_request,
        "not_from_a_topic": report.elsewhere,
        "no_such_partition": report.nowhere,
        "unchanged": report.unchanged,
        "replayed_before": report.replayed_before,
        "found_sent": report.found_sent,
        "held_by_others": report.held_by_others,
        "in_doubt": report.in_doubt,
    }


def replay_lines(told: dict[str, Any]) -> Iterator[str]:
    """Yield the same for people."""
    yield f"{told['sent']:,} records {'would be sent' if told['dry_run'] else 'sent'} again"
    for row in told["rows"]:
        yield f"{row['count']:10,} {row['reason']} to {row['topic']}"
    for reason, count in told["still_refused"].items():
        yield f"{count:10,} would be rejected again: {reason}"
    for name, text in REPLAY_TEXTS.items():
        if told[name]:
            yield f"{told[name]:10,} {text}"


def _field_value(value: str | None, name: str) -> Any:
    """Return what a value has in a field; None if it cannot be read, or is long."""
    if value is None:
        return None
    with suppress(Refused):
        text = value.encode()
        found = (open_record(text, len(text)).fields or {}).get(name)
        return found if len(orjson.dumps(found)) <= SHOWN else None
    return None
