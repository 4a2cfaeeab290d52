"""The shapes of shop systems and feeds: Shopify, Google Merchant, Debezium.

Sources: help.shopify.com (export orders, product CSV), shopify.dev (Admin REST API),
support.google.com/merchants/answer/7052112, debezium.io (change events).
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from app.datasets.record import Row
from app.datasets.shapes.shape import Fields, RowPart, Shape, each, objects, plain
from models.contract.connect_schema import DECIMAL, plain_fields

AMOUNT = re.compile(r"(?P<amount>[\d.,\s]*\d)\s*(?P<currency>[A-Za-z]{3})|(?P<first>[A-Z]{3})\s*(?P<rest>[\d.,]+)")
LONGEST_AMOUNT = 64  # the pattern takes time that grows with the square
NO_OPTION = "Default Title"


def _order_lines(rows: Iterator[Row]) -> Iterator[RowPart]:
    """Yield the lines of orders. Only the first line of an order has all cells of the order."""
    order: Fields = {}
    for row in rows:
        fields = row.fields or {}
        if not order or fields.get("Name") != order.get("Name"):
            order = fields
        filled = {name: fields.get(name) or order.get(name) for name in ("Email", "Created at", "Currency")}
        yield RowPart(row, {**fields, **filled})


def _orders(fields: Fields) -> Iterator[Fields]:
    customer = fields.get("customer")
    user = (customer.get("id") if isinstance(customer, dict) else None) or fields.get("email")
    common = {"created_at": fields.get("created_at"), "currency": fields.get("currency"), "user": user}
    for line in objects(fields.get("line_items")):
        yield {**common, "session": fields.get("name") or fields.get("id"), **line}


def _variants(rows: Iterator[Row]) -> Iterator[RowPart]:
    """Yield the variants of products; rows with another picture only are none.

    Only the first row of a product has its title, vendor and category.
    """
    product: Fields = {}
    for row in rows:
        fields = row.fields or {}
        if fields.get("Title") or fields.get("Handle") != product.get("Handle"):
            product = fields
        if not any(fields.get(name) for name in ("Title", "Variant SKU", "Variant Price")):
            continue
        options = [str(fields[name]) for name in (f"Option{n} Value" for n in (1, 2, 3)) if fields.get(name)]
        title = str(product.get("Title") or "")
        name = title if not options or options == [NO_OPTION] else f"{title} - {' / '.join(options)}"
        own = ("Variant SKU", "Variant Price", "Variant Inventory Qty", "Image Src")
        yield RowPart(row, {**product, **{each: fields.get(each) for each in own}, "name": name})


def _products(fields: Fields) -> Iterator[Fields]:
    variants, images = objects(fields.get("variants")), objects(fields.get("image") or fields.get("images"))
    yield {
        **fields,
        "price": variants[0].get("price") if variants else None,
        "image_src": images[0].get("src") if images else None,
        "available": "false" if fields.get("status") in ("draft", "archived") else None,
    }


def _merchant(fields: Fields) -> Iterator[Fields]:
    item = {plain(name): value for name, value in fields.items() if value not in ("", None)}
    price = item.get("price")
    if isinstance(price, dict):
        item |= {"price": price.get("value"), "currency": price.get("currency")}
    elif isinstance(price, str) and (found := AMOUNT.fullmatch(price.strip()[:LONGEST_AMOUNT])):
        item["price"] = (found["amount"] or found["rest"]).replace(" ", "")
        item["currency"] = (found["currency"] or found["first"]).upper()
    types = item.get("product_types")
    if isinstance(types, list) and types:
        item["product_type"] = types[0]
    if str(item.get("google_product_category", "")).isdecimal():
        del item["google_product_category"]  # a number of Google's list, not a name
    yield item


def _changes(rows: Iterator[Row]) -> Iterator[RowPart]:
    """Yield the row that each change of a table left behind, or the deletion of one."""
    for row in rows:
        fields = row.fields or {}
        payload = fields["payload"] if isinstance(fields.get("payload"), dict) else fields
        deleted = payload.get("op") == "d"
        left = payload.get("before" if deleted else "after")
        values = dict(left) if isinstance(left, dict) else {}
        _decode_decimals(values, fields.get("schema"))
        yield RowPart(row, {"changed_ms": payload.get("ts_ms"), **values}, deleted=deleted)


def _decode_decimals(values: Fields, schema: Any) -> None:
    """Replace decimals of Kafka Connect (base64 of a big-endian number) by numbers."""
    for envelope in objects(schema.get("fields")) if isinstance(schema, dict) else []:
        for column in objects(envelope.get("fields")) if envelope.get("field") in ("after", "before") else []:
            name = column.get("field")
            value = values.get(name) if isinstance(name, str) else None
            if column.get("name") == DECIMAL and isinstance(value, str):
                values |= plain_fields({str(name): value}, {"fields": [column]})


SHOPIFY_ORDERS = Shape(
    name="shopify",
    of="events",
    title="Shopify orders",
    marks=(frozenset({"Name", "Created at", "Lineitem quantity", "Lineitem name"}),),
    fields={
        "ts": ("Created at",),
        "user_id": ("Email",),
        "session_id": ("Name",),
        "item_id": ("Lineitem sku", "Lineitem name"),
        "price": ("Lineitem price",),
        "quantity": ("Lineitem quantity",),
        "currency": ("Currency",),
    },
    kind="order",
    explode=_order_lines,
)
SHOPIFY_ORDERS_JSON = Shape(
    name="shopify",
    of="events",
    title="Shopify orders (Admin API)",
    marks=(frozenset({"created_at", "line_items"}),),
    fields={
        "event_id": ("id",),
        "ts": ("created_at",),
        "user_id": ("user",),
        "session_id": ("session",),
        "item_id": ("product_id", "sku", "title"),
        "price": ("price",),
        "quantity": ("quantity",),
        "currency": ("currency",),
    },
    kind="order",
    explode=each(_orders),
)
# The lines of a checkout have no id of their own; an abandoned one is a cart, not an order.
SHOPIFY_CHECKOUTS_JSON = replace(
    SHOPIFY_ORDERS_JSON,
    title="Shopify abandoned checkouts (Admin API)",
    marks=(frozenset({"created_at", "line_items", "abandoned_checkout_url"}),),
    fields={name: places for name, places in SHOPIFY_ORDERS_JSON.fields.items() if name != "event_id"},
    kind="cart",
)
SHOPIFY_PRODUCTS = Shape(
    name="shopify",
    of="items",
    title="Shopify products",
    marks=(frozenset({"Handle", "Title", "Variant Price"}), frozenset({"Handle", "Title", "Variant SKU"})),
    fields={
        "item_id": ("Variant SKU", "name"),
        "title": ("Title",),
        "category": ("Product Category", "Type"),
        "brand": ("Vendor",),
        "description": ("Body (HTML)",),
        "price": ("Variant Price",),
        "image_url": ("Image Src",),
    },
    explode=_variants,
)
SHOPIFY_PRODUCTS_JSON = Shape(
    name="shopify",
    of="items",
    title="Shopify products (Admin API)",
    marks=(frozenset({"id", "title", "variants", "vendor"}),),
    fields={
        "item_id": ("id",),
        "title": ("title",),
        "category": ("product_type",),
        "brand": ("vendor",),
        "description": ("body_html",),
        "price": ("price",),
        "available": ("available",),
        "image_url": ("image_src",),
        "updated_at": ("updated_at",),
    },
    explode=each(_products),
)
MERCHANT = Shape(
    name="merchant",
    of="items",
    title="Google Merchant items",
    marks=(
        frozenset({"id", "title", "link", "price"}),
        frozenset({"id", "title", "availability", "price"}),
        frozenset({"offer_id", "title", "link"}),
        frozenset({"id", "title", "image_link"}),
    ),
    fields={
        "item_id": ("offer_id", "id"),
        "title": ("title",),
        "category": ("product_type", "google_product_category"),
        "brand": ("brand",),
        "description": ("description",),
        "price": ("price",),
        "currency": ("currency",),
        "available": ("availability",),
        "url": ("link",),
        "image_url": ("image_link",),
    },
    explode=each(_merchant),
    plain_columns=True,
)
DEBEZIUM = Shape(
    name="debezium",
    of="items",
    title="Debezium changes of items",
    marks=(
        frozenset({"op", "after"}),
        frozenset({"op", "before"}),
        frozenset({"schema", "payload"}),
        frozenset({"payload"}),
    ),
    fields={
        "item_id": ("item_id", "product_id", "sku", "id"),
        "title": ("title", "name", "product_name"),
        "category": ("category", "category_name", "product_type"),
        "brand": ("brand", "vendor", "manufacturer"),
        "description": ("description",),
        "price": ("price", "unit_price"),
        "currency": ("currency",),
        "available": ("available", "in_stock", "is_available", "active"),
        "url": ("url", "link"),
        "image_url": ("image_url", "image", "image_link"),
        "updated_at": ("changed_ms",),
    },
    unit="ms",
    explode=_changes,
)
