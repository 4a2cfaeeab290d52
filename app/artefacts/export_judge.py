"""`headrace models export-judge`: a causal language model made the second judge of what the quality model doubts."""

import argparse
import json
import logging
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from app.artefacts.catalogue_files import catalogue_name, read_entries
from app.artefacts.judge import JudgePlan, Watch, export_judge
from app.artefacts.smollm import SMOLLM
from app.errors import HeadraceError
from app.settings import Settings
from models.inference.manifest import Artefact, ManifestError, read_manifest
from models.quality.judge import TASK as QUALITY_TASK
from models.quality.judge import QualityModel, open_quality_model
from models.quality.second_judge_score import JudgeSettings
from models.training.quality_catalogue import Catalogue, Part, trusted
from models.training.quality_examples import material
from models.training.second_judge_fit import Doubtful, draw_doubtful

SUMMARY = "make a causal language model the second judge of doubtful item texts"
EPILOG = """examples:
  headrace models export-judge --items shop.csv.gz
  headrace models export-judge --items a.csv b.csv --unseen c.csv --examples 1000
  headrace models export-judge --items a.csv --source ./my-causal-model --name my-model --licence MIT
  HEADRACE_JUDGE_DIR=build/second-stage headrace worker

Needs the extra `export` (torch) and the quality model in HEADRACE_MODEL_DIR. The judge is calibrated on the catalogues'
validation part, clean and spoilt, where the quality model's score lies between HEADRACE_JUDGE_LOW and _HIGH, and
reported on their test part and on all of --unseen. Its file is large: the default is 170 MB; do not commit it.
"""
WORK = Path("build/models")
OUT = Path("build/second-stage")
SEED = 5


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.description, parser.epilog = SUMMARY, EPILOG
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
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
    """Make it, and print how much it helps."""
    logging.getLogger("onnxruntime.quantization.matmul_nbits_quantizer").setLevel(logging.ERROR)
    try:
        plan = _plan(args, settings)
        with ExitStack() as bars:
            artefact = export_judge(plan, _tell, _bars(bars))
    except ModuleNotFoundError as missing:
        raise HeadraceError(f"{missing}; this needs the extra `export`: make export-setup") from missing
    except ManifestError as error:
        raise HeadraceError(str(error)) from error
    sys.stdout.write(json.dumps(asdict(artefact), indent=2) + "\n" if args.json else _summary(artefact, args.dir))
    return 0


def _plan(args: argparse.Namespace, settings: Settings) -> JudgePlan:
    if args.examples < 1:
        raise HeadraceError("--examples must be at least 1")
    folder, band = settings.model.folder, settings.judge
    quality, key = open_quality_model(folder), read_manifest(folder).find(QUALITY_TASK).key
    catalogues, unseen = ([_catalogue(path) for path in paths] for paths in (args.items, args.unseen))
    _tell(f"looking for texts that the quality model scores between {band.low} and {band.high}; this takes minutes")
    calibration = _draw([each.part(Part.VALIDATION) for each in catalogues], quality, band, args.examples)
    reports = {"test part": _draw([each.part(Part.TEST) for each in catalogues], quality, band, args.examples // 2)}
    reports |= {each.name: _draw([each], quality, band, args.examples // 2) for each in unseen}
    name = args.name or args.source.rstrip("/").rsplit("/", 1)[-1]
    titles = [item.title for each in catalogues for item in each.part(Part.TEST).items]
    mixed = [titles[row] for row in np.random.default_rng(SEED).permutation(len(titles))]
    return JudgePlan(
        source=args.source,
        variant=args.variant,
        licence=args.licence,
        prefix=args.prefix,
        folder=args.dir,
        work=args.work / name,
        band=band,
        quality_key=key,
        titles=mixed,
        calibration=calibration,
        reports=reports,
    )


def _catalogue(path: Path) -> Catalogue:
    return trusted(catalogue_name(path), read_entries(path))


def _draw(catalogues: Sequence[Catalogue], quality: QualityModel, band: JudgeSettings, count: int) -> list[Doubtful]:
    if not any(each.items for each in catalogues):
        raise HeadraceError("none of the files has a usable title in the part that is needed: name larger ones")
    categories = sorted({item.category for each in catalogues for item in each.items if item.category})
    source = material(list(catalogues), categories)
    drawn = draw_doubtful(source, quality, band, count, np.random.default_rng(SEED))
    fine = sum(each.fine for each in drawn)
    _tell(f"{', '.join(each.name for each in catalogues)}: {fine} fine, {len(drawn) - fine} spoilt")
    return drawn


def _bars(stack: ExitStack) -> Watch:
    from app.artefacts.train_quality import Bar

    shown: dict[str, Bar] = {}

    def watch(name: str, done: int, total: int) -> None:
        if name not in shown:
            shown[name] = stack.enter_context(Bar(name))
        shown[name](done, total)

    return watch


def _summary(artefact: Artefact, folder: Path) -> str:
    lines = [f"{folder / artefact.model.file} judges in {artefact.speed['seconds_per_item']} s an item on one thread"]
    lines += [f"{'AUROC in the band':<28}{'quality model':>15}{'with both':>12}{'fine':>8}{'spoilt':>8}"]
    for name, said in artefact.details["reports"].items():
        first, both = (
            "-" if each is None else f"{each:.3f}" for each in (said["auroc_quality_model"], said["auroc_second_stage"])
        )
        lines.append(f"{name:<28}{first:>15}{both:>12}{said['fine']:>8}{said['spoilt']:>8}")
    tested = artefact.details["reports"]["test part"]
    if (tested["auroc_second_stage"] or 0.0) <= (tested["auroc_quality_model"] or 0.0):
        lines.append("It does not help on the titles kept for the test: leave it off.")
    lines.append(f"Turn it on with HEADRACE_JUDGE_DIR={folder}")
    return "\n".join(lines) + "\n"


def _tell(text: str) -> None:
    sys.stderr.write(text + "\n")
    sys.stderr.flush()
