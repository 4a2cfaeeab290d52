"""Draws hit rate over the delay of learning, and over time, as an SVG file, in plain Python."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple
from xml.sax.saxutils import escape

from app.errors import HeadraceError
from app.evaluate.prequential import StreamRun, delay_text

WIDTH, HEIGHT = 640, 320
LEFT, RIGHT, TOP, BOTTOM = 60, 120, 40, 40
COLOURS = ("#1b6ca8", "#c8553d", "#2f7d32", "#8e5ea2", "#b8860b", "#5f6b73")
DAY = 86_400.0


class PlotPoint(NamedTuple):
    """Where a figure lies, from 0 to 1 across, with the bounds of its interval."""

    across: float
    value: float
    low: float
    high: float


class PlotLine(NamedTuple):
    """Points under one name."""

    name: str
    points: Sequence[PlotPoint]


def draw(title: str, runs: Sequence[StreamRun], path: Path) -> None:
    """Write both charts, one below the other. Raises HeadraceError if that fails."""
    charts = [_chart(f"{title}: hit rate at 20 by delay of learning", *_by_delay(runs))]
    charts.append(_chart(f"{title}: hit rate at 20 over time", *_by_time(runs)))
    _write(charts, path)


def draw_lines(title: str, ticks: Sequence[str], lines: Sequence[PlotLine], path: Path) -> None:
    """Write one chart; `ticks` stand at equal distances. Raises HeadraceError if that fails."""
    _write([_chart(title, ticks, lines)], path)


def _write(charts: Sequence[str], path: Path) -> None:
    body = "".join(f'<g transform="translate(0 {HEIGHT * at})">{chart}</g>' for at, chart in enumerate(charts))
    size = f'width="{WIDTH}" height="{HEIGHT * len(charts)}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" font-size="12">'
    try:
        path.write_text(f'{head}<rect width="100%" height="100%" fill="white"/>{body}</svg>\n', encoding="utf-8")
    except OSError as error:
        raise HeadraceError(f"{path} cannot be written: {error}") from error


def _by_delay(runs: Sequence[StreamRun]) -> tuple[list[str], list[PlotLine]]:
    last = max(len(runs) - 1, 1)
    learned = [PlotPoint(at / last, *run.breakdown.hit_rate) for at, run in enumerate(runs)]
    formula = [PlotPoint(at / last, *(run.breakdown.formula.hit_rate,) * 3) for at, run in enumerate(runs)]
    lines = [PlotLine("ranker", learned), PlotLine("formula", formula)]
    return [delay_text(run.delay) for run in runs], lines


def _by_time(runs: Sequence[StreamRun]) -> tuple[list[str], list[PlotLine]]:
    lines, span = [], 0.0
    for run in runs:
        windows = run.breakdown.windows
        last = max(len(windows) - 1, 1)
        span = windows[-1].since - windows[0].since if windows else 0.0
        points = [
            PlotPoint(at / last, *(each.whole.hit_rate,) * 3)
            for at, each in enumerate(windows)
            if each.whole.predictions
        ]
        lines.append(PlotLine(delay_text(run.delay), points))
    unit, length = ("days", DAY) if span > 2 * DAY else ("hours", 3_600.0)
    return ["0", f"{span / length:.0f} {unit}"], lines


def _chart(title: str, ticks: Sequence[str], lines: Sequence[PlotLine]) -> str:
    values = [value for line in lines for point in line.points for value in (point.low, point.high)]
    low, high = min(values, default=0.0), max(values, default=1.0)
    room = max(high - low, 0.01) * 0.1
    low, high = max(low - room, 0.0), high + room
    wide, tall = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM

    def across(share: float) -> float:
        return LEFT + share * wide

    def down(value: float) -> float:
        return TOP + (high - value) / (high - low) * tall

    parts = [f'<text x="{LEFT}" y="22" font-weight="bold">{escape(title)}</text>']
    for at in range(5):
        value = low + (high - low) * at / 4
        y = down(value)
        parts.append(f'<line x1="{LEFT}" x2="{LEFT + wide}" y1="{y:.1f}" y2="{y:.1f}" stroke="#ddd"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{value:.3f}</text>')
    for at, tick in enumerate(ticks):
        x = across(at / max(len(ticks) - 1, 1))
        parts.append(f'<text x="{x:.1f}" y="{HEIGHT - BOTTOM + 20}" text-anchor="middle">{escape(tick)}</text>')
    for number, line in enumerate(lines):
        colour = COLOURS[number % len(COLOURS)]
        spots = " ".join(f"{across(each.across):.1f},{down(each.value):.1f}" for each in line.points)
        parts.append(f'<polyline points="{spots}" fill="none" stroke="{colour}" stroke-width="2"/>')
        for each in line.points:
            x, y = across(each.across), down(each.value)
            parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>')
            if each.high > each.low:
                ends = f'y1="{down(each.low):.1f}" y2="{down(each.high):.1f}"'
                parts.append(f'<line x1="{x:.1f}" x2="{x:.1f}" {ends} stroke="{colour}"/>')
        y = TOP + 16 * number + 12
        parts.append(f'<text x="{LEFT + wide + 16}" y="{y}" fill="{colour}">{escape(line.name)}</text>')
    return "".join(parts)
