"""Small logs in the shapes that tools and shops publish, each with its file's name and content.

Column names, words, units and nesting are those of the published descriptions; shoppers and things
are made up.
"""

import csv
import io
from collections.abc import Sequence
from typing import Any

import orjson
from builders import without

from app.datasets.snowplow_lines import COLUMNS

SECONDS = 1_700_000_000


def lines(*rows: object) -> str:
    """Return rows as JSON lines."""
    return "".join(orjson.dumps(row).decode() + "\n" for row in rows)


def sheet(columns: str, *rows: Sequence[object], separator: str = ",") -> str:
    """Return rows as CSV below a header."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=separator, lineterminator="\n")
    writer.writerows([columns.split(","), *rows])
    return text.getvalue()


def param(key: str, value: object) -> dict[str, object]:
    """Return a parameter as GA4's export in BigQuery writes it."""
    kind = "int_value" if isinstance(value, int) else "string_value"
    return {"key": key, "value": {kind: str(value) if isinstance(value, int) else value}}


def ga4(name: str, user: str, *items: dict[str, Any]) -> dict[str, Any]:
    """Return an event of GA4."""
    return {
        "event_date": "20231114",
        "event_timestamp": str(SECONDS * 1_000_000 + 123_456),
        "event_name": name,
        "event_params": [param("ga_session_id", 1699999000), param("currency", "EUR")],
        "user_id": None,
        "user_pseudo_id": user,
        "items": list(items),
    }


def segment(event: str, **properties: object) -> dict[str, Any]:
    """Return a track call of Segment."""
    return {
        "type": "track",
        "event": event,
        "messageId": f"ajs-{event}",
        "anonymousId": "anon-1",
        "userId": None,
        "timestamp": "2023-11-14T22:13:20.123Z",
        "properties": properties,
    }


def snowplow(number: int, action: str | None, *products: dict[str, Any]) -> dict[str, Any]:
    """Return an enriched event of Snowplow, as its SDKs write it."""
    event: dict[str, Any] = {
        "app_id": "shop",
        "collector_tstamp": "2023-11-14 22:13:20.123",
        "event": "unstruct" if action else "page_view",
        "event_name": "snowplow_ecommerce_action" if action else "page_view",
        "event_id": f"c6ef3124-{number}",
        "user_id": None,
        "domain_userid": "dom-1",
        "domain_sessionid": "ses-1",
    }
    if action:
        name = "com_snowplowanalytics_snowplow_ecommerce_"
        event[f"unstruct_event_{name}snowplow_ecommerce_action_1"] = {"type": action}
        event[f"contexts_{name}product_1"] = list(products)
    return event


def snowplow_line(event: dict[str, Any]) -> str:
    """Return an event of Snowplow as its pipeline writes it: tabs, and whole entities."""
    vendor = "com.snowplowanalytics.snowplow"
    name = "com_snowplowanalytics_snowplow_ecommerce_"
    cells = {**event, "app_id": "shop"}
    if action := event.get(f"unstruct_event_{name}snowplow_ecommerce_action_1"):
        data = {"schema": f"iglu:{vendor}.ecommerce/snowplow_ecommerce_action/jsonschema/1-0-2", "data": action}
        cells["unstruct_event"] = orjson.dumps({"schema": f"iglu:{vendor}/unstruct_event/…", "data": data}).decode()
        entities = [
            {"schema": f"iglu:{vendor}.ecommerce/product/jsonschema/1-0-0", "data": product}
            for product in event[f"contexts_{name}product_1"]
        ]
        page = {"schema": f"iglu:{vendor}/web_page/jsonschema/1-0-0", "data": {"id": "p"}}
        cells["contexts"] = orjson.dumps({"schema": f"iglu:{vendor}/contexts/…", "data": [page, *entities]}).decode()
    return "\t".join(str(cells.get(column) or "") for column in COLUMNS) + "\n"


