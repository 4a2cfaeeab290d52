"""Check alerts and rules: they name what is declared, and each has a case and a runbook."""

import re
from pathlib import Path

from alert_cases import CASES
from monitoring import alerts, declared, names_in, rules
from prometheus_client import CollectorRegistry

from agents.metrics import HttpMetrics, Metrics

ROOT = Path(__file__).resolve().parents[2]
RUNBOOK = ROOT / "docs/runbook.md"
SEVERITIES = {"critical", "warning", "info"}


def test_a_rule_names_only_what_is_declared_or_recorded() -> None:
    known = set(declared()) | {rule["record"] for rule in rules() if "record" in rule}
    assert {name for rule in rules() for name in names_in(rule["expr"])} - known == set()


def test_the_limits_of_objectives_are_bounds_of_buckets() -> None:
    registry = CollectorRegistry()
    metrics, http = Metrics(registry), HttpMetrics(registry)
    metrics.inference.infer.labels("quality")
    http.seconds.labels("/live", "200")
    bounds = {
        (sample.name, sample.labels["le"])
        for metric in registry.collect()
        for sample in metric.samples
        if "le" in sample.labels
    }
    used = {each for rule in rules() for each in re.findall(r'(headrace_\w+_bucket)\{le="([^"]+)"', rule["expr"])}
    assert used
    assert used - bounds == set()


def test_every_alert_has_a_severity_a_summary_and_a_description() -> None:
    for name, alert in alerts().items():
        assert alert["labels"]["severity"] in SEVERITIES, name
        assert alert["annotations"]["summary"], name
        assert alert["annotations"]["description"].endswith("."), name


def test_every_alert_has_a_section_of_the_runbook_that_it_names() -> None:
    sections = re.findall(r"^## (Headrace\w+)$", RUNBOOK.read_text(encoding="utf-8"), re.MULTILINE)
    assert sections == list(alerts())
    named = {name: alert["annotations"]["runbook"] for name, alert in alerts().items()}
    assert named == {name: f"docs/runbook.md#{name.lower()}" for name in alerts()}


def test_every_alert_has_a_case_in_which_it_fires_and_one_in_which_it_is_quiet() -> None:
    assert set(CASES) == set(alerts())
    series = {name for case in CASES.values() for each in (case.firing, case.quiet) for name in names_in(str(each))}
    assert series - set(declared()) == set()
