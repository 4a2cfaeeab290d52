"""Describes the HTTP interface as OpenAPI 3.1, for clients that are made from it."""

from importlib.metadata import version
from typing import Any

from app.guard.problems import CONTENT_TYPE
from app.web.catalogue import LONGEST_TEXT, PAGE_ITEMS
from app.web.lookups import SAMPLE_DEFAULT
from app.web.requests import K_DEFAULT
from headrace.questions import K_MAX, USERS_MAX
from models.contract.fields import MAX_ID_LENGTH
from models.contract.outcome import Reason
from models.contract.quarantined import STATES

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
NUMBER: Schema = {"type": "number"}
COUNT: Schema = {"type": "integer", "minimum": 0}
ID: Schema = {"type": "string", "minLength": 1, "maxLength": MAX_ID_LENGTH}
USER_ID: Schema = {
    "type": "string",
    "minLength": 1,
    # A guest's id has `session:` before the session's id.
    "maxLength": MAX_ID_LENGTH + len("session:"),
    "description": "a user id, or session:<session_id> of a guest",
}
UNIX_TIME: Schema = {"type": ["number", "null"], "description": "seconds since 1970"}


IS_WHOLE: Schema = {
    "type": "boolean",
    "description": "false where older records were passed over, or retention removed some",
}


def _object(required: str, **fields: Schema) -> Schema:
    return {"type": "object", "properties": fields, "required": required.split()}


def _listed(schema: str) -> Schema:
    return {"type": "array", "items": {"$ref": f"#/components/schemas/{schema}"}}


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
    "ListedItem": _object("item_id score source", item_id=ID, score=NUMBER, source=TEXT, **SHOWN),
    "List": _object(
        "user_id items event_ts generated_at model",
        user_id=TEXT,
        items=_listed("ListedItem"),
        event_ts=UNIX_TIME,
        generated_at=UNIX_TIME,
        model=TEXT,
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
        states={"type": "object", "properties": {name: COUNT for name in STATES}, "required": list(STATES)},
        reasons={"type": "object", "additionalProperties": COUNT},
        topics={"type": "object", "additionalProperties": COUNT},
        rows={
            "type": "array",
            "items": _object("reason topic count", reason=TEXT, topic=TEXT, count=COUNT),
        },
        hours={"type": "array", "items": _object("time count", time=NUMBER, count=COUNT)},
        oldest=UNIX_TIME,
        newest=UNIX_TIME,
        is_whole=IS_WHOLE,
    ),
    "Live": {"type": "object"},
    "Update": _object(
        "at problem live points feed",
        at=NUMBER,
        problem={"type": "string", "description": "why the figures of now are missing; mostly empty"},
        live={"anyOf": [{"type": "null"}, {"$ref": "#/components/schemas/Live"}]},
        points={"type": "array", "items": {"type": "object"}},
        feed={"type": "array", "items": {"type": "object"}},
    ),
    "Click": _object("user_id item_id", user_id=USER_ID, item_id=ID),
    "Event": _object("event_id item_id ts", event_id=TEXT, user_id=TEXT, session_id=TEXT, item_id=TEXT, ts=NUMBER),
    "Status": _object("status", status=TEXT),
    "Problem": _object("type title status detail", type=TEXT, title=TEXT, status=COUNT, detail=TEXT),
}


def _parameter(name: str, place: str, schema: Schema, *, required: bool = False) -> Schema:
    return {"name": name, "in": place, "schema": schema, "required": required or place == "path"}


def _count(name: str, default: int) -> Schema:
    return _parameter(name, "query", {"type": "integer", "minimum": 1, "maximum": K_MAX, "default": default})


def _answer(schema: str, text: str) -> Schema:
    return {
        "description": text,
        "content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}},
    }


