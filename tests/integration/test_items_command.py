"""`headrace items`: a verdict without servers, and hidden items with Redis."""

import json
from pathlib import Path
from typing import Any

import pytest
from shops import Shop

from app.concerns import RedisSettings
from app.main import main

MODELS = Path(__file__).resolve().parents[2] / "onnx"


@pytest.fixture(autouse=True)
def with_models(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADRACE_MODEL_DIR", str(MODELS))


def judged(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    assert main(["items", "judge", "--json", *arguments]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_a_title_is_repaired_and_then_judged(capsys: pytest.CaptureFixture[str]) -> None:
    found = judged(capsys, "Salt &amp; pepper mill - damaged stock", "--category", "Kitchen")
    assert (found["title"], found["recommended"], found["reasons"]) == ("Salt & pepper mill", True, [])
    assert [each["rule"] for each in found["repairs"]] == ["entities", "remark_cut"]


def test_a_title_with_a_defect_is_hidden_with_the_rule_that_found_it(capsys: pytest.CaptureFixture[str]) -> None:
    found = judged(capsys, "Lamp, call 0800 123 4567")
    assert (found["rules"], found["recommended"]) == (["phone"], False)
    assert "spam" in found["reasons"]


def test_people_read_lines(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["items", "judge", "Blue  glass lamp"]) == 0
    out = capsys.readouterr().out
    assert "repaired  title by white_space: 'Blue  glass lamp' became 'Blue glass lamp'" in out
    assert "may be recommended" in out


@pytest.mark.parametrize("title", ["", "\u200b"])
def test_a_title_that_shows_nothing_is_not_judged_but_quarantined(
    title: str, capsys: pytest.CaptureFixture[str]
) -> None:
    found = judged(capsys, title)
    assert (found["quarantined"], found["recommended"], found["quality"]) == ("missing_field", None, None)
    assert main(["items", "judge", title]) == 0
    assert "goes to quarantine as missing_field" in capsys.readouterr().out


def test_without_models_the_rules_judge(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADRACE_MODEL_DIR", "")
    found = judged(capsys, "n/a")
    assert (found["quality"], found["recommended"], found["rules"]) == (None, None, ["empty"])


@pytest.fixture
def stocked(shop: Shop, redis_settings: RedisSettings, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """Three hidden items, two of them with the same title."""
    monkeypatch.setenv("HEADRACE_REDIS_URL", redis_settings.url)
    monkeypatch.setenv("HEADRACE_REDIS_PREFIX", redis_settings.prefix)
    for item_id, title in (("b1", "Cash box"), ("b2", "Note"), ("b3", "Note")):
        shop.item(
            item_id, title=title, deleted="0", available="1", quality="0.01", reasons='["remark"]', recommendable="0"
        )
    shop.hide("b1", "b2", "b3")
    return shop


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    assert main(["items", *arguments, "--json"]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


@pytest.mark.usefixtures("stocked")
def test_hidden_items_are_listed_with_what_was_found(capsys: pytest.CaptureFixture[str]) -> None:
    found = told(capsys, "hidden", "--count", "2")
    assert ([each["item_id"] for each in found["items"]], found["total"]) == (["b1", "b2"], 3)
    assert found["items"][0]["reasons"] == ["remark"]
    assert main(["items", "hidden"]) == 0
    assert "b1  Cash box: remark, quality 0.01\n" in capsys.readouterr().out


def test_an_item_is_allowed_by_its_title_and_that_is_undone(
    capsys: pytest.CaptureFixture[str], stocked: Shop, redis_settings: RedisSettings
) -> None:
    def recommendable() -> object:
        return stocked.redis.hget(stocked.keys.item("b1"), "recommendable")

    assert told(capsys, "allow", "cash box") == {"item_id": "b1", "title": "Cash box", "allowed": True, "changed": True}
    assert recommendable() == b"1"
    assert told(capsys, "show", "b1")["allowed_at"] > 1e9
    assert [each["item_id"] for each in told(capsys, "hidden", "--allowed")["items"]] == ["b1"]
    assert main(["items", "hidden", "--allowed"]) == 0
    assert capsys.readouterr().out.endswith("\n1 item allowed\n")
    assert told(capsys, "allow", "b1")["changed"] is False
    assert told(capsys, "allow", "b1", "--undo")["allowed"] is False
    assert recommendable() == b"0"
    assert told(capsys, "hidden", "--allowed")["total"] == 0


@pytest.mark.usefixtures("stocked")
@pytest.mark.parametrize(("item", "said"), [("Note", "2 items have this title"), ("nothing", "no item has the id")])
def test_an_item_that_is_not_certain_is_not_decided_on(
    capsys: pytest.CaptureFixture[str], item: str, said: str
) -> None:
    assert main(["items", "allow", item]) == 1
    assert said in capsys.readouterr().err
