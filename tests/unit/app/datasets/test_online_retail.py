"""What is no order of a product in UCI's Online Retail has a reason of its own."""

from pathlib import Path
from typing import Any

import pytest
from published import sheet

from app.datasets.folder import open_dataset
from app.datasets.record import Record
from app.filecheck.count import check_log
from models.contract.event_codec import EventSettings

NOW = 1_800_000_000.0
COLUMNS = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country"
GOOD: dict[str, Any] = {
    "InvoiceNo": "536365",
    "StockCode": "71053",
    "Description": "WHITE METAL LANTERN",
    "Quantity": 6,
    "InvoiceDate": "2010-12-01 08:26:00",
    "UnitPrice": 3.39,
    "CustomerID": "17850",
    "Country": "United Kingdom",
}


def read(folder: Path, *changes: dict[str, Any]) -> tuple[list[Record], dict[str, int], int]:
    """Return the records of such rows, how many are rejected by reason, and the repeats."""
    path = folder / "raw.csv"
    path.write_text(sheet(COLUMNS, *[list((GOOD | change).values()) for change in changes]), encoding="utf-8")
    dataset = open_dataset(path)
    [checked] = check_log(dataset, EventSettings(), NOW, None).sources
    rejected = {each.reason: each.count for each in checked.complaints}
    return list(dataset.events()), rejected, checked.repeats


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"StockCode": "POST", "Description": "POSTAGE"}, "non_product"),
        ({"StockCode": "m", "Description": "Manual"}, "non_product"),
        ({"InvoiceNo": "C536379", "Quantity": -1}, "cancellation"),
        ({"Description": "damages", "Quantity": -20, "UnitPrice": 0}, "stock_remark"),
        ({"Description": "?", "UnitPrice": 0}, "stock_remark"),
        ({"Description": "", "Quantity": -10, "UnitPrice": 0}, "returned"),
        ({"UnitPrice": 0}, "zero_price"),
        ({"UnitPrice": -11062.06}, "negative_price"),
        ({"Quantity": 80995}, "implausible_quantity"),
    ],
)
def test_each_has_its_reason(change: dict[str, Any], reason: str, tmp_path: Path) -> None:
    assert read(tmp_path, {}, change)[1] == {reason: 1}


def test_equal_lines_of_an_invoice_are_repeats_and_different_ones_are_not(tmp_path: Path) -> None:
    records, rejected, repeats = read(tmp_path, {}, {}, {"StockCode": "84406B"}, {"Quantity": 12})
    assert (len(records), rejected, repeats) == (4, {}, 1)


def test_a_customer_without_a_number_is_the_guest_of_the_invoice(tmp_path: Path) -> None:
    [record], _, _ = read(tmp_path, {"CustomerID": ""})
    assert record.key == b"session:536365"
