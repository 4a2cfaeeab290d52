"""The shapes of tracking tools: GA4 in BigQuery, Segment, Snowplow.

Sources: support.google.com/analytics/answer/7029846, segment.com/docs (spec for commerce, v2),
docs.snowplow.io (canonical event, ecommerce entities). All have a time zone or are in UTC.
"""

from collections.abc import Iterator
from typing import Any

from app.datasets.shapes.shape import Fields, Shape, each, embedded, objects, word

NOT_SET = ("(not set)", "", None)
SNOWPLOW_ECOMMERCE = "com_snowplowanalytics_snowplow_ecommerce_"
SNOWPLOW_KINDS = {
    "product_view": "view",
    "list_click": "click",
    "add_to_cart": "cart",
    "add_to_basket": "cart",
    "transaction": "order",
}
SNOWPLOW_CART = "unstruct_event_com_snowplowanalytics_snowplow_add_to_cart_1"


def _ga4(fields: Fields) -> Iterator[Fields]:
    """Yield an event for each of the items; the session is the visitor's id and the session's."""
    params = {str(each.get("key")): _param(each.get("value")) for each in objects(fields.get("event_params"))}
    visitor, session = fields.get("user_pseudo_id"), params.get("ga_session_id") or fields.get("ga_session_id")
    common = {
        **fields,
        "currency": params.get("currency") or fields.get("currency"),
        "session": f"{visitor}.{session}" if visitor and session else None,
    }
    items = objects(fields.get("items"))
    for item in items:
        found = item.get("item_id")
        yield {**common, **item, "item_id": item.get("item_name") if found in NOT_SET else found}
    if not items and any(fields.get(name) not in NOT_SET for name in ("item_id", "items.item_id")):
        yield common


def _param(value: object) -> object:
    values = value.values() if isinstance(value, dict) else [value]
    return next((each for each in values if each is not None), None)


def _segment(fields: Fields) -> Iterator[Fields]:
    if fields.get("type", "track") != "track":
        return
    properties = embedded(fields.get("properties"))
    common = {**fields, **(properties if isinstance(properties, dict) else {})}
    # `properties` may have fields of the same names as the call's own
    common |= {name: fields[name] for name in ("event", "timestamp", "messageId", "userId") if name in fields}
    products = objects(common.get("products"))
    for product in products:
        yield {"currency": common.get("currency"), **common, **product}
    if not products:
        yield common


def _snowplow(fields: Fields) -> Iterator[Fields]:
    action = _entity(fields, "unstruct_event", "snowplow_ecommerce_action")
    products = _entity(fields, "contexts", "product")
    if action:
        for product in products:
            yield {**fields, **product, "action": action[0].get("type"), "sku": product.get("id")}
        return
    if cart := objects(fields.get(SNOWPLOW_CART)):
        yield {**fields, **cart[0], "action": "add_to_cart", "price": cart[0].get("unitPrice")}
    elif fields.get("ti_sku") or fields.get("event") == "transaction_item":
        item = {"price": fields.get("ti_price"), "quantity": fields.get("ti_quantity"), "sku": fields.get("ti_sku")}
        yield {**fields, **item, "action": "transaction"}
    elif fields.get("se_action"):
        yield {**fields, "action": fields["se_action"], "sku": fields.get("se_label"), "price": None}
    else:
        what = str(fields.get("event_name") or fields.get("event"))
        yield {**fields, "action": f"{what} without items" if word(what) in SNOWPLOW_KINDS else what}


def _entity(fields: Fields, where: str, name: str) -> list[Fields]:
    """Return the data of an entity: of a column of its own, or of one column with all entities."""
    own: Any = fields.get(f"{where}_{SNOWPLOW_ECOMMERCE}{name}_1")
    if own:
        return objects(own)
    found = []
    for outer in objects(fields.get(where)):
        for entity in objects(outer.get("data")):
            if f"snowplow.ecommerce/{name}/" in str(entity.get("schema")):
                found += objects(entity.get("data"))
    return found


GA4 = Shape(
    name="ga4",
    of="events",
    title="GA4 events",
    marks=(frozenset({"event_timestamp", "event_name", "user_pseudo_id"}),),
    fields={
        "ts": ("event_timestamp",),
        "user_id": ("user_id", "user_pseudo_id"),
        "session_id": ("session",),
        "item_id": ("item_id", "items.item_id"),
        "kind": ("event_name",),
        "price": ("price", "items.price"),
        "quantity": ("quantity", "items.quantity"),
        "currency": ("currency",),
    },
    kinds={
        "view_item": "view",
        "select_item": "click",
        "add_to_wishlist": "fav",
        "add_to_cart": "cart",
        "purchase": "order",
        "ecommerce_purchase": "order",
        "in_app_purchase": "order",
    },
    others_left_out=True,
    unit="us",
    zone="UTC",
    explode=each(_ga4),
)
SEGMENT = Shape(
    name="segment",
    of="events",
    title="Segment track calls",
    marks=(
        frozenset({"type", "messageId", "timestamp"}),
        frozenset({"event", "properties", "messageId"}),
        frozenset({"event", "anonymousId", "timestamp"}),
        frozenset({"event", "anonymous_id", "received_at"}),
    ),
    fields={
        "event_id": ("messageId", "message_id", "id"),
        "ts": ("timestamp", "originalTimestamp", "original_timestamp", "sentAt", "receivedAt", "received_at"),
        "user_id": ("userId", "user_id", "anonymousId", "anonymous_id"),
        "session_id": ("session_id",),
        "item_id": ("product_id", "productId", "sku"),
        "kind": ("event",),
        "price": ("price",),
        "quantity": ("quantity",),
        "currency": ("currency",),
        "position": ("position",),
    },
    kinds={
        "product_viewed": "view",
        "product_clicked": "click",
        "product_added_to_wishlist": "fav",
        "product_added": "cart",
        "order_completed": "order",
    },
    others_left_out=True,
    zone="UTC",
    explode=each(_segment),
)
SNOWPLOW = Shape(
    name="snowplow",
    of="events",
    title="Snowplow events",
    marks=(frozenset({"app_id", "collector_tstamp", "event_id"}), frozenset({"collector_tstamp", "domain_userid"})),
    fields={
        "event_id": ("event_id",),
        "ts": ("derived_tstamp", "dvce_created_tstamp", "collector_tstamp"),
        "user_id": ("user_id", "domain_userid", "network_userid"),
        "session_id": ("domain_sessionid",),
        "item_id": ("sku",),
        "kind": ("action",),
        "price": ("price",),
        "quantity": ("quantity",),
        "currency": ("currency", "ti_currency", "tr_currency"),
    },
    kinds=SNOWPLOW_KINDS,
    others_left_out=True,
    zone="UTC",
    explode=each(_snowplow),
)
