"""What a panel is, and how it is written for Grafana.

The JSON is that of Grafana 10 and later (schema version 39), kept to what it needs: Grafana fills
in the rest.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

SCHEMA_VERSION = 39
WIDTH = 24
DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
# Every metric of Headrace or of its processes, with its selector if there is one. Recorded series
# have a colon in their names.
METRIC = re.compile(r"\b((?:headrace|process)_\w+)(?![\w:])(?:\{([^}]*)\})?")

GREEN, AMBER, RED = "green", "orange", "red"
STAT, LINES, STACK, BARS = "stat", "lines", "stack", "bars"

# Units, as Grafana names them.
PER_SECOND, SECONDS, SHARE, COUNT, BYTES = "ops", "s", "percentunit", "short", "bytes"


@dataclass(frozen=True, slots=True)
class Query:
    """A PromQL expression, and the name of its series; `{{label}}` stands for a label."""

    expression: str
    legend: str = ""


@dataclass(frozen=True, slots=True)
class Panel:
    """One panel: what it asks, what it means, and from which values on it is amber or red.

    With `low_is_bad` a value below the first limit is red, below the second one amber.
    """

    title: str
    description: str
    queries: Sequence[Query]
    unit: str
    kind: str = LINES
    amber: float | None = None
    red: float | None = None
    low_is_bad: bool = False
    width: int = 12


@dataclass(frozen=True, slots=True)
class Dashboard:
    """A page of panels; `name` is that of its file."""

    name: str
    title: str
    description: str
    rows: dict[str, Sequence[Panel]] = field(default_factory=dict)


def as_json(dashboard: Dashboard) -> dict[str, Any]:
    """Return the dashboard as Grafana reads it."""
    return {
        "uid": f"headrace-{dashboard.name}",
        "title": dashboard.title,
        "description": dashboard.description,
        "tags": ["headrace"],
        "schemaVersion": SCHEMA_VERSION,
        "editable": True,
        "graphTooltip": 1,
        "refresh": "10s",
        "time": {"from": "now-1h", "to": "now"},
        "timezone": "browser",
        "templating": {"list": [_datasource_variable(), _job_variable()]},
        "links": [{"type": "dashboards", "title": "Headrace", "tags": ["headrace"], "asDropdown": True}],
        "panels": list(_panels(dashboard)),
    }


def _datasource_variable() -> dict[str, Any]:
    return {"name": "datasource", "label": "Prometheus", "type": "datasource", "query": "prometheus"}


def _job_variable() -> dict[str, Any]:
    query = "label_values(headrace_build_info, job)"
    return {
        "name": "job",
        "label": "Job",
        "type": "query",
        "datasource": DATASOURCE,
        "definition": query,
        "query": {"query": query, "refId": "job"},
        "refresh": 2,
        "includeAll": True,
        "multi": True,
        "current": {"text": "All", "value": "$__all"},
    }


def _panels(dashboard: Dashboard) -> Iterator[dict[str, Any]]:
    number, y = 0, 0
    for title, panels in dashboard.rows.items():
        number += 1
        yield {"id": number, "type": "row", "title": title, "gridPos": _place(0, y, WIDTH, 1), "panels": []}
        x, y = 0, y + 1
        height = 5 if all(panel.kind == STAT for panel in panels) else 8
        for panel in panels:
            if x + panel.width > WIDTH:
                x, y = 0, y + height
            number += 1
            yield {"id": number, "gridPos": _place(x, y, panel.width, height), **_panel(panel)}
            x += panel.width
        y += height


def _place(x: int, y: int, width: int, height: int) -> dict[str, int]:
    return {"x": x, "y": y, "w": width, "h": height}


def _panel(panel: Panel) -> dict[str, Any]:
    defaults: dict[str, Any] = {"unit": panel.unit, "thresholds": _thresholds(panel)}
    if panel.unit == SHARE:
        defaults |= {"min": 0, "max": 1}
    if panel.kind == STAT:
        defaults["color"] = {"mode": "thresholds"}
        options = {"reduceOptions": {"calcs": ["lastNotNull"]}, "colorMode": "value", "graphMode": "area"}
    else:
        defaults["custom"] = _lines(panel)
        options = {"legend": {"displayMode": "table", "placement": "right", "calcs": ["lastNotNull", "max"]}}
        options["tooltip"] = {"mode": "multi", "sort": "desc"}
    return {
        "type": "stat" if panel.kind == STAT else "timeseries",
        "title": panel.title,
        "description": panel.description,
        "datasource": DATASOURCE,
        "targets": [_target(number, query) for number, query in enumerate(panel.queries)],
        "fieldConfig": {"defaults": defaults, "overrides": []},
        "options": options,
    }


def _lines(panel: Panel) -> dict[str, Any]:
    custom: dict[str, Any] = {"drawStyle": "bars" if panel.kind == BARS else "line", "fillOpacity": 10}
    if panel.kind in (STACK, BARS):
        custom |= {"stacking": {"mode": "normal", "group": "A"}, "fillOpacity": 60}
    elif panel.amber is not None or panel.red is not None:
        custom["thresholdsStyle"] = {"mode": "dashed"}
    return custom


def _thresholds(panel: Panel) -> dict[str, Any]:
    if panel.low_is_bad:
        steps = [(None, RED), (panel.red, AMBER), (panel.amber, GREEN)]
    else:
        steps = [(None, GREEN), (panel.amber, AMBER), (panel.red, RED)]
    first, *others = steps
    kept = [first, *(step for step in others if step[0] is not None)]
    return {"mode": "absolute", "steps": [{"value": value, "color": color} for value, color in kept]}


def _target(number: int, query: Query) -> dict[str, Any]:
    return {
        "refId": chr(ord("A") + number),
        "datasource": DATASOURCE,
        "expr": of_job(query.expression),
        "legendFormat": query.legend or "__auto",
        "range": True,
    }


def of_job(expression: str) -> str:
    """Return the expression with every metric limited to the chosen jobs."""

    def limit(found: re.Match[str]) -> str:
        own = f",{found[2]}" if found[2] else ""
        return f'{found[1]}{{job=~"$job"{own}}}'

    return METRIC.sub(limit, expression)


def rate(series: str, by: str = "") -> str:
    """Return the sum of the rates of the series, by some labels."""
    return f"sum{f' by ({by})' if by else ''} (rate({series}[$__rate_interval]))"


def quantile(q: float, histogram: str, by: str = "") -> str:
    """Return the q-quantile of a histogram, by some labels."""
    labels = f"le, {by}" if by else "le"
    return f"histogram_quantile({q}, {rate(f'{histogram}_bucket', labels)})"


def share(part: str, whole: str) -> str:
    """Return the part of the whole, 0 while there is nothing."""
    return f"({part}) / (({whole}) > 0) or ({part}) * 0"
