"""Describes the values of the HTTP interface as JSON schemas, by name."""

from typing import Any

import msgspec

from app.store.answers import LiveFigures
from app.web.history import FeedEntry, Point
from models.contract.events import GUEST_PREFIX
from models.contract.fields import MAX_ID_LENGTH
from models.contract.outcome import Reason
from models.contract.quarantined import STATES

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
NUMBER: Schema = {"type": "number"}
COUNT: Schema = {"type": "integer", "minimum": 0}
ID: Schema = {"type": "string", "minLength": 1, "maxLength": MAX_ID_LENGTH}
USER_ID: Schema = {
    "description": "a user id, or session:<session_id> of a guest",
    "anyOf": [
        {"type": "string", "minLength": 1, "maxLength": MAX_ID_LENGTH, "not": {"pattern": f"^{GUEST_PREFIX}"}},
        {
            "type": "string",
            "minLength": len(GUEST_PREFIX) + 1,
            "maxLength": len(GUEST_PREFIX) + MAX_ID_LENGTH,
            "pattern": f"^{GUEST_PREFIX}",
        },
    ],
}
SECONDS: Schema = {"type": "number", "minimum": 0, "maximum": 1e12, "description": "seconds since 1970"}
UNIX_TIME: Schema = {"type": ["number", "null"], "description": "seconds since 1970"}


IS_WHOLE: Schema = {
    "type": "boolean",
    "description": "false where older records were passed over, or retention removed some",
}


def _object(required: str, **fields: Schema) -> Schema:
    return {"type": "object", "properties": fields, "required": required.split()}


def reference(schema: str) -> Schema:
    """Return a reference to a schema of SCHEMAS."""
    return {"$ref": f"#/components/schemas/{schema}"}


def either(*schemas: str) -> Schema:
    """Return a schema of answers of several kinds."""
    return {"anyOf": list(map(reference, schemas))}


def _listed(schema: str) -> Schema:
    return {"type": "array", "items": reference(schema)}


def _counts(*names: str) -> Schema:
    return {"type": "object", "properties": dict.fromkeys(names, COUNT), "required": list(names)}


_COUNTS_BY_NAME: Schema = {"type": "object", "additionalProperties": COUNT}


