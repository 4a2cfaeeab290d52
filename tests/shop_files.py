"""Files as eight tools write them, with enough rows to count, and where each row has what.

The columns are those of the published descriptions; shoppers and things are made up.
"""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Literal, Self

import orjson

from app.datasets.snowplow_lines import COLUMNS

SECONDS = 1_700_000_000
ROWS = 40
Row = dict[str, Any]
Path = tuple[str | int, ...]


@dataclass(frozen=True)
class ShopFile:
    """A file of a shop: its rows by column, and the path of each field in a row.

    `swapped` are two fields that are told from each other by their values. `options` are needed to
    read a field that the shape itself does not have.
    """

    name: str
    of: Literal["events", "items"]
    written: Literal["csv", "tabs", "json"]
    rows: Sequence[Row]
    at: Mapping[str, Path]
    separator: str = ","
    options: str = ""
    swapped: tuple[str, str] = ("ts", "user")

    def text(self, separator: str | None = None) -> str:
        """Return the file as its tool writes it."""
        return "\n".join([*self.head(separator), *(self.line(row, separator) for row in self.rows), ""])

    def head(self, separator: str | None = None) -> list[str]:
        """Return the header line, if such files have one."""
        return [self.joined(list(self.rows[0]), separator)] if self.written == "csv" else []

    def line(self, row: Row, separator: str | None = None) -> str:
        """Return a row as a line."""
        if self.written == "json":
            return orjson.dumps(row).decode()
        if self.written == "tabs":
            return "\t".join(str(row.get(column, "")) for column in COLUMNS)
        return self.joined([str(each) for each in row.values()], separator)

    def joined(self, cells: Sequence[str], separator: str | None = None) -> str:
        """Return cells as a line of CSV, with quotes where they are needed."""
        between = separator or self.separator
        return between.join(f'"{each.replace(chr(34), chr(34) * 2)}"' if _is_quoted(each, between) else each
                            for each in cells)  # fmt: skip

    def changed(self, changes: Mapping[int, Mapping[str, Any]]) -> Self:
        """Return the file with other values of fields, by the index of the row."""
        rows = [deepcopy(row) for row in self.rows]
        for index, fields in changes.items():
            for field, value in fields.items():
                put(rows[index], self.at[field], value)
        return replace(self, rows=rows)

    def with_bad_rows(self) -> Self:
        """Return the file with two more rows: one with a time that is none, one without an id."""
        first = len(self.rows)
        longer = replace(self, rows=[*self.rows, *map(deepcopy, self.rows[:2])])
        return longer.changed({first: {"ts": "yesterday"}, first + 1: {"item": ""}})

    def every(self, field: str, change: Any) -> Self:
        """Return the file with the values of a field changed in all rows."""
        return self.changed({n: {field: change(got(row, self.at[field]))} for n, row in enumerate(self.rows)})


def got(row: Row, path: Path) -> Any:
    """Return the value at a path."""
    value: Any = row
    for step in path:
        value = value[step]
    return value


def put(row: Row, path: Path, value: Any) -> None:
    """Write a value at a path."""
    got(row, path[:-1])[path[-1]] = value


def _is_quoted(cell: str, separator: str) -> bool:
    return separator in cell or '"' in cell


def _iso(n: int, form: str) -> str:
    return datetime.fromtimestamp(SECONDS + n, UTC).strftime(form)


def _kind(n: int, *words: str) -> str:
    return words[n % len(words)]


