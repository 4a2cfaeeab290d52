"""A wholesaler's raw log: what is no order is refused for what it is, and a clean log is kept."""

from pathlib import Path

from app.datasets.folder import open_dataset
from app.filecheck.count import CheckedSource, check_log
from models.contract.event_codec import EventSettings

ROWS = 100_000  # the whole logs take half a minute, and were measured for docs/quarantine.md
NOW = 1_800_000_000.0
MOST_OF_A_CLEAN_LOG = 0.001


def checked(path: Path) -> CheckedSource:
    [source] = check_log(open_dataset(path), EventSettings(), NOW, ROWS).sources
    return source


def test_each_kind_of_dirt_has_a_reason_of_its_own(shop_data: Path) -> None:
    found = checked(shop_data / "uci_online_retail" / "raw_rows.csv.gz")
    assert {each.reason for each in found.complaints} == {
        "cancellation",
        "non_product",
        "returned",
        "stock_remark",
        "zero_price",
        "implausible_quantity",
    }
    assert found.repeats > 0


def test_next_to_nothing_of_a_clean_log_is_refused(shop_data: Path) -> None:
    found = checked(shop_data / "uci_online_retail" / "events.csv.gz")
    assert found.rejected <= MOST_OF_A_CLEAN_LOG * found.rows