SHOWN: dict[str, Schema] = {
    "title": TEXT,
    "category": TEXT,
    "brand": TEXT,
    "price": NUMBER,
    "currency": TEXT,
    "url": TEXT,
    "image_url": TEXT,
}
SCHEMAS: dict[str, Schema] = {
    "Reason": _object(
        "text",
        text={"type": "string", "description": "why the item is in the list, in words"},
        because_of={"type": "string", "description": "the item of the user that led to it"},
        title={"type": "string", "description": "of because_of"},
        sessions={"type": "integer", "minimum": 1, "description": "how many of the newest sessions hold both"},
        rules={"type": "array", "items": TEXT, "description": "the rules that moved the item"},
    ),
    "ListedItem": _object(
        "item_id score source", item_id=ID, score=NUMBER, source=TEXT, **SHOWN, reason=reference("Reason")
    ),
    "List": _object(
        "user_id items event_ts generated_at model",
        user_id=TEXT,
        items=_listed("ListedItem"),
        event_ts=UNIX_TIME,
        generated_at=UNIX_TIME,
        model=TEXT,
        next={"type": ["string", "null"], "description": "with page: where the next one begins; null at the end"},
        left_out={
            "type": "array",
            "items": _object("item_id rule", item_id=TEXT, rule=TEXT),
            "description": "with explain and rules: items of the list that rules refused",
        },
    ),
    "Lists": _object("lists", lists=_listed("List")),
    "Similar": _object("item_id items", item_id=TEXT, items=_listed("ListedItem")),
    "Item": _object(
        "item_id available",
        item_id=TEXT,
        available={"type": "boolean"},
        **SHOWN,
        quality={"type": "number", "minimum": 0, "maximum": 1},
        reasons={"type": "array", "items": TEXT},
        recommendable={"type": "boolean"},
        repairs={"type": "array", "items": {"type": "object"}},
        allowed_at={"type": "number", "description": "with allowed=true: when the shop decided so, in seconds"},
    ),
    "Catalogue": _object(
        "items cursor read",
        items=_listed("Item"),
        cursor={"type": ["string", "null"], "description": "where the next page begins; null at the end"},
        read={**COUNT, "description": "how many items were looked at"},
    ),
    "Summary": _object(
        "items unavailable hidden_by_text judged quality have reasons repairs repaired is_whole",
        items=COUNT,
        unavailable=COUNT,
        hidden_by_text=COUNT,
        judged=COUNT,
        quality={"type": "array", "items": COUNT, "description": "judged items in equal bins from 0 to 1"},
        have=_COUNTS_BY_NAME,
        reasons=_COUNTS_BY_NAME,
        repairs=_COUNTS_BY_NAME,
        repaired={"type": "array", "items": {"type": "object"}},
        is_whole={"type": "boolean", "description": "whether all items were counted"},
    ),
    "CatalogueMap": _object(
        "items left_out",
        items={
            "type": "array",
            "items": _object(
                "item_id x y shown",
                item_id=ID,
                x={"type": "number", "minimum": 0, "maximum": 1},
                y={"type": "number", "minimum": 0, "maximum": 1},
                title=TEXT,
                category=TEXT,
                shown={"type": "boolean", "description": "whether lists may hold it"},
            ),
        },
        left_out={**COUNT, "description": "items without a vector of the same model"},
    ),
    "Items": _object("items total", items=_listed("Item"), total=COUNT),
    "Recent": _object(
        "item_id ts kind unknown",
        item_id=TEXT,
        ts=NUMBER,
        kind=TEXT,
        title=TEXT,
        category=TEXT,
        unknown={"type": "boolean"},
    ),
    "User": _object(
        "user_id recent counts",
        user_id=TEXT,
        recent=_listed("Recent"),
        counts={"type": "object", "additionalProperties": NUMBER},
    ),
    "Users": _object("users", users={"type": "array", "items": _object("user_id", user_id=TEXT, generated_at=NUMBER)}),
    "Quarantined": _object(
        "id reason detail field topic partition offset time state key value bytes",
        id={"type": "string", "description": "16 hexadecimal digits"},
        reason={"type": "string", "enum": list(Reason)},
        detail=TEXT,
        field={"type": ["string", "null"], "description": "the field for which the record was refused"},
        field_value={"description": "what the record has in that field"},
        topic={"type": "string", "description": "without its prefix; of a row of a file, the file's name"},
        partition=COUNT,
        offset={"type": "integer", "minimum": 0, "description": "of a row of a file, its number from 1"},
        time={"type": "number", "description": "when it was refused, in seconds since 1970"},
        state={"type": "string", "enum": list(STATES)},
        key={"type": ["string", "null"]},
        value={
            "type": ["string", "null"],
            "description": "up to 2,000 characters with pseudonyms in place of ids of users; null for no value "
            "and for one in which ids cannot be found for certain: `headrace quarantine show ID --show-ids` shows it",
        },
        bytes={"type": "integer", "minimum": 0, "description": "the length of the original value"},
    ),
    "QuarantineList": _object(
        "records total is_whole",
        records=_listed("Quarantined"),
        total={"type": "integer", "minimum": 0, "description": "of all that match and were read"},
        is_whole=IS_WHOLE,
    ),
    "QuarantineStats": _object(
        "total states reasons topics rows hours oldest newest is_whole",
        total=COUNT,
        states=_counts(*STATES),
        reasons=_COUNTS_BY_NAME,
        topics=_COUNTS_BY_NAME,
        rows={
            "type": "array",
            "items": _object("reason topic count", reason=TEXT, topic=TEXT, count=COUNT),
        },
        hours={"type": "array", "items": _object("time count", time=NUMBER, count=COUNT)},
        oldest=UNIX_TIME,
        newest=UNIX_TIME,
        is_whole=IS_WHOLE,
    ),
    "Update": _object(
        "at problem live points feed",
        at=NUMBER,
        problem={"type": "string", "description": "why the figures of now are missing; mostly empty"},
        live={"anyOf": [{"type": "null"}, reference("LiveFigures")]},
        points=_listed("Point"),
        feed=_listed("FeedEntry"),
    ),
    "Click": _object("user_id item_id", user_id=USER_ID, item_id=ID),
    "Event": _object("event_id item_id ts", event_id=TEXT, user_id=TEXT, session_id=TEXT, item_id=TEXT, ts=NUMBER),
    "Status": _object("status", status=TEXT),
    "Problem": _object("type title status detail", type=TEXT, title=TEXT, status=COUNT, detail=TEXT),
}
# What dataclasses of the code say themselves.
_, _OF_CLASSES = msgspec.json.schema_components(
    [LiveFigures, Point, FeedEntry], ref_template="#/components/schemas/{name}"
)
SCHEMAS |= _OF_CLASSES