RETAILROCKET = ShopFile(
    "events.csv",
    "events",
    "csv",
    [
        {"timestamp": (SECONDS + n) * 1000, "visitorid": f"2575{n % 7}", "event": _kind(n, "view", "addtocart",
         "transaction"), "itemid": 355900 + n % 9, "transactionid": 4000 + n if n % 3 == 2 else ""}
        for n in range(ROWS)
    ],
    {"ts": ("timestamp",), "user": ("visitorid",), "kind": ("event",), "item": ("itemid",), "text": ("visitorid",)},
)  # fmt: skip
RETAILROCKET_PROPERTIES = ShopFile(
    "item_properties_part1.csv",
    "items",
    "csv",
    [
        {"timestamp": SECONDS * 1000 + n, "itemid": 355900 + n, "property": "790", "value": f"n{1000 + n}.500"}
        for n in range(ROWS)
    ],
    {"ts": ("timestamp",), "item": ("itemid",), "price": ("value",), "text": ("itemid",)},
)
REES46 = ShopFile(
    "2019-Oct.csv",
    "events",
    "csv",
    [
        {"event_time": _iso(n, "%Y-%m-%d %H:%M:%S UTC"), "event_type": _kind(n, "view", "cart", "purchase"),
         "product_id": 44600000 + n % 9, "category_id": 2103807459595387724, "category_code": "",
         "brand": "kera", "price": 35.79 + n, "user_id": 541312140 + n % 5, "user_session": f"72d7-{n % 5}"}
        for n in range(ROWS)
    ],
    {"ts": ("event_time",), "user": ("user_id",), "kind": ("event_type",), "item": ("product_id",),
     "price": ("price",), "text": ("user_session",)},
)  # fmt: skip
GA4 = ShopFile(
    "ga4.json",
    "events",
    "json",
    [
        {"event_date": "20231114", "event_timestamp": str((SECONDS + n) * 1_000_000), "event_name": _kind(n,
         "view_item", "add_to_cart", "purchase"), "event_params": [{"key": "ga_session_id", "value": {"int_value":
         "1699999000"}}], "user_id": None, "user_pseudo_id": f"u.{n % 5}", "items": [{"item_id": f"mug-{n % 9}",
         "item_name": "Mug", "price": 9.5 + n, "quantity": "2"}]}
        for n in range(ROWS)
    ],
    {"ts": ("event_timestamp",), "user": ("user_pseudo_id",), "kind": ("event_name",), "item": ("items", 0, "item_id"),
     "price": ("items", 0, "price"), "text": ("user_pseudo_id",)},
    swapped=("price", "item"),
)  # fmt: skip
SEGMENT = ShopFile(
    "calls.jsonl",
    "events",
    "json",
    [
        {"type": "track", "event": _kind(n, "Product Viewed", "Product Added", "Order Completed"),
         "messageId": f"ajs-{n}", "anonymousId": "anon-1", "userId": f"u{n % 5}",
         "timestamp": _iso(n, "%Y-%m-%dT%H:%M:%S.000Z"), "properties": {"product_id": f"mug-{n % 9}",
         "price": 9.5 + n, "currency": "EUR"}}
        for n in range(ROWS)
    ],
    {"ts": ("timestamp",), "user": ("userId",), "kind": ("event",), "item": ("properties", "product_id"),
     "price": ("properties", "price"), "text": ("userId",)},
)  # fmt: skip
SNOWPLOW = ShopFile(
    "enriched.tsv",
    "events",
    "tabs",
    [
        {"app_id": "shop", "platform": "web", "collector_tstamp": _iso(n, "%Y-%m-%d %H:%M:%S.000"),
         "event": "transaction_item", "event_id": f"c6ef-{n}", "domain_userid": f"dom-{n % 5}", "ti_sku":
         f"mug-{n % 9}", "ti_price": 9.5 + n, "ti_quantity": 2, "ti_currency": "EUR", "domain_sessionid": "ses-1"}
        for n in range(ROWS)
    ],
    {"ts": ("collector_tstamp",), "user": ("domain_userid",), "item": ("ti_sku",), "price": ("ti_price",),
     "text": ("domain_userid",)},
    separator="\t",
)  # fmt: skip
SHOPIFY = ShopFile(
    "orders_export_1.csv",
    "events",
    "csv",
    [
        {"Name": f"#{1000 + n}", "Email": f"ann{n % 5}@example.org", "Financial Status": "paid", "Currency": "EUR",
         "Subtotal": 19, "Created at": _iso(n, "%Y-%m-%d %H:%M:%S +0000"), "Lineitem quantity": 2,
         "Lineitem name": f"Mug, {n % 9}", "Lineitem price": 9.5 + n, "Lineitem sku": f"MUG-{n % 9}"}
        for n in range(ROWS)
    ],
    {"ts": ("Created at",), "user": ("Email",), "item": ("Lineitem sku",), "price": ("Lineitem price",),
     "text": ("Lineitem sku",)},
)  # fmt: skip
MERCHANT = ShopFile(
    "feed.tsv",
    "items",
    "csv",
    [
        {"id": f"mug-{n}", "title": f"Mug, blue {n}", "description": "For tea", "link": f"https://shop/{n}",
         "image link": f"https://shop/{n}.jpg", "availability": _kind(n, "in stock", "out of stock"),
         "price": f"{n + 9.5:.2f} EUR", "brand": "Kera", "changed": SECONDS + n}
        for n in range(ROWS)
    ],
    {"ts": ("changed",), "item": ("id",), "price": ("price",), "text": ("title",), "user": ("title",)},
    separator="\t",
    options="--map updated_at=changed",
    swapped=("ts", "item"),
)  # fmt: skip
DEBEZIUM = ShopFile(
    "changes.jsonl",
    "items",
    "json",
    [
        {"before": None, "after": {"id": 7 + n, "name": f"Mug {n}", "price": f"{n + 9.5:.2f}", "in_stock": n % 2 == 0},
         "op": "c", "ts_ms": (SECONDS + n) * 1000, "source": {"table": "products"}}
        for n in range(ROWS)
    ],
    {"ts": ("ts_ms",), "item": ("after", "id"), "price": ("after", "price"), "text": ("after", "name")},
    swapped=("price", "text"),
)  # fmt: skip
SHOP_FILES: Mapping[str, ShopFile] = {
    "retailrocket": RETAILROCKET,
    "rees46": REES46,
    "ga4": GA4,
    "segment": SEGMENT,
    "snowplow": SNOWPLOW,
    "shopify": SHOPIFY,
    "merchant": MERCHANT,
    "debezium": DEBEZIUM,
}
