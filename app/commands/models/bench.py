"""`headrace models bench`: times the embedding model."""

import argparse
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from app.artefacts.bench import BenchPlan, bench_embedding
from app.commands.models.arguments import (
    add_common,
    add_inference,
    add_items,
    folder_of,
    positive,
    print_result,
    tell,
    titles_of,
)
from app.settings import Settings
from models.inference.manifest import Artefact, read_manifest, write_manifest
from models.inference.settings import InferenceSettings

SUMMARY = "time the embedding model against the plain export and PyTorch"
DETAILS = """
Texts a second of the embedding model in use, tokenising included, against the same model otherwise:
  chosen              as a worker runs it: sorted by length, batches of few tokens, a run on each thread
  onnx_fp32           the plain export, batches of 32 in the order given, all threads in one run
  onnx_fp32_sorted    the plain export run as the chosen one is; onnx_fp16_sorted likewise
  torch               sentence-transformers, batches of 32 in the order given
  torch_sorted        sentence-transformers, all texts in one call with batch size 32: it sorts them itself
Rounds are interleaved and ratios are medians of the rounds. The chosen vectors are compared with those of the plain
export: cosine, overlap of the ten nearest, and the least cosine between a text alone and among others.
"""
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


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.description = DETAILS
    add_common(parser)
    add_items(parser)
    add_inference(parser)
    parser.add_argument("--texts", metavar="N", type=positive, default=2_000, help="titles (default: 2000)")
    parser.add_argument("--rounds", metavar="N", type=positive, default=5, help="rounds, for medians (default: 5)")
    parser.add_argument("--record", action="store_true", help="write the speeds into the manifest")


def execute(args: argparse.Namespace, settings: Settings) -> int:
    """Time everything, and print the figures."""
    folder = folder_of(args, settings)
    artefact = read_manifest(folder).find("embedding")
    inference = InferenceSettings(provider=args.provider, threads=args.threads)
    titles = titles_of(args, settings)[: args.texts]
    plan = BenchPlan(folder, args.work / artefact.name, titles, args.rounds, inference)
    result = bench_embedding(plan, tell)
    if args.record:
        _record(folder, artefact, result)
    print_result(args.json, result, lambda: _table(result))
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
