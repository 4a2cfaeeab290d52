"""Files as eight tools write them need no option. Good rows are accepted, bad ones have reasons."""

from pathlib import Path

import pytest
from shop_files import GA4, MERCHANT, SHOP_FILES, SHOPIFY

from app.datasets.folder import open_dataset
from app.filecheck.count import check_log
from app.filecheck.shown import as_text
from models.contract.event_codec import EventSettings

NOW = 1_760_000_000.0
TIMELESS = (MERCHANT,)  # no column of a feed is a time that is read

NAMED = (GA4, SHOPIFY)  # an item without an id has a name, which is its id


@pytest.mark.parametrize("tool", SHOP_FILES)
def test_all_good_rows_of_a_file_are_accepted_and_each_bad_one_has_a_reason(tool: str, tmp_path: Path) -> None:
    shop = SHOP_FILES[tool]
    path = tmp_path / shop.name
    path.write_text(shop.with_bad_rows().text(), encoding="utf-8")
    log = check_log(open_dataset(path), EventSettings(), NOW, None)
    [source] = log.sources
    wrong_times = 0 if shop in TIMELESS else 1
    without_id = 0 if shop in NAMED else 1
    assert source.accepted.total() == len(shop.rows) + 2 - wrong_times - without_id, as_text(log)
    reasons = {each.reason: each.count for each in source.complaints}
    assert reasons == dict.fromkeys(["invalid_time"] * wrong_times + ["missing_field"] * without_id, 1)
    assert all(each.way_out for each in source.complaints)
    assert log.fault == ""
