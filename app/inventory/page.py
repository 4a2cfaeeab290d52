"""Writes an inventory as one page of HTML that needs no network and no script."""

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any

BAR, HEIGHT = 8, 40  # pixels
HEAD = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Quality of {name}</title>
<meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<style>
:root {{ color-scheme: light dark }}
body {{ font: 15px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 2rem auto; padding: 0 1rem }}
table {{ border-collapse: collapse; width: 100% }}
td, th {{ padding: .25rem .6rem; text-align: left; border-bottom: 1px solid #8884; vertical-align: top }}
td.n, th.n {{ text-align: right; font-variant-numeric: tabular-nums }}
code {{ overflow-wrap: anywhere }} svg {{ fill: #4a7bb7 }} .low {{ color: #c0392b }}
</style></head><body>
"""


def as_page(stock: Mapping[str, Any]) -> str:
    """Return the page. Every text of the shop is escaped."""
    return "".join([HEAD.format(name=escape(stock["name"])), *_parts(stock), "</body></html>\n"])


def _parts(stock: Mapping[str, Any]) -> Iterator[str]:
    yield f"<h1>Quality of {escape(stock['name'])}</h1>"
    yield (
        f"<p>{stock['rows']:,} rows read, {stock['rejected_rows']:,} would be rejected, "
        f"{stock['repeats']:,} are repeats.</p>"
    )
    for topic in stock["topics"]:
        yield f"<h2>Topic {escape(topic['topic'])}: {topic['records']:,} records</h2>"
        heads = ("field", "filled", "completeness", "distinct", "median", "range", "distribution", "most often")
        yield _table(heads, [_field(each) for each in topic["fields"]])
    yield "<h2>Rejected</h2>"
    yield _table(("reason", "rows", "samples"), [_rejected(each) for each in stock["rejected"]])
    yield "<h2>Repairs</h2>"
    yield _table(("rule", "times", "before and after"), [_repair(each) for each in stock["repairs"]])
    yield "<h2>Items</h2>"
    yield from _verdicts(stock["verdicts"])
    yield from _duplicates(stock["duplicates"])


def _field(each: Mapping[str, Any]) -> tuple[str, ...]:
    share = f"{each['completeness']:.2%}"
    between = f"{each['min']:g} to {each['max']:g}" if "min" in each else ""
    top = ", ".join(f"<code>{escape(text)}</code> {count:,}" for text, count in each["top"])
    return (
        escape(each["name"]),
        f"{each['filled']:,}",
        share if each["completeness"] >= 1 else f"<span class=low>{share}</span>",
        "" if each["distinct"] is None else f"{each['distinct']:,}",
        f"{each['median']:g}" if "median" in each else "",
        between,
        _bars(each["histogram"]) if "histogram" in each else "",
        top,
    )


def _rejected(each: Mapping[str, Any]) -> tuple[str, ...]:
    samples = "".join(
        f"<div>row {sample['row']:,}: {escape(sample['detail'])}"
        + (f"<br><code>{escape(sample['value'])}</code>" if sample["value"] else "")
        + "</div>"
        for sample in each["samples"]
    )
    return escape(each["reason"]), f"{each['count']:,}", samples


def _repair(each: Mapping[str, Any]) -> tuple[str, ...]:
    samples = "".join(
        f"<div>{escape(sample['item_id'])}, {sample['field']}: <code>{escape(sample['before'])}</code> became "
        f"<code>{escape(sample['after'])}</code></div>"
        for sample in each["samples"]
    )
    return each["rule"], f"{each['count']:,}", samples


def _verdicts(told: Mapping[str, Any] | None) -> Iterator[str]:
    if told is None:
        yield "<p>No item was judged: there are no items with titles, or no quality model.</p>"
        return
    yield f"<p>{told['judged']:,} items judged, {told['hidden']:,} hidden. Scores: {_bars(told['histogram'])}</p>"
    rows = [
        (
            escape(each["item_id"]),
            escape(each["title"]),
            f"{each['quality']:.2f}",
            "hidden" if each["hidden"] else "",
            escape(", ".join(each["reasons"])),
        )
        for each in told["worst"]
    ]
    yield "<h3>Worst items</h3>" + _table(("item", "title", "quality", "", "found"), rows)


def _duplicates(told: Mapping[str, Any]) -> Iterator[str]:
    yield (
        f"<h3>Listings of one product</h3><p>{told['compared']:,} items compared: {told['certain']:,} pairs share "
        f"a model number, {told['proposed']:,} more are alike and need a look.</p>"
    )
    rows = [
        (
            "<br>".join(map(escape, each["items"])),
            "<br>".join(map(escape, each["titles"])),
            f"{each['similarity']:.2f}",
            "model number" if each["certain"] else "alike",
        )
        for each in told["pairs"]
    ]
    yield _table(("items", "titles", "similarity", "why"), rows)


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    if not rows:
        return "<p>None.</p>"
    head = "".join(f"<th>{each}</th>" for each in heads)
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><tr>{head}</tr>{body}</table>"


def _bars(histogram: Mapping[str, Any]) -> str:
    counts = histogram["counts"]
    highest = max(counts) or 1
    bars = "".join(
        f'<rect x="{BAR * place}" y="{HEIGHT - HEIGHT * count / highest:.1f}" width="{BAR - 1}" '
        f'height="{HEIGHT * count / highest:.1f}"/>'
        for place, count in enumerate(counts)
    )
    label = f"{histogram['from']:g} to {histogram['to']:g}"
    return f'<svg width="{BAR * len(counts)}" height="{HEIGHT}" role="img" aria-label="{label}">{bars}</svg><br>{label}'
