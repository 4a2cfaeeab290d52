"""Files in published shapes become events and items of the contract, without any option."""

from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
from published import EVENT_FILES, ITEM_FILES, RETAILROCKET_PROPERTIES, SECONDS

from app.datasets.folder import open_dataset
from app.datasets.record import Dataset, Record
from app.errors import HeadraceError
from models.contract.event_codec import EventSettings, decode
from models.contract.events import KIND_OF_TOPIC, RawBatch
from models.contract.item_codec import Deleted, changes_of, decode_items
from models.contract.outcome import Rejected

NOW = SECONDS + 1000.0


def opened(folder: Path, name: str, content: str) -> Dataset:
    path = folder / name
    path.write_text(content, encoding="utf-8")
    return open_dataset(path)


def batch(record: Record) -> RawBatch:
    return RawBatch(record.topic, 0, np.zeros(1, np.int64), np.full(1, NOW), [record.key], [record.value])


def rejected(record: Record) -> list[Rejected]:
    if record.topic == "items":
        return [each.rejected for each in decode_items(batch(record), EventSettings()) if each.rejected]
    return decode(batch(record), KIND_OF_TOPIC[record.topic], EventSettings()).rejected


def fields(record: Record) -> dict[str, Any]:
    assert record.value is not None
    found: dict[str, Any] = orjson.loads(record.value)
    return found


def seconds(record: Record) -> int:
    assert record.ts is not None
    return int(record.ts)


@pytest.mark.parametrize("shape", EVENT_FILES)
def test_every_good_row_of_events_is_accepted(shape: str, tmp_path: Path) -> None:
    records = list(opened(tmp_path, *EVENT_FILES[shape]).events())
    assert records
    assert [rejected(record) for record in records] == [[]] * len(records)
    ids = [fields(record)["event_id"] for record in records]
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize("shape", ITEM_FILES)
def test_every_good_row_of_items_is_accepted(shape: str, tmp_path: Path) -> None:
    records = list(opened(tmp_path, *ITEM_FILES[shape]).items())
    assert records
    assert [rejected(record) for record in records] == [[]] * len(records)


@pytest.mark.parametrize(
    ("shape", "said"),
    [
        ("retailrocket", [("views", "355908"), ("carts", "355908"), ("orders", "355908")]),
        ("rees46", [("views", "44600062"), ("carts", "3900821"), ("orders", "3900821")]),
        ("otto", [("clicks", "1517085"), ("carts", "1563459"), ("orders", "1563459")]),
        (
            "ga4",
            [("views", "mug-1"), ("clicks", "mug-1"), ("carts", "mug-1"), ("orders", "mug-1"), ("orders", "cup-2")],
        ),
        (
            "segment",
            [("views", "mug-1"), ("clicks", "mug-1"), ("carts", "mug-1"), ("orders", "mug-1"), ("orders", "cup-2")],
        ),
        (
            "snowplow",
            [("views", "mug-1"), ("clicks", "mug-1"), ("carts", "mug-1"), ("orders", "mug-1"), ("orders", "cup-2")],
        ),
        (
            "snowplow-tabs",
            [("views", "mug-1"), ("clicks", "mug-1"), ("carts", "mug-1"), ("orders", "mug-1"), ("orders", "cup-2")],
        ),
        ("shopify", [("orders", "MUG-B"), ("orders", "Gift, free"), ("orders", "CUP")]),
        ("shopify-json", [("orders", "501"), ("orders", "502")]),
        ("shopify-checkouts", [("carts", "501"), ("carts", "502")]),
    ],
)
def test_words_of_the_shape_become_kinds_and_ids_become_text(
    shape: str, said: list[tuple[str, str]], tmp_path: Path
) -> None:
    records = list(opened(tmp_path, *EVENT_FILES[shape]).events())
    assert [(record.topic, fields(record)["item_id"]) for record in records] == said


@pytest.mark.parametrize(
    ("shape", "user", "session"),
    [
        ("retailrocket", "257597", None),
        ("rees46", "541312140", "72d7"),
        ("otto", None, "42"),
        ("ga4", "u.1", "u.1.1699999000"),
        ("segment", "anon-1", None),
        ("snowplow", "dom-1", "ses-1"),
        ("snowplow-tabs", "dom-1", "ses-1"),
        ("shopify", "ann@example.org", "#1001"),
        ("shopify-json", "207119551", "#1001"),
        ("shopify-checkouts", "ann@example.org", "#3"),
    ],
)
def test_who_acted_and_when_is_read_from_each_shape(
    shape: str, user: str | None, session: str | None, tmp_path: Path
) -> None:
    first = next(opened(tmp_path, *EVENT_FILES[shape]).events())
    event = fields(first)
    assert (event.get("user_id"), event.get("session_id")) == (user, session)
    assert seconds(first) == (1_569_888_000 if shape == "rees46" else SECONDS)


