"""`headrace models`: makes, checks and times the model artefacts."""

import argparse
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Protocol

import orjson

from app.artefacts import evaluate_quality, export_judge, train_quality
from app.artefacts.bench import BenchPlan, bench_embedding
from app.artefacts.export import VARIANTS, ExportPlan, export_embedding
from app.artefacts.source import DEFAULT_MODEL
from app.artefacts.titles import read_titles
from app.artefacts.verify import verify_models
from app.datasets.sample import sample_dataset
from app.errors import HeadraceError
from app.settings import Settings
from models.inference.manifest import FILE_NAME, POOLINGS, Artefact, ManifestError, read_manifest, write_manifest
from models.inference.settings import InferenceSettings


class Command(Protocol):
    """What a module of a command below `models` offers."""

    SUMMARY: str

    def configure(self, parser: argparse.ArgumentParser) -> None:
        """Declare the arguments."""

    def execute(self, args: argparse.Namespace, settings: Settings) -> int:
        """Do it, and return the exit status."""


QUALITY: Mapping[str, Command] = {
    "train-quality": train_quality,
    "evaluate-quality": evaluate_quality,
    "export-judge": export_judge,
}
WORK = Path("build/models")
FIGURES = (
    "ratio_to_onnx_fp32",
    "ratio_to_onnx_fp32_sorted",
    "ratio_to_torch",
    "ratio_to_torch_sorted",
    "cosine_to_fp32_mean",
    "cosine_to_fp32_min",
    "neighbour_overlap_at_10",
    "batch_cosine_min",
)
BENCH = """
Texts a second of the embedding model in use, tokenising included, against the same model otherwise:
  chosen              as a worker runs it: sorted by length, batches of few tokens, a run on each thread
  onnx_fp32           the plain export, batches of 32 in the order given, all threads in one run
  onnx_fp32_sorted    the plain export run as the chosen one is; onnx_fp16_sorted likewise
  torch               sentence-transformers, batches of 32 in the order given
  torch_sorted        sentence-transformers, all texts in one call with batch size 32: it sorts them itself
Rounds are interleaved and ratios are medians of the rounds. The chosen vectors are compared with those of the plain
export: cosine, overlap of the ten nearest, and the least cosine between a text alone and among others.
"""

