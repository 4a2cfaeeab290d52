"""`headrace models train-quality`: catalogues in; the quality model's artefact and a validation report out."""

import argparse
import json
import logging
import sys
import time
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from app.artefacts.catalogue_files import catalogue_name, read_entries
from app.errors import HeadraceError
from app.settings import Settings
from models.training.corruptions import CORRUPTIONS

if TYPE_CHECKING:
    from tokenizers import Tokenizer  # type: ignore[import-untyped]  # the wheel ships no types

    from models.training.quality_examples import Material

SUMMARY = "make the quality model from catalogue files"
EPILOG = """examples:
  headrace models train-quality --items shop.csv.gz --base all-MiniLM-L6-v2/
  headrace models train-quality --items a.csv --items b.jsonl --base DIR --out onnx --report quality-report
  headrace models train-quality --items a.csv --base DIR --steps 300 --leave-out misread,hash_tags

Needs the extra `export` (torch). The files are CSV or JSON lines, gzipped or not, with the columns title and, where
known, category, brand and price. A tenth of the titles is kept for calibration, another for the report.
"""
SCALED_ON = 4_000
ASSORTMENT, NAMES, NAMES_TO_CALIBRATE = 6_000, 16_000, 3_000


@dataclass(frozen=True, slots=True)
class Request:
    """What to train on, for how long, and where to write."""

    items: tuple[Path, ...]
    base: Path
    out: Path
    report: Path
    steps: int
    seed: int
    threads: int
    left_out: frozenset[str]


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.description, parser.epilog = SUMMARY, EPILOG
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument(
        "--items",
        type=Path,
        action="append",
        nargs="+",
        required=True,
        metavar="FILE",
        help="catalogue files",
    )
    parser.add_argument(
        "--base", type=Path, required=True, help="folder of the BERT-like sentence encoder to start from"
    )
    parser.add_argument("--out", type=Path, default=Path("onnx"), help="folder of the artefacts (default: onnx)")
    parser.add_argument(
        "--report",
        type=Path,
        default=Path("quality-report"),
        help="folder of the report (default: quality-report)",
    )
    parser.add_argument(
        "--steps",
        type=int,
        default=2000,
        help="training steps of 48 titles; 0 only calibrates the model in --out anew (default: 2000)",
    )
    parser.add_argument("--seed", type=int, default=7, help="seed of everything drawn (default: 7)")
    parser.add_argument("--threads", type=int, default=2, help="threads (default: 2)")
    parser.add_argument(
        "--leave-out",
        default="",
        metavar="NAMES",
        help="corruptions not trained on, to see how unknown ones fare",
    )
    parser.add_argument("--json", action="store_true", help="print the report as JSON")


def execute(args: argparse.Namespace, settings: Settings) -> int:
    """Train, measure, export; print where it all is."""
    request = _request(args)
    try:
        report = train(request)
    except ModuleNotFoundError as missing:
        raise HeadraceError(
            f"{missing}; training needs the extra `export`: pip install 'headrace[export]'"
        ) from missing
    if args.json:
        sys.stdout.write(json.dumps(report, indent=2) + "\n")
    else:
        sys.stdout.write(f"model in {request.out}, report in {request.report}\n")
    return 0


def _request(args: argparse.Namespace) -> Request:
    left_out = frozenset(filter(None, args.leave_out.split(",")))
    if unknown := sorted(left_out - {each.name for each in CORRUPTIONS}):
        raise HeadraceError(
            f"no corruption is called {unknown[0]}; there are {', '.join(each.name for each in CORRUPTIONS)}"
        )
    if not (args.base / "config.json").is_file():
        raise HeadraceError(
            f"{args.base} holds no config.json; give the folder of a sentence encoder such as all-MiniLM-L6-v2"
        )
    if args.steps < 0:
        raise HeadraceError("--steps must not be negative")
    if args.steps == 0 and not (args.out / "manifest.json").is_file():
        raise HeadraceError(f"--steps 0 calibrates the model in {args.out} anew, and there is none; train one first")
    items = tuple(path for group in args.items for path in group)
    return Request(items, args.base, args.out, args.report, args.steps, args.seed, args.threads, left_out)


