"""`headrace ranker`: shows the published weights of the learned ranker, and says which of them
rank.
"""

import argparse
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec
import orjson

from app.errors import HeadraceError
from app.kafka.ranker_log import publish, read_published
from app.progress_line import ProgressLine
from app.settings import Settings
from models.inference.manifest import ManifestError
from models.ranker.published import PublishedWeights
from models.ranker.weights import FEATURES_HASH, PINNED, ROLLED_BACK, RankerRecord, rolled_back

DETAILS = """
Of the topic ranker: `show` tells which weights all workers rank by, who ranks where HEADRACE_RANKER_MODE is auto, and
what each ranker predicted: the share of lists that had the user's next item among 20, and the mean of 1 / rank, on
lists that it had not learned from yet; and the loss, the mean of -ln(share) that it gave that item. It lists the
versions that can be pinned or rolled back to: the topic keeps some that lie twice as far back each time.

`pin VERSION` lets all workers rank by that version until `pin --release`, also where the formula would rank; learning
goes on beside it. `rollback` puts an earlier version (VERSION, or the one before the newest) in the place of the
newest: it ranks, and learning goes on from it. `export` writes a version as ONNX, lists it in DIR/manifest.json, and
compares the scores of onnxruntime with Headrace's; it needs the extra onnx.

exit status:
  0  done
  1  Kafka does not answer, no weights were published, or no such version is kept
  2  a setting or an argument is not allowed
"""

EXAMPLES = """
examples:
  headrace ranker show                  the weights that rank, and the versions that are kept
  headrace ranker show --json | jq .leader
  headrace ranker pin 512               rank by version 512, whatever is learned
  headrace ranker pin --release         rank by the newest again
  headrace ranker rollback              undo the newest publication
  headrace ranker rollback 448 --json
  headrace ranker export build/ranker   ONNX and a manifest; check it: headrace models verify --dir build/ranker
"""