PROBLEM: Schema = {
    "description": "problem details (RFC 9457): what happened and what to do",
    "content": {CONTENT_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
}


def _get(summary: str, answer: Schema, *parameters: Schema) -> Schema:
    return {
        "get": {"summary": summary, "parameters": list(parameters), "responses": {"200": answer, "default": PROBLEM}}
    }


def _plain(content_type: str) -> Schema:
    return {"description": "a text", "content": {content_type: {"schema": TEXT}}}


USER_IN_PATH = _parameter("user_id", "path", USER_ID)
ITEM_IN_PATH, ITEM_IN_QUERY = _parameter("item_id", "path", ID), _parameter("item_id", "query", ID, required=True)
SEVERAL_USERS = _parameter(
    "user_id", "query", {"type": "array", "items": USER_ID, "minItems": 1, "maxItems": USERS_MAX}, required=True
)
SINCE = _parameter("since", "query", {"type": "number", "default": 0, "description": "seconds since 1970"})
K = _count("k", K_DEFAULT)
FLAG: Schema = {"type": "boolean", "default": False}
ITEM_OR_ITEMS: Schema = {
    "description": "the items and how many there are, or the entry",
    "content": {
        "application/json": {
            "schema": {"anyOf": [{"$ref": "#/components/schemas/Items"}, {"$ref": "#/components/schemas/Item"}]}
        }
    },
}
CHOICE = (
    _parameter("reason", "query", {"type": "array", "items": {"type": "string", "enum": list(Reason)}}),
    _parameter("topic", "query", {"type": "array", "items": TEXT}),
    _parameter("since", "query", {"type": "number", "description": "seconds since 1970"}),
    _parameter("until", "query", {"type": "number", "description": "seconds since 1970, not included"}),
)
ONE_OR_MANY: Schema = {
    "description": "the user's list; of several users, their lists in the order of the query",
    "content": {
        "application/json": {
            "schema": {"anyOf": [{"$ref": "#/components/schemas/List"}, {"$ref": "#/components/schemas/Lists"}]}
        }
    },
}
PATHS: dict[str, Schema] = {
    "/recommendations/{user_id}": _get("A user's list", _answer("List", "the list"), USER_IN_PATH, K),
    "/recommendations": _get("The lists of one or several users", ONE_OR_MANY, SEVERAL_USERS, K),
    "/similar/{item_id}": _get("Similar items", _answer("Similar", "the items"), ITEM_IN_PATH, K),
    "/similar": _get("Similar items", _answer("Similar", "the items"), ITEM_IN_QUERY, K),
    "/items/{item_id}": _get("The catalogue's entry", _answer("Item", "the entry"), ITEM_IN_PATH),
    "/items": _get(
        "Items that a verdict on their text hides, or that the shop allows in spite of one; else the entry of item_id",
        ITEM_OR_ITEMS,
        _parameter("item_id", "query", ID),
        _parameter("hidden", "query", FLAG),
        _parameter("allowed", "query", FLAG),
        K,
    ),
    "/catalogue": _get(
        "A page of the catalogue, in no order",
        _answer("Catalogue", "the items"),
        _parameter("search", "query", {"type": "string", "maxLength": LONGEST_TEXT}),
        _parameter("hidden", "query", {"type": "boolean", "default": False}),
        _parameter("cursor", "query", {"type": "string", "default": "0-0"}),
        _count("k", PAGE_ITEMS),
    ),
    "/catalogue/summary": _get("What the catalogue's items lack, and how they are judged", _answer("Live", "counts")),
    "/users/{user_id}": _get("What a user did lately", _answer("User", "the events"), USER_IN_PATH),
    "/users": _get(
        "The users whose lists were written last; with user_id what that user did",
        {
            "description": "the users, or the events",
            "content": {
                "application/json": {
                    "schema": {"anyOf": [{"$ref": "#/components/schemas/Users"}, {"$ref": "#/components/schemas/User"}]}
                }
            },
        },
        _parameter("user_id", "query", USER_ID),
        _count("sample", SAMPLE_DEFAULT),
    ),
    "/quarantine": _get("Rejected records, newest first", _answer("QuarantineList", "the records"), *CHOICE, K),
    "/quarantine/stats": _get("How many records were rejected", _answer("QuarantineStats", "counts"), *CHOICE),
    "/live": _get("The workers' figures", _answer("Live", "the figures")),
    "/live/history": _get("The figures, and their last hour", _answer("Update", "both"), SINCE),
    "/live/stream": _get(
        "The same every second, as server-sent events; each has what came since the last one",
        _plain("text/event-stream"),
        SINCE,
    ),
    "/events/click": {
        "post": {
            "summary": "Send one click, for trying out",
            "requestBody": {
                "required": True,
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Click"}}},
            },
            "responses": {"202": _answer("Event", "the event as it was sent"), "default": PROBLEM},
        }
    },
    "/healthz": _get("Whether the process lives", _answer("Status", "it does")),
    "/readyz": _get("Whether Redis answers", _answer("Status", "it does")),
    "/metrics": _get("Metrics for Prometheus", _plain("text/plain")),
    "/openapi.json": _get("This description", {"description": "OpenAPI", "content": {"application/json": {}}}),
    "/": _get("The console page", _plain("text/html")),
}


def description() -> Schema:
    """Return the whole description as an object of JSON."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "Headrace", "version": version("headrace"), "license": {"name": "Apache-2.0"}},
        "paths": PATHS,
        "components": {
            "schemas": SCHEMAS,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
        # Without HEADRACE_HTTP_TOKENS no token is needed.
        "security": [{}, {"token": []}],
    }
