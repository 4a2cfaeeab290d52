"""The shapes of published shop logs: RetailRocket, REES46, OTTO.

Sources: kaggle.com/retailrocket/ecommerce-dataset, rees46.com/en/datasets,
github.com/otto-de/recsys-dataset.
"""

from collections.abc import Iterator
from typing import Any

from app.datasets.record import Row
from app.datasets.shapes.shape import Fields, RowPart, Shape, each, objects

# The properties that RetailRocket did not hide; 790 is known to be the price, as `n15360.000`.
PROPERTIES = {"categoryid": "category", "available": "available", "790": "price"}


def _otto(fields: Fields) -> Iterator[Fields]:
    events = objects(fields.get("events"))
    for event in events:
        yield {"session": fields.get("session"), **event}
    if not events and "aid" in fields:
        yield fields


def _properties(rows: Iterator[Row]) -> Iterator[RowPart]:
    """Gather the properties of each item; the newest value of each counts."""
    items: dict[str, tuple[Row, Fields]] = {}
    times: dict[tuple[str, str], float] = {}
    for row in rows:
        fields = row.fields or {}
        name = PROPERTIES.get(str(fields.get("property")))
        item_id = str(fields.get("itemid") or "")
        _, item = items.setdefault(item_id, (row, {"itemid": item_id}))
        if name is None:
            continue
        time = _time(fields.get("timestamp"))
        if time >= times.get((item_id, name), 0.0):
            times[item_id, name] = time
            value = str(fields.get("value") or "")
            item[name] = value.removeprefix("n") if name == "price" else value
            item["timestamp"] = max(time, float(item.get("timestamp", 0)))
    for row, item in items.values():
        yield RowPart(row, item)


def _time(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        return 0.0


RETAILROCKET = Shape(
    name="retailrocket",
    of="events",
    title="RetailRocket events",
    marks=(frozenset({"timestamp", "visitorid", "event", "itemid"}),),
    fields={"ts": ("timestamp",), "user_id": ("visitorid",), "item_id": ("itemid",), "kind": ("event",)},
    kinds={"view": "view", "addtocart": "cart", "transaction": "order"},
    unit="ms",
)
RETAILROCKET_ITEMS = Shape(
    name="retailrocket",
    of="items",
    title="RetailRocket item properties",
    marks=(frozenset({"timestamp", "itemid", "property", "value"}),),
    fields={
        "item_id": ("itemid",),
        "category": ("category",),
        "available": ("available",),
        "price": ("price",),
        "updated_at": ("timestamp",),
    },
    unit="ms",
    explode=_properties,
    is_gathered=True,
)
REES46 = Shape(
    name="rees46",
    of="events",
    title="REES46 events",
    marks=(frozenset({"event_time", "event_type", "product_id", "user_id"}),),
    fields={
        "ts": ("event_time",),
        "user_id": ("user_id",),
        "session_id": ("user_session",),
        "item_id": ("product_id",),
        "kind": ("event_type",),
        "price": ("price",),
    },
    kinds={"view": "view", "cart": "cart", "purchase": "order", "remove_from_cart": "skip"},
    zone="UTC",
)
OTTO = Shape(
    name="otto",
    of="events",
    title="OTTO sessions",
    marks=(frozenset({"session", "events"}), frozenset({"session", "aid", "ts", "type"})),
    fields={"ts": ("ts",), "session_id": ("session",), "item_id": ("aid",), "kind": ("type",)},
    kinds={"clicks": "click", "carts": "cart", "orders": "order", "0": "click", "1": "cart", "2": "order"},
    unit="auto",  # published in milliseconds, and once in seconds
    explode=each(_otto),
)