def train(request: Request) -> dict[str, Any]:
    """Everything from files to artefact; returns the report. Raises HeadraceError for unusable files."""
    import torch  # type: ignore[import-not-found]  # installed with the extra `export` only

    from app.artefacts.train_quality_report import (
        finish,  # all of it now, so that nothing is missing after the training
    )
    from models.quality.judge import cutting_tokenizer
    from models.training.quality_catalogue import Part
    from models.training.quality_network import NetworkShape

    for talkative in ("transformers", "onnxruntime.quantization.matmul_nbits_quantizer"):
        logging.getLogger(talkative).setLevel(logging.ERROR)
    torch.set_num_threads(request.threads)
    torch.manual_seed(request.seed)
    tokenizer = cutting_tokenizer(request.base / "tokenizer.json", NetworkShape().positions)
    sources = _sources(request, tokenizer)
    started = time.monotonic()
    network = _fit(request, tokenizer, sources[Part.TRAIN]) if request.steps else None
    minutes = (time.monotonic() - started) / 60
    return finish(request, network, tokenizer, sources, minutes)


def _sources(request: Request, tokenizer: "Tokenizer") -> "dict[Any, Material]":
    """What examples are drawn from, for each part of the split."""
    from models.training.quality_assortment import assortment
    from models.training.quality_catalogue import Part, categories_only, trusted
    from models.training.quality_examples import material
    from models.training.quality_goods import GOODS
    from models.training.quality_names import names, words_of_vocabulary
    from models.training.quality_teacher import teachers_view

    entries = {catalogue_name(path): read_entries(path) for path in request.items}
    catalogues = [trusted(name, rows) for name, rows in entries.items()]
    if not any(each.items for each in catalogues):
        raise HeadraceError("none of the files has a usable title")
    categories = [name for rows in entries.values() for name in categories_only(rows)]
    with bar("teacher") as told:
        view = teachers_view(request.base, tokenizer, catalogues, [*categories, *GOODS], told)
    words = words_of_vocabulary(tokenizer.get_vocab(with_added_tokens=False))
    made_up = {
        Part.TRAIN: [
            assortment(np.random.default_rng(request.seed), ASSORTMENT),
            names(words, np.random.default_rng(request.seed), NAMES),
        ],
        Part.VALIDATION: [names(words, np.random.default_rng(request.seed + 1), NAMES_TO_CALIBRATE)],
        Part.TEST: [],
    }
    categories += list(GOODS)
    return {
        part: material(
            [each.part(part) for each in catalogues] + made_up[part],
            categories,
            view,
            request.left_out if part is Part.TRAIN else frozenset(),
        )
        for part in Part
    }


def _fit(request: Request, tokenizer: "Tokenizer", source: "Material") -> Any:
    from models.quality.defect import DEFECTS
    from models.quality.features import lexical_features
    from models.training.quality_examples import examples
    from models.training.quality_fit import FitSettings, batches, fit
    from models.training.quality_measure import draw
    from models.training.quality_network import NetworkShape, build_network

    rng = np.random.default_rng(request.seed)
    counted = lexical_features([each.item for each in draw(source, rng, SCALED_ON)])
    scaling = np.stack([counted.mean(axis=0), counted.std(axis=0)])
    network = build_network(request.base, scaling, len(DEFECTS), NetworkShape())
    settings = FitSettings(steps=request.steps)
    with bar("training") as told:
        smooth = [0.7]

        def progress(step: int, loss: float) -> None:
            smooth[0] += 0.02 * (loss - smooth[0])
            told(step, settings.steps, f"loss {smooth[0]:.4f}")

        fit(network, batches(tokenizer, examples(source, rng), settings.batch), settings, progress)
    return network


class Bar(AbstractContextManager["Bar"]):
    """A progress bar on standard error."""

    def __init__(self, name: str) -> None:
        """Shown from the first call on."""
        from tqdm import tqdm  # type: ignore[import-untyped]  # ships no types

        self._bar = tqdm(desc=name, file=sys.stderr, mininterval=2.0, unit="")

    def __call__(self, done: int, total: int, note: str = "") -> None:
        """Tell how much is done."""
        self._bar.total = total
        if note:
            self._bar.set_postfix_str(note, refresh=False)
        self._bar.update(done - self._bar.n)

    def __exit__(self, *_: object) -> None:
        """Leave the finished bar standing."""
        self._bar.close()


def bar(name: str) -> Bar:
    """A progress bar."""
    return Bar(name)