MUG = {"item_id": "mug-1", "item_name": "Mug", "price": 9.5, "quantity": "2"}
CUP = {"item_id": "cup-2", "item_name": "Cup", "price": 4, "quantity": "1"}
ORDER_COLUMNS = (
    "Name,Email,Financial Status,Paid at,Currency,Subtotal,Created at,Lineitem quantity,Lineitem name,Lineitem price,"
    "Lineitem sku"
)
PRODUCT_COLUMNS = (
    "Handle,Title,Body (HTML),Vendor,Product Category,Type,Option1 Name,Option1 Value,Variant SKU,Variant Price,"
    "Image Src"
)
LINE = {"id": 11, "product_id": 501, "variant_id": 601, "sku": "MUG", "quantity": 1, "price": "9.50"}
ORDER = {
    "id": 1, "name": "#1001", "created_at": "2023-11-14T17:13:20-05:00", "currency": "EUR",
    "customer": {"id": 207119551}, "line_items": [LINE, {**LINE, "id": 12, "product_id": 502}],
}  # fmt: skip
CHECKOUT = {
    **without(ORDER, "customer"), "name": "#3", "email": "ann@example.org", "completed_at": None,
    "abandoned_checkout_url": "https://shop/checkouts/ac/b1946ac9/recover",
    "line_items": [without(line, "id") for line in (LINE, {**LINE, "product_id": 502})],
}  # fmt: skip
PRICE_SCHEMA = {
    "field": "price",
    "type": "bytes",
    "name": "org.apache.kafka.connect.data.Decimal",
    "parameters": {"scale": "2"},
}

SNOWPLOW = (
    snowplow(0, None),
    snowplow(1, "product_view", {"id": "mug-1", "price": 9.5, "currency": "EUR"}),
    snowplow(2, "list_click", {"id": "mug-1", "price": 9.5, "currency": "EUR"}),
    snowplow(3, "add_to_cart", {"id": "mug-1", "price": 9.5, "currency": "EUR"}),
    snowplow(4, "transaction", {"id": "mug-1", "price": 9.5, "quantity": 2}, {"id": "cup-2", "price": 4}),
)

