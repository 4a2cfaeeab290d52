"""`headrace quality report`: what is in a log, on one page that needs no network."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from app.artefacts.evaluate_listings import listing_targets
from app.main import main

MODELS = Path(__file__).resolve().parents[2] / "onnx"
EVENTS = """event_id,ts,user_id,item_id,kind,price,quantity
1,1700000000,ada-lovelace,tea,view,,
2,1700000000,ada-lovelace,tea,order,4.5,2
2,1700000000,ada-lovelace,tea,order,4.5,2
3,1700000000,ada-lovelace,cup,order,0,1
4,1700000000,ada-lovelace,cup,order,4,-1
"""
ITEMS = """item_id,title,brand,price
tea,Sony Turntable - PSLX350H,Sony,9
cup,Sony PS-LX350H belt drive turntable,Sony,
odd,<script>alert(1)</script>Salt &amp; pepper mill,,3
bad,"n/a",,
"""


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HEADRACE_MODEL_DIR", str(MODELS))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "events.csv").write_text(EVENTS)
    (tmp_path / "shop" / "items.csv").write_text(ITEMS)
    return tmp_path / "shop"


def report(shop: Path, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    assert main(["quality", "report", str(shop), "--json"]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_completeness_reasons_repairs_verdicts_and_duplicates_are_told(
    shop: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = report(shop, capsys)
    assert (found["rows"], found["rejected_rows"], found["repeats"]) == (9, 2, 1)
    orders = next(each for each in found["topics"] if each["topic"] == "orders")
    price = next(each for each in orders["fields"] if each["name"] == "price")
    assert (price["completeness"], price["min"], price["max"]) == (1.0, 0, 4.5)
    items = next(each for each in found["topics"] if each["topic"] == "items")
    assert {each["name"]: each["filled"] for each in items["fields"]} == {
        "item_id": 4, "title": 4, "brand": 2, "price": 2,
    }  # fmt: skip
    assert {each["reason"]: each["count"] for each in found["rejected"]} == {"zero_price": 1, "returned": 1}
    assert [each["rule"] for each in found["repairs"]] == ["entities", "markup", "white_space"]
    assert found["duplicates"]["pairs"][0]["items"] == ["tea", "cup"]
    assert found["duplicates"]["certain"] == 1
    assert found["verdicts"]["judged"] == 4
    assert found["verdicts"]["worst"][0]["item_id"] == "bad"


def test_the_page_holds_no_script_no_address_and_no_user(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["quality", "report", str(shop)]) == 0
    assert "quality.html: 9 rows" in capsys.readouterr().out
    page = Path("quality.html").read_text(encoding="utf-8")
    assert "Salt &amp; pepper mill" in page
    assert "zero_price" in page
    for part in ("<script", "ada-lovelace"):
        assert part not in page
    assert re.findall(r"(?:https?:)?//\w|<link|<img|@import|url\(", page) == []
    assert "user-" in page


def test_without_models_the_page_says_that_nothing_was_judged(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADRACE_MODEL_DIR", "")
    assert main(["quality", "report", str(shop), "--out", "page.html"]) == 0
    assert "No item was judged" in Path("page.html").read_text(encoding="utf-8")


def test_listings_of_one_product_are_found_in_other_shops(shop_data: Path) -> None:
    assert [each for each in listing_targets(shop_data) if not each.met] == []
