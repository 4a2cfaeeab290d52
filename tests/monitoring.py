"""The committed dashboards and rules, and the names that their queries use."""

import json
import re
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from prometheus_client import CollectorRegistry

from agents.metrics import HttpMetrics, Metrics, tell_build

MONITORING = Path(__file__).resolve().parents[1] / "helm/headrace/monitoring"
DASHBOARDS = sorted((MONITORING / "dashboards").glob("*.json"))
RULES = sorted((MONITORING / "rules").glob("*.yaml"))
SUFFIXES = {"histogram": ("_bucket", "_sum", "_count"), "counter": ("_total",), "gauge": ("",)}
# Metrics of the process, which the client of Prometheus exports on Linux.
PROCESS = {
    "process_cpu_seconds_total",
    "process_resident_memory_bytes",
    "process_open_fds",
    "process_max_fds",
    "process_start_time_seconds",
}
NAME = re.compile(r"\b(?:headrace|process)[_:][\w:]+")


class PanelQuery(NamedTuple):
    """One query of one panel."""

    dashboard: str
    panel: str
    expression: str


def panels(dashboard: Path) -> list[dict[str, Any]]:
    """Return the panels of a dashboard, without its rows."""
    found = json.loads(dashboard.read_text(encoding="utf-8"))["panels"]
    return [panel for panel in found if panel["type"] != "row"]


def queries() -> list[PanelQuery]:
    """Return every query of every panel."""
    return [
        PanelQuery(path.stem, panel["title"], target["expr"])
        for path in DASHBOARDS
        for panel in panels(path)
        for target in panel["targets"]
    ]


def rules_of(path: Path) -> list[dict[str, Any]]:
    """Return the recording rules and alerts of one file."""
    groups = yaml.safe_load(path.read_text(encoding="utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


def rules() -> list[dict[str, Any]]:
    """Return every recording rule and alert."""
    return [rule for path in RULES for rule in rules_of(path)]


def alerts_of(path: Path) -> dict[str, dict[str, Any]]:
    """Return the alerts of one file by name."""
    return {rule["alert"]: rule for rule in rules_of(path) if "alert" in rule}


def alerts() -> dict[str, dict[str, Any]]:
    """Return all alerts by name."""
    return {name: alert for path in RULES for name, alert in alerts_of(path).items()}


def declared() -> dict[str, set[str]]:
    """Return every series that a process of Headrace can export, with its labels."""
    registry = CollectorRegistry()
    Metrics(registry)
    HttpMetrics(registry)
    tell_build(registry, "", "")
    found: dict[str, set[str]] = {name: set() for name in PROCESS}
    for metric in registry.collect():
        declared = registry._names_to_collectors.get(metric.name + "_total" * (metric.type == "counter"))
        labels = set(getattr(declared, "_labelnames", ()))
        for suffix in SUFFIXES[metric.type]:
            found[metric.name + suffix] = labels | ({"le"} if suffix == "_bucket" else set())
    return found


def names_in(expression: str) -> set[str]:
    """Return the metrics and recorded series that an expression names."""
    return set(NAME.findall(expression))
