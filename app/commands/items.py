"""`headrace items`: judges a title, and shows and decides which items are hidden."""

import argparse
import sys
from collections.abc import Iterator
from typing import Any

import orjson

from app.commands import stored_items
from app.inventory.items import judge_items
from app.settings import Settings
from models.contract.events import Item
from models.contract.outcome import Reason
from models.contract.visible import is_visible
from models.quality.repair import Repair, repair_item
from models.quality.rules import findings
from models.quality.text import QualitySettings, TextVerdict

DETAILS = """
Repairs and judges one title as a worker would, with its settings and models. Needs no Kafka and no Redis, and
stores nothing. Without models only the rules judge. The second judge is not asked.

exit status:
  0  the title was judged, whatever the verdict
  1  the models cannot be used
  2  a setting or an argument is not allowed
"""

EXAMPLES = """
examples:
  headrace items judge 'Salt &amp; pepper mill - damaged stock'
  headrace items judge 'Blue lamp' --category Home/Lighting --brand Acme
  headrace items judge 'lamp, light, led, bulb, home, decor' --json | jq .recommended
"""


HEADING = "\nexamples:\n"


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the verb, its arguments and examples."""
    parser.epilog = f"{EXAMPLES}{stored_items.EXAMPLES.removeprefix(HEADING)}"
    what = parser.add_subparsers(dest="what", metavar="WHAT", required=True)
    summary = "tell how a title is repaired and judged"
    judge = what.add_parser("judge", help=summary, formatter_class=argparse.RawDescriptionHelpFormatter)
    judge.description = f"{summary}\n{DETAILS}"
    judge.epilog = EXAMPLES
    judge.add_argument("title", metavar="TITLE", help="the title, as the shop sends it")
    judge.add_argument("--category", metavar="PATH", default="", help="the item's category")
    judge.add_argument("--brand", metavar="NAME", default="", help="the item's brand")
    judge.add_argument("--json", action="store_true", help="print one JSON object")
    stored_items.configure(what)


def execute(args: argparse.Namespace, settings: Settings) -> int:
    """Carry out one verb. The exit status is 0 when that was possible."""
    if args.what != "judge":
        return stored_items.execute(args, settings)
    item, repairs = repair_item(Item("", args.title, args.category, args.brand))
    accepted = is_visible(args.title)
    told = _told(item, repairs, _verdict(item, settings) if accepted else None, settings.quality)
    told["quarantined"] = None if accepted else str(Reason.MISSING_FIELD)
    if args.json:
        sys.stdout.write(orjson.dumps(told).decode() + "\n")
    else:
        sys.stdout.write("\n".join(_lines(told)) + "\n")
    return 0


def _verdict(item: Item, settings: Settings) -> TextVerdict | None:
    judged = judge_items([item], settings)
    return None if judged is None else judged[0]


def _told(
    item: Item, repairs: tuple[Repair, ...], verdict: TextVerdict | None, settings: QualitySettings
) -> dict[str, Any]:
    return {
        "title": item.title,
        "category": item.category,
        "brand": item.brand,
        "repairs": [
            {"field": each.field, "rule": each.rule, "before": each.before, "after": each.after} for each in repairs
        ],
        "rules": [each.rule for each in findings(item.title)],
        "quality": None if verdict is None else round(verdict.score, 4),
        "recommended": None if verdict is None else verdict.acceptable(settings),
        "reasons": [] if verdict is None else [each.value for each in verdict.defects(settings)],
    }


def _lines(told: dict[str, Any]) -> Iterator[str]:
    yield f"title     {told['title']}"
    for each in told["repairs"]:
        yield f"repaired  {each['field']} by {each['rule']}: {each['before']!r} became {each['after']!r}"
    yield f"rules     {', '.join(told['rules']) or 'found nothing'}"
    if told["quarantined"] is not None:
        yield f"quality   not judged: a title that shows nothing goes to quarantine as {told['quarantined']}"
        return
    if told["quality"] is None:
        yield "quality   not judged: there is no quality model (HEADRACE_MODEL_DIR)"
        return
    yield f"quality   {told['quality']:.2f}, {'may be recommended' if told['recommended'] else 'is hidden'}"
    yield f"reasons   {', '.join(told['reasons']) or 'none'}"