LICENCE = "the shop's: learned from its events"


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the verbs, their arguments and examples."""
    parser.epilog = EXAMPLES
    what = parser.add_subparsers(dest="what", metavar="WHAT", required=True)
    _verb(what, "show", "show the published weights")
    pin = _verb(what, "pin", "let all workers rank by one version")
    chosen = pin.add_mutually_exclusive_group(required=True)
    chosen.add_argument("version", metavar="VERSION", type=_version, nargs="?", help="a version that `show` lists")
    chosen.add_argument("--release", action="store_true", help="rank by the newest weights again")
    back = _verb(what, "rollback", "put an earlier version in the place of the newest")
    back.add_argument("version", metavar="VERSION", type=_version, nargs="?", help="default: the newest earlier one")
    export = _verb(what, "export", "write a version as ONNX, with a manifest")
    export.add_argument("folder", metavar="DIR", type=Path, help="folder of the artefact")
    export.add_argument(
        "--version", metavar="VERSION", type=_version, help="default: the pinned weights, or the newest"
    )
    export.add_argument("--licence", default=LICENCE, help="what the manifest says (default: %(default)s)")


def _verb(what: Any, name: str, summary: str) -> argparse.ArgumentParser:
    verb: argparse.ArgumentParser = what.add_parser(
        name, help=summary, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    verb.description, verb.epilog = f"{summary}\n{DETAILS}", EXAMPLES
    verb.add_argument("--json", action="store_true", help="print one JSON object on standard output")
    return verb


def execute(args: argparse.Namespace, settings: Settings) -> int:
    """Carry out one verb. Returns the exit status."""
    line = ProgressLine(sys.stderr)
    try:
        found = read_published(settings.kafka, lambda share: line.show(f"{share:4.0%} of the topic read"))
    finally:
        line.close()
    if found.newest is None:
        raise HeadraceError(
            f"no weights were published to the topic {settings.kafka.topic_prefix}ranker; workers publish them while "
            "they learn, with HEADRACE_RANKER_MODE=auto or learned"
        )
    said, lines = _VERBS[args.what](args, settings, found, found.newest)
    sys.stdout.write(orjson.dumps(said).decode() + "\n" if args.json else "\n".join(lines) + "\n")
    return 0


Told = tuple[dict[str, Any], list[str]]


def _show(args: argparse.Namespace, settings: Settings, found: PublishedWeights, newest: RankerRecord) -> Told:
    said = _as_json(found.pinned or newest) | {
        "pinned": found.pinned is not None,
        "newest": newest.version,
        "versions": [_short(each) for _, each in sorted(found.versions.items())],
    }
    return said, _for_people(said)


def _pin(args: argparse.Namespace, settings: Settings, found: PublishedWeights, newest: RankerRecord) -> Told:
    if args.release:
        if found.pinned is None:
            raise HeadraceError("no weights are pinned: workers rank by the newest already")
        publish(settings.kafka, PINNED, None)
        return {"pinned": None, "newest": newest.version}, [
            f"workers rank by the newest weights, {newest.version}, again"
        ]
    record = _fit(found, args.version)
    publish(settings.kafka, PINNED, msgspec.json.encode(record))
    said = {"pinned": record.version, "newest": newest.version, "ranker": record.better}
    return said, [
        f"all workers rank by weights {record.version}, ranker {record.better}; learning goes on beside it",
        "to end it: headrace ranker pin --release",
    ]


def _roll_back(args: argparse.Namespace, settings: Settings, found: PublishedWeights, newest: RankerRecord) -> Told:
    earlier = [version for version, each in found.versions.items() if version < newest.version and not each.stopped]
    if args.version is None and not earlier:
        raise HeadraceError(f"no version before {newest.version} is kept")
    record = _fit(found, args.version if args.version is not None else max(earlier))
    if record.version >= newest.version:
        raise HeadraceError(f"{record.version} is the newest version: nothing to roll back")
    value = rolled_back(record, newest)
    publish(settings.kafka, ROLLED_BACK, value)
    said = {"from": newest.version, "to": record.version, "version": newest.version + 1, "pinned": None}
    lines = [f"weights {record.version} are published again as {newest.version + 1}; learning goes on from them"]
    if found.pinned is not None:
        said["pinned"] = found.pinned.version
        lines.append(f"weights {found.pinned.version} are pinned and still rank, until: headrace ranker pin --release")
    return said, lines


def _export(args: argparse.Namespace, settings: Settings, found: PublishedWeights, newest: RankerRecord) -> Told:
    # Here, because onnxruntime is installed only with an extra.
    from app.artefacts.ranker import export_ranker

    chosen = found.pinned or newest
    record = _fit(found, args.version if args.version is not None else chosen.version)
    try:
        artefact = export_ranker(args.folder, msgspec.json.encode(record), args.licence)
    except ManifestError as error:
        raise HeadraceError(str(error)) from error
    said = {
        "version": record.version,
        "file": str(args.folder / artefact.model.file),
        "sha256": artefact.model.sha256,
        "worst": artefact.parity["absolute_worst"],
        "inputs": artefact.dimension,
    }
    worst = said["worst"]
    return said, [f"{said['file']}: weights {record.version}; scores are within {worst:g} of Headrace's"]


_VERBS: Mapping[str, Callable[[argparse.Namespace, Settings, PublishedWeights, RankerRecord], Told]] = {
    "show": _show,
    "pin": _pin,
    "rollback": _roll_back,
    "export": _export,
}


def _fit(found: PublishedWeights, version: int) -> RankerRecord:
    """The record of a version that can rank. Raises HeadraceError with what to do."""
    record = found.versions.get(version)
    if record is None:
        kept = ", ".join(map(str, sorted(found.versions)))
        raise HeadraceError(f"version {version} is not kept; there are {kept}")
    if record.features != FEATURES_HASH:
        raise HeadraceError(f"version {version} is of other features than this version of Headrace has")
    if record.stopped:
        raise HeadraceError(f"learning had stopped at version {version}: choose another one")
    return record


def _version(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r}: use a version, a whole number of 1 or more")
    return int(text)


def _short(record: RankerRecord) -> dict[str, Any]:
    return {"version": record.version, "lists": record.lists, "better": record.better, "rankers": record.figures}


def _as_json(record: RankerRecord) -> dict[str, Any]:
    return {
        "version": record.version,
        "lists": record.lists,
        "leader": record.leader,
        "better": record.better,
        "stopped": record.stopped,
        "fits": record.features == FEATURES_HASH,
        "features": record.features,
        "generation": record.generation,
        "rankers": record.figures,
    }


def _for_people(said: dict[str, Any]) -> list[str]:
    who = f"pinned, so {said['better']} ranks" if said["pinned"] else f"in auto, {said['leader']} ranks"
    lines = [f"weights {said['version']}, learned from {said['lists']:,} lists; {who}"]
    for name, figures in said["rankers"].items():
        lines.append(f"  {name:<8} " + "  ".join(f"{measure} {value:.4f}" for measure, value in figures.items()))
    if said["stopped"]:
        lines.append("learning has stopped at a number that is none: the formula ranks")
    if not said["fits"]:
        lines.append("they are of other features than this version's: workers of this version begin again")
    lines.append(f"newest: {said['newest']}; kept: {', '.join(str(each['version']) for each in said['versions'])}")
    return lines