EXAMPLES = """
examples:
  headrace models verify                              sums, shapes, and whether they compute right here
  headrace models bench --json                        texts/s against the plain export and PyTorch
  headrace models bench --provider cuda
  headrace models export --items ITEMS                all-MiniLM-L6-v2, int8, into onnx/
  headrace models export --items ITEMS --source ./my-encoder --name my-encoder --licence MIT --variant fp16
ITEMS: CSV files with a column title (also .gz), text files with a title a line, or folders with an items.csv.gz.
  headrace models train-quality --items ITEMS --base ./all-MiniLM-L6-v2 --report quality-report
  headrace models evaluate-quality --data ../shared/data
  headrace models export-judge --items ITEMS          a language model as second stage of the quality model
`export`, `train-quality` and `export-judge` need the extra `export`; `make export-setup` installs it into .venv-export.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare export, verify and bench."""
    parser.epilog = EXAMPLES
    what = parser.add_subparsers(dest="what", metavar="WHAT", required=True)
    for name, help, declare in (
        ("export", "make an embedding model's artefact from a Hugging Face encoder", _configure_export),
        ("verify", "check sums, shapes and canonical vectors of every artefact", _configure_verify),
        ("bench", "time the embedding model against the plain export and PyTorch", _configure_bench),
    ):
        sub = what.add_parser(
            name,
            help=help,
            description=BENCH if name == "bench" else help,
            epilog=EXAMPLES,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        sub.add_argument(
            "--dir", metavar="DIR", type=Path, help="folder of the artefacts (default: HEADRACE_MODEL_DIR)"
        )
        sub.add_argument("--json", action="store_true", help="print one JSON object on standard output")
        declare(sub)
    for name, module in QUALITY.items():
        module.configure(
            what.add_parser(name, help=module.SUMMARY, formatter_class=argparse.RawDescriptionHelpFormatter)
        )


def execute(args: argparse.Namespace, settings: Settings) -> int:
    """Do it; 0 when the artefact was made, all artefacts are right, or everything was timed."""
    try:
        if args.what in QUALITY:
            return QUALITY[args.what].execute(args, settings)
        folder = args.dir or settings.model.folder
        return _ACTIONS[args.what](args, folder, settings)
    except ManifestError as error:
        raise HeadraceError(str(error)) from error


def _configure_export(parser: argparse.ArgumentParser) -> None:
    _configure_items(parser)
    parser.add_argument(
        "--source", default=DEFAULT_MODEL, help=f"a model's folder or hub id (default: {DEFAULT_MODEL} from PyPI)"
    )
    parser.add_argument("--name", help="what the model is called (default: the last part of the source)")
    parser.add_argument("--variant", choices=VARIANTS, default="int8", help="which one is put to use (default: int8)")
    parser.add_argument("--prefix", default="", help='put before every text, such as "query: " (default: nothing)')
    parser.add_argument("--pooling", choices=[each for each in POOLINGS if each != "none"], help="default: the model's")
    parser.add_argument("--max-tokens", metavar="N", type=_positive, help="longest text (default: the model's)")
    parser.add_argument("--licence", help="needed if the model's folder states none")


def _configure_verify(parser: argparse.ArgumentParser) -> None:
    _configure_inference(parser)


def _configure_bench(parser: argparse.ArgumentParser) -> None:
    _configure_items(parser)
    _configure_inference(parser)
    parser.add_argument("--texts", metavar="N", type=_positive, default=2_000, help="titles (default: 2000)")
    parser.add_argument("--rounds", metavar="N", type=_positive, default=5, help="rounds, for medians (default: 5)")
    parser.add_argument("--record", action="store_true", help="write the speeds into the manifest")


def _configure_items(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--items",
        metavar="ITEMS",
        type=Path,
        nargs="+",
        action="extend",
        help="catalogues with titles (default: the sample log's)",
    )
    parser.add_argument(
        "--work", metavar="DIR", type=Path, default=WORK, help=f"where exports are kept (default: {WORK})"
    )


def _configure_inference(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--provider", choices=("auto", "cpu", "cuda"), default="auto", help="default: auto")
    parser.add_argument("--threads", metavar="N", type=_positive, default=2, help="CPU threads (default: 2)")


def _titles(args: argparse.Namespace, settings: Settings) -> list[str]:
    if args.items:
        return read_titles(args.items)
    values = [record.value for record in sample_dataset(settings.embedded).items() if record.value]
    return [str(orjson.loads(value)["title"]) for value in values]


def _export(args: argparse.Namespace, folder: Path, settings: Settings) -> int:
    name = args.name or args.source.rstrip("/").rsplit("/", 1)[-1]
    plan = ExportPlan(
        source=args.source,
        name=name,
        variant=args.variant,
        prefix=args.prefix,
        pooling=args.pooling,
        max_tokens=args.max_tokens,
        licence=args.licence,
        titles=_titles(args, settings),
        folder=folder,
        work=args.work / name,
        threads=InferenceSettings().threads,
    )
    artefact = export_embedding(plan, _tell)
    _print(args.json, asdict(artefact), lambda: f"{folder / artefact.model.file} is the embedding model now\n")
    return 0


def _verify(args: argparse.Namespace, folder: Path, _settings: Settings) -> int:
    findings = list(verify_models(folder, InferenceSettings(provider=args.provider, threads=args.threads)))
    for finding in findings:
        _warn(finding.fallback)
    if not findings:
        raise HeadraceError(f"{folder / FILE_NAME} lists no model; make one with `headrace models export`")
    good = all(finding.problem is None for finding in findings)
    lines = []
    for finding in findings:
        near = finding.comparison
        measured = f"{near.measure} {near.worst:.5f} (bound {near.bound}) on {finding.provider}" if near else ""
        lines.append(finding.problem or f"{finding.name}: sums and shapes as listed, {measured}")
    _print(args.json, {"ok": good, "models": [asdict(each) for each in findings]}, lambda: "\n".join(lines) + "\n")
    return 0 if good else 1


def _bench(args: argparse.Namespace, folder: Path, settings: Settings) -> int:
    artefact = read_manifest(folder).find("embedding")
    inference = InferenceSettings(provider=args.provider, threads=args.threads)
    titles = _titles(args, settings)[: args.texts]
    plan = BenchPlan(folder, args.work / artefact.name, titles, args.rounds, inference)
    result = bench_embedding(plan, _tell)
    if args.record:
        _record(folder, artefact, result)
    _print(args.json, result, lambda: _table(result))
    return 0


def _record(folder: Path, artefact: Artefact, result: Mapping[str, Any]) -> None:
    speed = {
        "texts_per_second": result["texts_per_second"]["chosen"],
        "threads": result["threads"],
        "tokens_per_text": result["tokens_per_text"],
        "ratio_to_onnx_fp32": result["ratio_to_onnx_fp32"],
        "ratio_to_onnx_fp32_sorted": result["ratio_to_onnx_fp32_sorted"],
        "ratio_to_torch": result["ratio_to_torch"],
        "ratio_to_torch_sorted": result["ratio_to_torch_sorted"],
    }
    measured = replace(artefact, speed={name: value for name, value in speed.items() if value is not None})
    manifest = read_manifest(folder)
    models = tuple(measured if each == artefact else each for each in manifest.models)
    write_manifest(folder, replace(manifest, models=models))


def _table(result: Mapping[str, Any]) -> str:
    title = f"{result['model']} {result['variant']}, {result['texts']:,} titles, {result['rounds']} rounds, "
    lines = [title + f"{result['threads']} threads, {result['provider']}", ""]
    for name, rate in result["texts_per_second"].items():
        cpu, spread = result["texts_per_cpu_second"][name], result["spread"][name]
        between = f"({spread['min']:,.0f} to {spread['max']:,.0f})"
        lines.append(f"{name:<18}{rate:>8,.0f} texts/s {between:<20}{cpu:>8,.0f} a second of processor time")
    lines.append("")
    for name in FIGURES:
        lines.append(f"{name:<26}{result[name] if result[name] is not None else 'not measured'}")
    return "\n".join(lines) + "\n"


def _print(as_json: bool, result: Mapping[str, Any], text: Callable[[], str]) -> None:
    sys.stdout.write(orjson.dumps(result).decode() + "\n" if as_json else text())


def _tell(text: str) -> None:
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def _warn(fallback: str | None) -> None:
    if fallback:
        _tell(f"WARNING: {fallback}")


def _positive(text: str) -> int:
    if text.isascii() and text.isdigit() and int(text) > 0:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r}: use a whole number above 0")


_ACTIONS: Mapping[str, Callable[[argparse.Namespace, Path, Settings], int]] = {
    "export": _export,
    "verify": _verify,
    "bench": _bench,
}
