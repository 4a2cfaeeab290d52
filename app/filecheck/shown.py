"""Writes a checked log: text for people, an object for machines."""

from collections.abc import Iterator
from typing import Any

from app.filecheck.count import CheckedLog, CheckedSource, Complaint
from app.filecheck.rejected import RejectedRow
from models.contract.persons import names_person

WORDS_SHOWN = 5
DETAIL_WIDTH = 160
VALUE_WIDTH = 40
VALUE_SEEN = 10


def as_text(log: CheckedLog) -> str:
    """Return what was recognised, what would be accepted, and the way out for the rest."""
    lines = [line for each in log.sources for line in _source(each)]
    if log.ignored:
        lines.append(f"not read, as they have no known shape: {', '.join(log.ignored)}")
    return "".join(f"{line}\n" for line in lines)


def as_object(log: CheckedLog) -> dict[str, Any]:
    """Return the same as an object of JSON."""
    return {
        "ok": not log.fault,
        "fault": log.fault,
        "files": [_object(each) for each in log.sources],
        "ignored": list(log.ignored),
    }


def detail_of(row: RejectedRow) -> str:
    """Return the detail, with the value of the field that it is about if it does not tell it."""
    name = row.detail.split(" ", 1)[0]
    value = row.fields.get(name)
    shown = str(value)[:VALUE_WIDTH]
    told = value is None or shown[:VALUE_SEEN] in row.detail or isinstance(value, dict | list) or names_person(name)
    return row.detail[:DETAIL_WIDTH] + ("" if told else f" ({shown!r})")


def _source(each: CheckedSource) -> Iterator[str]:
    what = "items" if each.source.of == "items" else "events"
    amount = f"{each.rows:,} {what}" if each.is_whole else f"the first {each.rows:,} {what}"
    yield f"{each.source.name}: {each.source.described}"
    topics = ", ".join(
        f"{count:,} {topic.removesuffix('s') if count == 1 else topic}"
        for topic, count in sorted(each.accepted.items())
        if count
    )
    by_topic = f" ({topics})" if what == "events" and topics else ""
    yield f"  {amount}: {each.accepted.total():,} would be accepted{by_topic}, {each.rejected:,} rejected"
    if each.left_out:
        words = [f"{count:,} {word}" for word, count in each.left_out.most_common(WORDS_SHOWN)]
        more = ["…"] if len(each.left_out) > WORDS_SHOWN else []
        yield f"  {each.left_out.total():,} rows are no such interaction and are left out: {', '.join(words + more)}"
    if each.repeats:
        yield f"  {each.repeats:,} events are repeats of others in the file, and count once"
    for field, column in each.unread.items():
        yield f"  the column {column} is not read: try --map '{field}={column}' if it holds {field}"
    for complaint in each.complaints:
        yield from _complaint(complaint)


def _complaint(complaint: Complaint) -> Iterator[str]:
    yield f"  rejected: {complaint.count:,} {' '.join(filter(None, [complaint.reason, complaint.about]))}"
    for row in complaint.rows:
        yield f"    row {row.row:,}: {detail_of(row)}"
    if complaint.way_out:
        yield f"    → {complaint.way_out}"


def _object(each: CheckedSource) -> dict[str, Any]:
    return {
        "files": [str(path) for path in each.source.paths],
        "of": each.source.of,
        "format": each.source.shape,
        "recognised": each.source.described,
        "rows": each.rows,
        "whole": each.is_whole,
        "accepted": dict(sorted(each.accepted.items())),
        "rejected": each.rejected,
        "left_out": dict(each.left_out.most_common()),
        "repeats": each.repeats,
        "unread_columns": each.unread,
        "reasons": [
            {
                "reason": complaint.reason,
                "count": complaint.count,
                "way_out": complaint.way_out,
                "examples": [{"row": row.row, "detail": detail_of(row)} for row in complaint.rows],
            }
            for complaint in each.complaints
        ],
    }
