"""`headrace items judge`: the verdict of a worker on one title, without servers."""

import json
from pathlib import Path
from typing import Any

import pytest

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


def test_without_models_the_rules_judge(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADRACE_MODEL_DIR", "")
    found = judged(capsys, "n/a")
    assert (found["quality"], found["recommended"], found["rules"]) == (None, None, ["empty"])
