"""`headrace models export-judge`: makes a second judge from a causal language model."""

import argparse
import json
import logging
import sys
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

from app.artefacts.doubtful_examples import DoubtfulDraw, read_catalogue, titles_to_compare
from app.artefacts.progress_bar import ProgressBar
from app.artefacts.second_judge import SecondJudgePlan, Watch, export_second_judge
from app.artefacts.smollm import SMOLLM
from app.commands.models.arguments import WORK, tell
from app.errors import HeadraceError
from app.settings import Settings
from models.inference.manifest import Artefact, ManifestError, read_manifest
from models.quality.judge import TASK as QUALITY_TASK
from models.quality.judge import open_quality_model
from models.training.quality_catalogue import Part

SUMMARY = "make a causal language model the second judge of doubtful item texts"
EPILOG = """examples:
  headrace models export-judge --items shop.csv.gz
  headrace models export-judge --items a.csv b.csv --unseen c.csv --examples 1000
  headrace models export-judge --items a.csv --source ./my-causal-model --name my-model --licence MIT
  HEADRACE_JUDGE_DIR=build/second-judge headrace worker

Needs the extra `export` (torch) and the quality model in HEADRACE_MODEL_DIR. The judge is calibrated on the catalogues'
validation part, clean and spoilt, where the quality model's score lies between HEADRACE_JUDGE_LOW and _HIGH, and
reported on their test part and on all of --unseen. Its file is large: the default is 170 MB; do not commit it.
"""
OUT = Path("build/second-judge")


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.epilog = EPILOG
    files: dict[str, Any] = {"type": Path, "nargs": "+", "metavar": "FILE"}
    parser.add_argument("--items", required=True, help="catalogue files, .csv or .jsonl, gzipped or not", **files)
    parser.add_argument("--unseen", default=[], help="catalogues only to report on", **files)
    parser.add_argument("--source", default=SMOLLM, help=f"a model's folder or hub id (default: {SMOLLM}, by wheel)")
    parser.add_argument("--name", help="the artefact's name (default: that of the source)")
    parser.add_argument("--licence", help="licence of the model, where its folder does not state it")
    parser.add_argument("--prefix", help="what marks a new document for the model (default: as its tokenizer says)")
    parser.add_argument("--variant", choices=("w8", "fp32"), default="w8", help="8-bit weights, or none rounded")
    parser.add_argument(
        "--examples", type=int, default=800, help="to calibrate on; half as many a report (default: 800)"
    )
    parser.add_argument("--dir", type=Path, default=OUT, help=f"folder of the artefact (default: {OUT})")
    parser.add_argument("--work", type=Path, default=WORK, help=f"where exports are kept (default: {WORK})")
    parser.add_argument("--json", action="store_true", help="print the manifest's entry as JSON")


def execute(args: argparse.Namespace, settings: Settings) -> int:
    """Make the judge, and print how much it helps."""
    logging.getLogger("onnxruntime.quantization.matmul_nbits_quantizer").setLevel(logging.ERROR)
    try:
        plan = _plan(args, settings)
        with ExitStack() as bars:
            artefact = export_second_judge(plan, tell, _show(bars))
    except ModuleNotFoundError as missing:
        raise HeadraceError(f"{missing}; this needs the extra `export`: make export-setup") from missing
    except ManifestError as error:
        raise HeadraceError(str(error)) from error
    sys.stdout.write(json.dumps(asdict(artefact), indent=2) + "\n" if args.json else _summary(artefact, args.dir))
    return 0


def _plan(args: argparse.Namespace, settings: Settings) -> SecondJudgePlan:
    if args.examples < 1:
        raise HeadraceError("--examples must be at least 1")
    folder, band = settings.model.folder, settings.judge
    examples = DoubtfulDraw(open_quality_model(folder), band, tell)
    key = read_manifest(folder).find(QUALITY_TASK).key
    catalogues, unseen = ([read_catalogue(path) for path in paths] for paths in (args.items, args.unseen))
    tell(f"looking for texts that the quality model scores between {band.low} and {band.high}; this takes minutes")
    calibration = examples.draw([each.part(Part.VALIDATION) for each in catalogues], args.examples)
    reports = {"test part": examples.draw([each.part(Part.TEST) for each in catalogues], args.examples // 2)}
    reports |= {each.name: examples.draw([each], args.examples // 2) for each in unseen}
    name = args.name or args.source.rstrip("/").rsplit("/", 1)[-1]
    return SecondJudgePlan(
        source=args.source,
        variant=args.variant,
        licence=args.licence,
        prefix=args.prefix,
        folder=args.dir,
        work=args.work / name,
        band=band,
        quality_key=key,
        titles=titles_to_compare(catalogues),
        calibration=calibration,
        reports=reports,
    )


def _show(bars: ExitStack) -> Watch:
    """Show a progress bar for each name that is reported. The bars end with `bars`."""
    shown: dict[str, ProgressBar] = {}

    def watch(name: str, done: int, total: int) -> None:
        if name not in shown:
            shown[name] = bars.enter_context(ProgressBar(name))
        shown[name](done, total)

    return watch


def _summary(artefact: Artefact, folder: Path) -> str:
    lines = [f"{folder / artefact.model.file} judges in {artefact.speed['seconds_per_item']} s an item on one thread"]
    lines += [f"{'AUROC in the band':<28}{'quality model':>15}{'with both':>12}{'fine':>8}{'spoilt':>8}"]
    for name, report in artefact.details["reports"].items():
        first, both = (
            "-" if each is None else f"{each:.3f}"
            for each in (report["auroc_quality_model"], report["auroc_with_second_judge"])
        )
        lines.append(f"{name:<28}{first:>15}{both:>12}{report['fine']:>8}{report['spoilt']:>8}")
    tested = artefact.details["reports"]["test part"]
    if (tested["auroc_with_second_judge"] or 0.0) <= (tested["auroc_quality_model"] or 0.0):
        lines.append("It does not help on the titles kept for the test: leave it off.")
    lines.append(f"Turn it on with HEADRACE_JUDGE_DIR={folder}")
    return "\n".join(lines) + "\n"