EVENT_FILES: dict[str, tuple[str, str]] = {
    "retailrocket": (
        "events.csv",
        sheet(
            "timestamp,visitorid,event,itemid,transactionid",
            [SECONDS * 1000 + 164, 257597, "view", 355908, ""],
            [SECONDS * 1000 + 165, 257597, "addtocart", 355908, ""],
            [SECONDS * 1000 + 166, 257597, "transaction", 355908, 4000],
        ),
    ),
    "rees46": (
        "2019-Oct.csv",
        sheet(
            "event_time,event_type,product_id,category_id,category_code,brand,price,user_id,user_session",
            [
                "2019-10-01 00:00:00 UTC",
                "view",
                44600062,
                2103807459595387724,
                "",
                "shiseido",
                35.79,
                541312140,
                "72d7",
            ],
            [
                "2019-10-01 00:00:01 UTC",
                "cart",
                3900821,
                2053013552326770905,
                "appliances",
                "",
                33.20,
                554748717,
                "9333",
            ],
            ["2019-10-01 00:00:02 UTC", "purchase", 3900821, 2053013552326770905, "", "", 0.0, 554748717, "9333"],
            ["2019-10-01 00:00:03 UTC", "remove_from_cart", 3900821, 1, "", "", 33.20, 554748717, "9333"],
        ),
    ),
    "online-retail": (
        "Online_Retail.csv",
        sheet(
            "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country",
            ["536365", "71053", "WHITE METAL LANTERN", 6, "2010-12-01 08:26:00", 3.39, "17850", "United Kingdom"],
        ),
    ),
    "otto": (
        "train.jsonl",
        lines(
            {
                "session": 42,
                "events": [
                    {"aid": 1517085, "ts": SECONDS * 1000 + 25, "type": "clicks"},
                    {"aid": 1563459, "ts": SECONDS * 1000 + 99, "type": "carts"},
                    {"aid": 1563459, "ts": SECONDS * 1000 + 150, "type": "orders"},
                ],
            }
        ),
    ),
    "ga4": (
        "ga4.json",
        lines(
            ga4("session_start", "u.1"),
            ga4("view_item", "u.1", MUG),
            ga4("select_item", "u.1", MUG),
            ga4("add_to_cart", "u.1", MUG),
            ga4("purchase", "u.1", MUG, CUP),
        ),
    ),
    "segment": (
        "calls.jsonl",
        lines(
            {"type": "identify", "messageId": "m0", "userId": "u1", "timestamp": "2023-11-14T22:13:20.123Z"},
            segment("Product Viewed", product_id="mug-1", price=9.5, currency="EUR"),
            segment("Product Clicked", product_id="mug-1"),
            segment("Product Added", product_id="mug-1", quantity=2),
            segment(
                "Order Completed", currency="EUR", products=[{"product_id": "mug-1", "price": 9.5}, {"sku": "cup-2"}]
            ),
        ),
    ),
    "snowplow": ("enriched.jsonl", lines(*SNOWPLOW)),
    "snowplow-tabs": ("enriched.tsv", "".join(map(snowplow_line, SNOWPLOW))),
    "shopify": (
        "orders_export_1.csv",
        sheet(
            ORDER_COLUMNS,
            [
                "#1001",
                "ann@example.org",
                "paid",
                "x",
                "EUR",
                "19",
                "2023-11-14 17:13:20 -0500",
                2,
                "Mug - Blue",
                9.5,
                "MUG-B",
            ],
            ["#1001", "ann@example.org", "", "", "", "", "", 1, "Gift, free", 0, ""],
            ["#1002", "", "paid", "x", "EUR", "4", "2023-11-14 17:13:21 -0500", 1, "Cup", 4, "CUP"],
        ),
    ),
    "shopify-json": ("orders.json", orjson.dumps({"orders": [ORDER]}, option=orjson.OPT_INDENT_2).decode()),
    "shopify-checkouts": ("checkouts.json", orjson.dumps({"checkouts": [CHECKOUT]}).decode()),
}
ITEM_FILES: dict[str, tuple[str, str]] = {
    "merchant": (
        "feed.tsv",
        sheet(
            "id,title,description,link,image link,availability,price,brand,google product category,product type",
            ["mug-1", "Mug, blue", "For tea", "https://shop/mug", "https://shop/mug.jpg", "in stock", "9.50 EUR",
             "Kera", "674", "Kitchen > Mugs"],
            ["cup-2", "Cup", "", "https://shop/cup", "", "out of stock", "4 EUR", "", "Kitchen > Cups", ""],
            separator="\t",
        ),
    ),
    "shopify-products": (
        "products_export.csv",
        sheet(
            PRODUCT_COLUMNS,
            ["mug", "Mug", "<p>For tea</p>", "Kera", "Kitchen", "Mugs", "Colour", "Blue", "mug-1", "9.50", "m.jpg"],
            ["mug", "", "", "", "", "", "", "Red", "", "8.50", ""],
            ["mug", "", "", "", "", "", "", "", "", "", "other-picture.jpg"],
        ),
    ),
    "debezium": (
        "changes.jsonl",
        lines(
            {"before": None, "after": {"id": 7, "name": "Mug", "price": "9.50", "in_stock": True}, "op": "c",
             "ts_ms": SECONDS * 1000, "source": {"table": "products"}},
            {
                "schema": {"fields": [{"field": "after", "fields": [PRICE_SCHEMA]}]},
                "payload": {"after": {"id": 8, "name": "Cup", "price": "AZA="}, "op": "u", "ts_ms": SECONDS * 1000},
            },
            {"before": {"id": 9, "name": "Old"}, "after": None, "op": "d", "ts_ms": SECONDS * 1000},
        ),
    ),
}  # fmt: skip
RETAILROCKET_PROPERTIES = sheet(
    "timestamp,itemid,property,value",
    [SECONDS * 1000, 355908, "categoryid", 1338],
    [SECONDS * 1000, 355908, "888", "1116713 960601 n277.200"],
    [SECONDS * 1000, 355908, "available", 1],
    [SECONDS * 1000 + 9000, 355908, "available", 0],
    [SECONDS * 1000, 355908, "790", "n15360.000"],
)
