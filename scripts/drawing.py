"""Draw `docs/architecture.svg`: what a worker reads and writes.

Topics, steps and keys come from the code, so the drawing is out of date only until `make drawing`.
With `--check` it changes nothing, and fails if the file is out of date.
"""

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from pathlib import Path

from app.kafka.topics import CONFIGS, SOURCES
from headrace.keys import Keys

ROOT = Path(__file__).resolve().parent.parent
FILE = ROOT / "docs/architecture.svg"

WIDTH, LINE, TOP = 960, 26, 46
# The steps of a batch, as docs/architecture.md explains them.
STEPS = ("admit", "load", "follow", "learn", "decide", "write", "emit", "commit")
CATALOGUE = "items"
KEYS = Keys("hr:")
STORED = (
    KEYS.recommendation("<user_id>"),
    KEYS.profile("<user_id>"),
    KEYS.item("<item_id>"),
    KEYS.similar("<item_id>"),
    KEYS.vectors(),
    KEYS.trending(),
)
# What workers write to Kafka and read again, and what they only write. A topic that is in neither
# list is added to the first: most new ones are for the workers.
ONLY_WRITTEN = ("recommendations", "quarantine")


@dataclass(frozen=True, slots=True)
class Box:
    """A titled box with lines of text."""

    x: int
    y: int
    width: int
    title: str
    lines: tuple[str, ...]
    style: str

    @property
    def height(self) -> int:
        """Return the height that the lines need."""
        return TOP + LINE * len(self.lines)

    def drawn(self) -> Iterator[str]:
        """Yield the elements of the box."""
        yield (
            f'<rect class="{self.style}" x="{self.x}" y="{self.y}" width="{self.width}" height="{self.height}" rx="8"/>'
        )
        yield f'<text class="title" x="{self.x + 14}" y="{self.y + 28}">{escape(self.title)}</text>'
        for place, line in enumerate(self.lines):
            yield f'<text x="{self.x + 14}" y="{self.y + TOP + 8 + LINE * place}">{escape(line)}</text>'


def drawing() -> str:
    """Return the drawing as SVG, readable on a light and on a dark page."""
    again = tuple(name for name in CONFIGS if name not in {*SOURCES, CATALOGUE, *ONLY_WRITTEN})
    shop = Box(20, 20, 200, "topics of the shop", (*SOURCES, CATALOGUE), "topic")
    worker = Box(300, 20, 250, "headrace worker, a batch", _steps(), "worker")
    redis = Box(630, 20, 310, "Redis", STORED, "store")
    own = Box(300, worker.y + worker.height + 60, 250, "topics for the workers", again, "topic")
    out = Box(20, own.y, 200, "topics for the shop", ONLY_WRITTEN, "topic")
    pages = Box(630, own.y, 310, "pages of the shop", ("GET, client, HTTP", "console at /"), "store")
    height = max(box.y + box.height for box in (own, out, pages)) + 20
    elements = [line for box in (shop, worker, redis, own, out, pages) for line in box.drawn()]
    elements += [
        _arrow(shop.x + shop.width, 100, worker.x, 100),
        _arrow(worker.x + worker.width, 100, redis.x, 100, both=True),
        _arrow(worker.x + 125, worker.y + worker.height, own.x + 125, own.y, both=True),
        _arrow(worker.x, worker.y + worker.height - 20, out.x + out.width, out.y + 20),
        _arrow(redis.x + 155, redis.y + redis.height, pages.x + 155, pages.y),
    ]
    return _page(height, elements)


def _steps() -> tuple[str, ...]:
    return tuple(f"{number}. {step}" for number, step in enumerate(STEPS, 1))


def _arrow(x: int, y: int, to_x: int, to_y: int, *, both: bool = False) -> str:
    start = ' marker-start="url(#head)"' if both else ""
    return f'<line x1="{x}" y1="{y}" x2="{to_x}" y2="{to_y}" marker-end="url(#head)"{start}/>'


def _page(height: int, elements: list[str]) -> str:
    body = "\n".join(elements)
    return f"""\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">
<title>What a Headrace worker reads and writes</title>
<defs><marker id="head" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7"
 orient="auto-start-reverse"><path d="M0 0 10 5 0 10z"/></marker></defs>
<style>
text {{ font: 15px ui-monospace, monospace; fill: #1b2430; }}
.title {{ font: bold 15px system-ui, sans-serif; }}
rect {{ stroke-width: 1.5; }}
.topic {{ fill: #e3f1ee; stroke: #2a7f74; }}
.worker {{ fill: #fdf3dc; stroke: #b47a10; }}
.store {{ fill: #e6ecfa; stroke: #3d5fb3; }}
line {{ stroke: #77808c; stroke-width: 2; }}
path {{ fill: #77808c; }}
</style>
{body}
</svg>
"""


def main() -> int:
    """Write the drawing, or compare it with `--check`. Returns 1 if it is out of date."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing; fail if the drawing is out of date")
    check = parser.parse_args().check
    wanted = drawing()
    if FILE.exists() and FILE.read_text(encoding="utf-8") == wanted:
        return 0
    if not check:
        FILE.write_text(wanted, encoding="utf-8")
    sys.stderr.write(f"docs/architecture.svg: {'out of date; run make drawing' if check else 'written'}\n")
    return 1 if check else 0


if __name__ == "__main__":
    raise SystemExit(main())
