"""Lists the known shapes, and finds the one of a file by its columns."""

import re
from collections.abc import Collection, Iterable, Mapping

from app.datasets.mapping import KINDS
from app.datasets.shapes.catalogues import (
    DEBEZIUM,
    MERCHANT,
    SHOPIFY_CHECKOUTS_JSON,
    SHOPIFY_ORDERS,
    SHOPIFY_ORDERS_JSON,
    SHOPIFY_PRODUCTS,
    SHOPIFY_PRODUCTS_JSON,
)
from app.datasets.shapes.online_retail import ONLINE_RETAIL
from app.datasets.shapes.shape import Shape
from app.datasets.shapes.shop_logs import OTTO, REES46, RETAILROCKET, RETAILROCKET_ITEMS
from app.datasets.shapes.tracking import GA4, SEGMENT, SNOWPLOW

NAMES = (
    "event_id", "user_id", "session_id", "item_id", "request_id", "surface", "currency", "ts", "price", "quantity",
    "position", "cancelled_at",
)  # fmt: skip
EVENTS = Shape(
    name="headrace",
    of="events",
    title="events in Headrace's own form",
    marks=(frozenset({"item_id", "ts", "kind"}),),
    fields={name: (name,) for name in (*NAMES, "rating", "kind")},
    kinds={kind: kind for kind in KINDS},
    zero_is_unknown=False,
)
ITEMS = Shape(
    name="headrace",
    of="items",
    title="items in Headrace's own form",
    marks=(frozenset({"item_id", "title"}),),
    fields={
        **{name: (name,) for name in ("item_id", "title", "category", "brand", "description", "price", "currency")},
        "available": ("available", "availability"),
        **{name: (name,) for name in ("attributes", "updated_at", "url", "image_url")},
    },
)
PUBLISHED = (
    RETAILROCKET,
    RETAILROCKET_ITEMS,
    REES46,
    OTTO,
    ONLINE_RETAIL,
    GA4,
    SNOWPLOW,
    SEGMENT,
    SHOPIFY_ORDERS,
    SHOPIFY_CHECKOUTS_JSON,  # before the orders, whose columns it has as well
    SHOPIFY_ORDERS_JSON,
    SHOPIFY_PRODUCTS,
    SHOPIFY_PRODUCTS_JSON,
    MERCHANT,
    DEBEZIUM,
)
FORMATS = tuple(dict.fromkeys(shape.name for shape in (EVENTS, *PUBLISHED)))
ITEMS_PREFIX = "items"
NOT_A_LETTER = re.compile(r"[^a-z0-9]")
# Other words for a field, without what is no letter or digit. They are proposed, never assumed.
ALIASES: Mapping[str, tuple[str, ...]] = {
    "event_id": ("eventid", "messageid", "uuid"),
    "ts": (
        "timestamp", "time", "eventtime", "datetime", "date", "createdat", "created", "occurredat", "eventtimestamp",
        "invoicedate", "unixtime", "when", "at",
    ),
    "user_id": (
        "user", "userid", "customerid", "customer", "visitorid", "visitor", "clientid", "memberid", "accountid", "uid",
        "email", "shopper",
    ),
    "session_id": ("session", "sessionid", "usersession", "visitid"),
    "item_id": (
        "item", "itemid", "productid", "product", "sku", "articleid", "article", "asin", "stockcode", "variantid",
        "goodsid", "id",
    ),
    "kind": (
        "event", "eventtype", "type", "action", "eventname", "behavior", "behaviour", "behaviortype", "interaction",
        "activity",
    ),
    "price": ("unitprice", "amount", "itemprice"),
    "quantity": ("qty", "count"),
    "title": ("name", "productname", "itemname", "producttitle"),
    "available": ("instock", "isavailable", "stock", "stockstatus", "inventory", "active"),
    "category": ("categoryname", "producttype", "categorypath"),
    "brand": ("vendor", "manufacturer"),
    "url": ("link", "producturl"),
    "image_url": ("image", "imagelink", "img"),
}  # fmt: skip
# Words for a field inside an object that is named after it, as in `{"user": {"id": ...}}`.
ALIASES_INSIDE: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(("user_id", "session_id", "item_id", "event_id"), ("id",)),
    "kind": ("type", "name"),
}


def shape_of(columns: Collection[str], name: str) -> Shape | None:
    """Return the shape of a file with these columns and this name; None if it has no known one."""
    if name.startswith(ITEMS_PREFIX) and "item_id" in columns:
        return ITEMS
    own = [EVENTS] if "kind" in columns else [EVENTS, ITEMS]
    return next((shape for shape in (*own, *PUBLISHED) if shape.fits(columns)), None)


def shapes_named(format_: str) -> tuple[Shape, ...]:
    """Return the shapes of a format."""
    return tuple(shape for shape in (EVENTS, ITEMS, *PUBLISHED) if shape.name == format_)


def proposals(
    missing: Iterable[str], columns: Collection[str], taken: Collection[str] = (), inside: Collection[str] = ()
) -> dict[str, str]:
    """Return a column for each missing field for which one has a likely name.

    `inside` are the paths of plain values inside objects, such as `user.id`: where the column holds
    objects, the path of the likely value in them is returned instead.
    """
    plain = {NOT_A_LETTER.sub("", each.lower()): each for each in columns if each not in taken}
    found: dict[str, str] = {}
    for field in missing:
        names = (NOT_A_LETTER.sub("", field), *ALIASES.get(field, ()))
        places = (place_in(field, plain[each], inside) for each in names if each in plain)
        place = next((each for each in places if each and each not in {*taken, *found.values()}), None)
        if place is not None:
            found[field] = place
    return found


def place_in(field: str, column: str, inside: Collection[str]) -> str:
    """Return where in a column a field is likely to be: the column itself, or a path of `inside`.

    Returns an empty text if the column holds objects, and no value in them has a likely name.
    """
    start = f"{column}."
    paths = {NOT_A_LETTER.sub("", each[len(start) :].lower()): each for each in inside if each.startswith(start)}
    names = (NOT_A_LETTER.sub("", field), *ALIASES_INSIDE.get(field, ()), *ALIASES.get(field, ()))
    return next((paths[each] for each in names if each in paths), "") if paths else column
