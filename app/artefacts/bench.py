"""Measures the embedding model's texts per second against the plain export and PyTorch.

The rounds of all contenders are interleaved.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter, process_time
from typing import Any

import numpy as np

from app.artefacts.contenders import (
    Contender,
    in_order,
    plain_onnx,
    sentence_transformers,
    sorted_onnx,
    torch_available,
)
from app.errors import HeadraceError
from models.inference.encoder import Encoder, open_encoder
from models.inference.manifest import Artefact, read_manifest
from models.inference.parity import batch_independence, cosines, neighbour_overlap
from models.inference.settings import InferenceSettings

Tell = Callable[[str], None]

INDEPENDENCE_TEXTS = 200
WARM_TEXTS = 64
FP32_FILE = "fp32.onnx"
# FP32 and TORCH get batches of 32 in the given order. The others get all texts, sorted by length.
CHOSEN, FP32, FP32_SORTED, FP16 = "chosen", "onnx_fp32", "onnx_fp32_sorted", "onnx_fp16_sorted"
TORCH, TORCH_SORTED = "torch", "torch_sorted"


@dataclass(frozen=True, slots=True)
class BenchPlan:
    """What is measured: the artefacts in `folder`, and the exports in `work`."""

    folder: Path
    work: Path
    titles: Sequence[str]
    rounds: int
    inference: InferenceSettings


def bench_embedding(plan: BenchPlan, tell: Tell) -> dict[str, Any]:
    """Measure all contenders, including tokenising, and compare their vectors.

    A figure is None if there is nothing to compare with. Raises HeadraceError when CUDA was
    requested and is not in force.
    """
    artefact = read_manifest(plan.folder).find("embedding")
    encoder = open_encoder(plan.folder, artefact, plan.inference)
    if plan.inference.provider == "cuda" and encoder.session.fallback:
        raise HeadraceError(f"CUDA was to be measured but is not in force. {encoder.session.fallback}")
    contenders = {CHOSEN: encoder.encode, **_others(plan, artefact)}
    if FP32 not in contenders:
        tell(f"{plan.work / FP32_FILE} is not there to compare with: make model, or `headrace models export`, makes it")
    elif TORCH not in contenders:
        tell("PyTorch is not installed here, so it is left out: make export-setup, then .venv-export/bin/headrace …")
    runs = [_round(contenders, plan.titles, number, tell) for number in range(plan.rounds)]
    wall = {name: [run[name][0] for run in runs] for name in contenders}
    cpu = {name: [run[name][1] for run in runs] for name in contenders}
    return {
        "model": artefact.name,
        "variant": artefact.variant,
        "provider": encoder.session.provider,
        "threads": plan.inference.threads,
        "texts": len(plan.titles),
        "tokens_per_text": round(float(np.mean([len(each) for each in encoder.tokenise(plan.titles)])), 1),
        "rounds": plan.rounds,
        "texts_per_second": {name: _rounded(median(rates)) for name, rates in wall.items()},
        "spread": {name: {"min": _rounded(min(rates)), "max": _rounded(max(rates))} for name, rates in wall.items()},
        "texts_per_cpu_second": {name: _rounded(median(rates)) for name, rates in cpu.items()},
        "ratio_to_onnx_fp32": _ratio(wall, FP32),
        "ratio_to_onnx_fp32_sorted": _ratio(wall, FP32_SORTED),
        "ratio_to_torch": _ratio(wall, TORCH),
        "ratio_to_torch_sorted": _ratio(wall, TORCH_SORTED),
        **_quality(encoder, contenders, plan.titles),
    }


def _others(plan: BenchPlan, artefact: Artefact) -> Mapping[str, Contender]:
    fp32, fp16, source = plan.work / FP32_FILE, plan.work / "fp16.onnx", plan.work / "source"
    if not fp32.is_file():
        return {}
    others: dict[str, Contender] = {
        FP32: plain_onnx(fp32, plan.folder, artefact, plan.inference),
        FP32_SORTED: sorted_onnx(fp32, plan.folder, artefact, plan.inference).encode,
    }
    if fp16.is_file():
        others[FP16] = sorted_onnx(fp16, plan.folder, artefact, plan.inference).encode
    if torch_available() and source.is_dir():
        others[TORCH_SORTED] = sentence_transformers(source, artefact, plan.inference)
        others[TORCH] = in_order(others[TORCH_SORTED])
    return others


def _round(
    contenders: Mapping[str, Contender], titles: Sequence[str], number: int, tell: Tell
) -> dict[str, tuple[float, float]]:
    """Return texts per second, and per second of processor time, of every contender.

    Each round starts with another contender.
    """
    names = list(contenders)
    first = number % len(names)
    rates = {}
    for name in names[first:] + names[:first]:
        contenders[name](titles[:WARM_TEXTS])
        wall, cpu = perf_counter(), process_time()
        contenders[name](titles)
        rates[name] = (len(titles) / (perf_counter() - wall), len(titles) / (process_time() - cpu))
        tell(f"round {number + 1}: {name} {rates[name][0]:,.0f} texts/s")
    return rates


def _quality(encoder: Encoder, contenders: Mapping[str, Contender], titles: Sequence[str]) -> dict[str, Any]:
    independent = {"batch_cosine_min": round(batch_independence(encoder.encode, titles[:INDEPENDENCE_TEXTS]), 6)}
    if FP32_SORTED not in contenders:
        return dict.fromkeys(("cosine_to_fp32_mean", "cosine_to_fp32_min", "neighbour_overlap_at_10")) | independent
    vectors, original = encoder.encode(titles), contenders[FP32_SORTED](titles)
    near = cosines(vectors, original)
    return {
        "cosine_to_fp32_mean": round(float(near.mean()), 5),
        "cosine_to_fp32_min": round(float(near.min()), 5),
        "neighbour_overlap_at_10": round(neighbour_overlap(vectors, original), 4),
        **independent,
    }


def _ratio(rates: Mapping[str, Sequence[float]], other: str) -> float | None:
    """Return the median over the rounds of how many times faster the chosen variant was."""
    if other not in rates:
        return None
    return round(median(mine / theirs for mine, theirs in zip(rates[CHOSEN], rates[other], strict=True)), 2)


def _rounded(rate: float) -> float:
    return round(rate, 1)
