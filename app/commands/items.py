"""`headrace items`: judges a title, and shows and decides which items are hidden."""

import argparse
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

import orjson

from app.commands import stored_items
from app.errors import HeadraceError
from app.settings import Settings
from models.contract.events import Item
from models.inference.manifest import FILE_NAME, ManifestError
from models.quality.defect import ItemText
from models.quality.repair import Repair, repair_item
from models.quality.rules import findings
from models.quality.text import QualitySettings, TextVerdict, text_of

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
    told = _told(item, repairs, _verdict(text_of(item), settings), settings.quality)
    if args.json:
        sys.stdout.write(orjson.dumps(told).decode() + "\n")
    else:
        sys.stdout.write("\n".join(_lines(told)) + "\n")
    return 0


def _verdict(text: ItemText, settings: Settings) -> TextVerdict | None:
    """Return what the quality model and the rules say; None without a quality model."""
    folder = settings.model.folder
    if not settings.model.dir or not (folder / FILE_NAME).exists() or find_spec("onnxruntime") is None:
        return None
    # here, because its packages are installed only with an extra
    from models.quality.judge import open_quality_model

    try:
        [found] = open_quality_model(folder, settings.inference, settings.quality.counted()).judge([text])
    except ManifestError as error:
        raise HeadraceError(f"the models cannot be used: {error}") from error
    return found


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
    if told["quality"] is None:
        yield "quality   not judged: there is no quality model (HEADRACE_MODEL_DIR)"
        return
    yield f"quality   {told['quality']:.2f}, {'may be recommended' if told['recommended'] else 'is hidden'}"
    yield f"reasons   {', '.join(told['reasons']) or 'none'}"
