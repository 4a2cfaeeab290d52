"""Write `docs/metrics.md` from the declarations in `agents/metrics.py`.

Run it with `make metrics-page`. With `--check` it changes nothing, and fails if the page is out of
date.
"""

from collections.abc import Callable

from made_page import ROOT, write_or_check
from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import Metric

from agents.metrics import HttpMetrics, Metrics, tell_build

PAGE = ROOT / "docs/metrics.md"

HEAD = """\
# Metrics

Made by `make metrics-page` from the declarations in `agents/metrics.py`; do not edit it by hand.

A worker and `headrace serve` answer `GET /metrics` in Prometheus' text format. Both also export
`process_cpu_seconds_total`, `process_resident_memory_bytes` and the other standard process metrics
of Prometheus (on Linux). No label ever holds a user or an item. Counters start at 0 with the
process: use `rate()`.

- A series whose label values are in the table is there from the start, with 0.
- A label without values in the table takes them from what runs: topics, partitions, models, routes.
- A histogram has the series `…_bucket` (with the label `le`), `…_sum` and `…_count`.
- In `headrace_items_total` each record counts once: a sold-out notice that was obeyed beside a
  broken field counts as `quarantined`.

[Monitoring](monitoring.md) has dashboards that show these metrics.
"""

SECTIONS: dict[str, Callable[[CollectorRegistry], object]] = {
    "Worker": Metrics,
    "`headrace serve`": HttpMetrics,
    "Both": lambda registry: tell_build(registry, "", ""),
}


def page() -> str:
    """Return the text of the page: a table for each process."""
    parts = [HEAD]
    for title, declare in SECTIONS.items():
        registry = CollectorRegistry()
        declare(registry)
        rows = [_row(registry, metric) for metric in registry.collect()]
        parts.append(f"## {title}\n\n| metric | type | labels | meaning |\n|---|---|---|---|\n" + "".join(rows))
    return "\n".join(parts)


def _name(metric: Metric) -> str:
    return metric.name + "_total" * (metric.type == "counter")


def _row(registry: CollectorRegistry, metric: Metric) -> str:
    labels = "; ".join(_label(name, metric) for name in _label_names(registry, metric))
    return f"| `{_name(metric)}` | {metric.type} | {labels} | {metric.documentation} |\n"


def _label_names(registry: CollectorRegistry, metric: Metric) -> tuple[str, ...]:
    declared = registry._names_to_collectors.get(_name(metric))  # the client offers no other way
    return tuple(getattr(declared, "_labelnames", ()))


def _label(name: str, metric: Metric) -> str:
    values = dict.fromkeys(sample.labels[name] for sample in metric.samples if sample.labels.get(name))
    return name + (f": {', '.join(f'`{value}`' for value in values)}" if values else "")


def main() -> int:
    """Write the page, or compare it with `--check`. Returns 1 if it is out of date."""
    return write_or_check(__doc__, PAGE, page(), "metrics-page")


if __name__ == "__main__":
    raise SystemExit(main())
