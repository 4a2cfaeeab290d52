"""Rows that only their meaning spoils are found in CSV, which is judged by columns, and in JSON."""

from pathlib import Path

import orjson
import pytest

from app.datasets.folder import open_dataset
from app.filecheck.count import check_log
from models.contract.event_codec import EventSettings

NOW = 1_800_000_000.0
ROWS = [("tea", 3), ("tea", 20_000), ("POST", 1), ("cup", None)]


def csv() -> str:
    lines = [
        f"{n},1700000000,u{n},{item},order,{'' if count is None else count}" for n, (item, count) in enumerate(ROWS)
    ]
    return "\n".join(["event_id,ts,user_id,item_id,kind,quantity", *lines]) + "\n"


def json_lines() -> str:
    fields = [
        {"event_id": str(n), "ts": 1_700_000_000, "user_id": f"u{n}", "item_id": item, "kind": "order"}
        | ({} if count is None else {"quantity": count})
        for n, (item, count) in enumerate(ROWS)
    ]
    return "".join(orjson.dumps(each).decode() + "\n" for each in fields)


@pytest.mark.parametrize(("name", "content"), [("events.csv", csv()), ("events.jsonl", json_lines())])
def test_an_absurd_quantity_and_what_is_no_product_are_rejected(name: str, content: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_text(content, encoding="utf-8")
    [source] = check_log(open_dataset(path), EventSettings(non_products="POST"), NOW, None).sources
    assert {each.reason: each.count for each in source.complaints} == {"implausible_quantity": 1, "non_product": 1}
    assert source.accepted.total() == 2
