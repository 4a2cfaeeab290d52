"""Check the dashboards: made by their code, panels explained, queries of declared metrics only."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from monitoring import DASHBOARDS, declared, names_in, panels, queries

ROOT = Path(__file__).resolve().parents[2]
SELECTOR = re.compile(r"\b((?:headrace|process)_\w+)\{([^}]*)\}")
GROUPING = re.compile(r"\bby \(([^)]*)\)")
# Labels that Prometheus adds to each target.
OF_THE_TARGET = {"job", "instance"}


def test_the_dashboards_are_as_their_code_makes_them() -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "scripts")}
    command = [sys.executable, "-m", "dashboards", "--check"]
    checked = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr


def test_there_is_a_dashboard_for_each_question() -> None:
    names = [path.stem for path in DASHBOARDS]
    assert names == ["capacity", "data-quality", "models", "overview", "pipeline", "recommendations"]


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)
def test_every_panel_has_a_description_a_unit_and_thresholds(path: Path) -> None:
    for panel in panels(path):
        assert panel["description"].endswith("."), panel["title"]
        assert panel["fieldConfig"]["defaults"]["unit"], panel["title"]
        assert panel["fieldConfig"]["defaults"]["thresholds"]["steps"], panel["title"]


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)
def test_no_two_panels_lie_on_each_other(path: Path) -> None:
    taken: set[tuple[int, int]] = set()
    for panel in json.loads(path.read_text(encoding="utf-8"))["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert taken.isdisjoint(cells), panel["title"]
        assert place["x"] + place["w"] <= 24, panel["title"]
        taken |= cells


def test_titles_are_unique_on_a_dashboard() -> None:
    for path in DASHBOARDS:
        titles = [panel["title"] for panel in panels(path)]
        assert len(set(titles)) == len(titles), path.stem


def test_a_query_names_only_metrics_that_are_declared() -> None:
    series = declared()
    assert [
        each for each in queries() if not names_in(each.expression) or names_in(each.expression) - set(series)
    ] == []


def test_a_query_names_only_labels_that_its_metrics_have() -> None:
    series = declared()
    for each in queries():
        for name, selector in SELECTOR.findall(each.expression):
            assert set(re.findall(r"(\w+)[=!]~?", selector)) <= series[name] | OF_THE_TARGET, each
        known = OF_THE_TARGET.union(*(series[name] for name in names_in(each.expression)))
        grouped = {label.strip() for found in GROUPING.findall(each.expression) for label in found.split(",")}
        assert grouped <= known, each


def test_every_query_is_limited_to_the_chosen_jobs() -> None:
    for each in queries():
        limited = {name for name, selector in SELECTOR.findall(each.expression) if 'job=~"$job"' in selector}
        assert limited == names_in(each.expression), each