def test_the_lines_of_a_shopify_order_share_what_only_its_first_line_says(tmp_path: Path) -> None:
    _, gift, other = opened(tmp_path, *EVENT_FILES["shopify"]).events()
    assert fields(gift)["user_id"] == "ann@example.org"
    assert fields(gift)["currency"] == "EUR"
    assert "price" not in fields(gift)  # a gift is bought all the same
    assert other.key == b"session:#1002"


def test_prices_and_quantities_are_those_of_the_item(tmp_path: Path) -> None:
    order = [each for each in opened(tmp_path, *EVENT_FILES["ga4"]).events() if each.topic == "orders"]
    assert [(fields(each)["price"], fields(each)["quantity"], fields(each)["currency"]) for each in order] == [
        (9.5, 2, "EUR"),
        (4, 1, "EUR"),
    ]


def test_a_feed_says_price_currency_availability_and_category(tmp_path: Path) -> None:
    mug, cup = map(fields, opened(tmp_path, *ITEM_FILES["merchant"]).items())
    assert mug == {
        "item_id": "mug-1",
        "title": "Mug, blue",
        "category": "Kitchen/Mugs",
        "brand": "Kera",
        "description": "For tea",
        "price": 9.5,
        "currency": "EUR",
        "available": True,
        "url": "https://shop/mug",
        "image_url": "https://shop/mug.jpg",
    }
    assert (cup["available"], cup["category"], cup["price"]) == (False, "Kitchen/Cups", 4)


def test_variants_of_a_product_are_items_with_its_title(tmp_path: Path) -> None:
    blue, red = map(fields, opened(tmp_path, *ITEM_FILES["shopify-products"]).items())
    assert (blue["item_id"], blue["title"], blue["price"]) == ("mug-1", "Mug", 9.5)
    # an order without a SKU names the variant like this
    assert (red["item_id"], red["title"], red["brand"], red["price"]) == ("Mug - Red", "Mug", "Kera", 8.5)


def test_changes_of_a_table_are_unwrapped_and_deletions_delete(tmp_path: Path) -> None:
    mug, cup, old = opened(tmp_path, *ITEM_FILES["debezium"]).items()
    assert fields(mug) == {"item_id": "7", "title": "Mug", "price": 9.5, "available": True, "updated_at": SECONDS}
    assert fields(cup)["price"] == 4.0  # base64 of a decimal with two places
    assert (old.key, old.value) == (b"9", None)
    assert changes_of(decode_items(batch(old), EventSettings())) == [Deleted("9")]


def test_the_folder_of_retailrocket_is_read_as_it_is(tmp_path: Path) -> None:
    first, *rest = RETAILROCKET_PROPERTIES.splitlines(keepends=True)
    (tmp_path / "events.csv").write_text(EVENT_FILES["retailrocket"][1])
    (tmp_path / "item_properties_part1.csv").write_text(first + "".join(rest[:2]))
    (tmp_path / "item_properties_part2.csv").write_text(first + "".join(rest[2:]))
    (tmp_path / "category_tree.csv").write_text("categoryid,parentid\n1016,213\n")
    dataset = open_dataset(tmp_path)
    assert len(list(dataset.events())) == 3
    [item] = map(fields, dataset.items())
    assert item == {
        "item_id": "355908",
        "category": "1338",
        "available": False,
        "price": 15360.0,
        "updated_at": SECONDS + 9,
    }
    assert dataset.ignored == ("category_tree.csv",)


def test_files_of_a_folder_are_read_in_the_order_of_their_times(tmp_path: Path) -> None:
    october = EVENT_FILES["rees46"][1]
    (tmp_path / "2019-Oct.csv").write_text(october)
    (tmp_path / "2019-Nov.csv").write_text(october.replace("2019-10-01", "2019-11-01"))
    times = [record.ts for record in open_dataset(tmp_path).events()]
    assert len(times) == 6
    assert times == sorted(times, key=float)  # type: ignore[arg-type]  # each row has a time


def test_the_same_row_has_the_same_derived_id_and_another_row_has_another(tmp_path: Path) -> None:
    name, content = EVENT_FILES["retailrocket"]
    again = content + content.splitlines()[-1] + "\n"
    ids = [fields(record)["event_id"] for record in opened(tmp_path, name, again).events()]
    assert ids[:3] == [fields(record)["event_id"] for record in opened(tmp_path, "b.csv", content).events()]
    assert len(set(ids)) == 4


def test_a_format_that_is_named_is_not_guessed(tmp_path: Path) -> None:
    from app.datasets.mapping import FileMapping

    path = tmp_path / "events.csv"
    path.write_text(EVENT_FILES["retailrocket"][1])
    with pytest.raises(HeadraceError, match="has not the columns of rees46: expected event_time, event_type"):
        open_dataset(path, FileMapping(format="rees46"))
