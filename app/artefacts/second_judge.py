"""Makes a second judge: exports a causal model, compares it with PyTorch, and calibrates it.

It is calibrated on texts of which the quality model is unsure.
"""

import platform
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.artefacts.smollm import LICENCE, SMOLLM, fetch_smollm
from app.artefacts.source import fetch_source
from app.errors import HeadraceError
from models.inference.canonical import ABSOLUTE, TEXTS, Canonical, write_canonical
from models.inference.causal_model import TASK, CausalModel, Run, run_of
from models.inference.encoder import open_tokenizer
from models.inference.manifest import Artefact, Manifest, pin, write_manifest
from models.inference.onnx_session import OnnxSession
from models.inference.settings import InferenceSettings
from models.quality.calibration import auroc
from models.quality.second_judge import TextHearing, heard_titles
from models.quality.second_judge_score import EVIDENCE, SecondJudgeSettings, Weights, evidence, probability
from models.training.second_judge_fit import Doubtful, fit_weights

Tell = Callable[[str], None]
Watch = Callable[[str, int, int], None]

MOST_TOKENS = 128
PARITY_TITLES = 120
CANONICAL_MARGIN = 0.02
# Rounded weights change each number a little. With a lower correlation, the export is another
# model.
LEAST_CORRELATION = 0.98
SAME = 1e-3
FEWEST = 40


@dataclass(frozen=True, slots=True)
class SecondJudgePlan:
    """What is exported, from where, to where, and the examples to calibrate and measure it on."""

    source: str
    variant: str
    licence: str | None
    prefix: str | None
    folder: Path
    work: Path
    band: SecondJudgeSettings
    quality_key: str
    titles: Sequence[str]
    calibration: Sequence[Doubtful]
    reports: Mapping[str, Sequence[Doubtful]]


def export_second_judge(plan: SecondJudgePlan, tell: Tell, watch: Watch) -> Artefact:
    """Export, compare, calibrate, measure, and list the judge in the folder. Raises HeadraceError.

    Needs the extra `export`.
    """
    from models.export import causal as export_causal
    from models.export import encoder as export

    _check_examples(plan)
    tell(f"fetching {plan.source}")
    ours = plan.source == SMOLLM
    origin = fetch_smollm(plan.work / "source") if ours else fetch_source(plan.source, plan.work / "source")
    licence = plan.licence or (LICENCE if ours else export.describe(plan.work / "source").licence)
    if licence is None:
        raise HeadraceError(f"{plan.source} does not state a licence here; say which it is under with --licence")
    export.write_tokenizer(plan.work / "source", plan.work / "tokenizer.json")
    prefix = export_causal.document_start(plan.work / "source") if plan.prefix is None else plan.prefix
    tell("exporting to ONNX")
    model = export_causal.export_causal(plan.work / "source", plan.work, plan.variant)
    session = OnnxSession(model, InferenceSettings(provider="cpu", threads=1))
    hear = _hearing(plan, run_of(session), prefix)
    original = _hearing(plan, export_causal.torch_run(plan.work / "source"), prefix)
    tell(f"comparing with PyTorch on {PARITY_TITLES} titles")
    parity = _parity(plan, hear, original, model)
    weights, details = _calibrate(plan, hear, watch)
    artefact = _artefact(plan, model, session, (prefix, licence, origin))
    finished = replace(
        artefact, parity=parity, speed=details.pop("speed"), details={**details, "calibration": _listed(weights)}
    )
    return _put_to_use(plan, finished, (hear, original))


def _check_examples(plan: SecondJudgePlan) -> None:
    fine = sum(each.fine for each in plan.calibration)
    if min(fine, len(plan.calibration) - fine) < FEWEST:
        raise HeadraceError(
            f"the quality model is unsure of {fine} good and {len(plan.calibration) - fine} spoilt examples, "
            f"{FEWEST} of each are needed: name more --items files, or a wider band"
        )


def _hearing(plan: SecondJudgePlan, run: Run, prefix: str) -> TextHearing:
    return TextHearing(CausalModel(run, open_tokenizer(plan.work / "tokenizer.json"), MOST_TOKENS), prefix)


def _parity(plan: SecondJudgePlan, hear: TextHearing, original: TextHearing, model: Path) -> dict[str, float]:
    titles = plan.titles[:PARITY_TITLES]
    found, wanted = heard_titles(hear, titles)[:, 0], heard_titles(original, titles)[:, 0]
    off, together = np.abs(found - wanted), float(np.corrcoef(found, wanted)[0, 1])
    if together < LEAST_CORRELATION or (plan.variant == "fp32" and off.max() > SAME):
        raise HeadraceError(
            f"the exported graph is not the model: the correlation of its numbers with PyTorch's is {together:.4f}, "
            f"the largest difference {off.max():.4f} nats a token"
        )
    return {
        "titles": len(titles),
        "difference_mean": round(float(off.mean()), 5),
        "difference_max": round(float(off.max()), 5),
        "correlation": round(together, 5),
        "megabytes": round(model.stat().st_size / 1e6, 1),
    }


def _calibrate(plan: SecondJudgePlan, hear: TextHearing, watch: Watch) -> tuple[Weights, dict[str, Any]]:
    found, seconds = _heard(hear, plan.calibration, "calibration", watch)
    fine = _fine(plan.calibration)
    weights = fit_weights(found, fine, np.array([each.weight for each in plan.calibration]))
    reports = {}
    for name, drawn in plan.reports.items():
        judged, _ = _heard(hear, drawn, name, watch)
        reports[name] = _report(probability(judged, weights), drawn)
    details = {
        "band": [plan.band.low, plan.band.high],
        "quality_model": plan.quality_key,
        "examples": {"fine": int(fine.sum()), "spoilt": int((~fine).sum())},
        "reports": reports,
        "machine": platform.machine(),
        "speed": {"seconds_per_item": round(seconds / len(plan.calibration), 4), "threads": 1},
    }
    return weights, details


def _heard(hear: TextHearing, drawn: Sequence[Doubtful], name: str, watch: Watch) -> tuple[NDArray[np.float64], float]:
    """Return the evidence of all examples, shape (n, 4), and the seconds that it took."""
    rows, started = [], perf_counter()
    for number, each in enumerate(drawn, start=1):
        rows.append(evidence(hear(each.example.item), each.first))
        watch(name, number, len(drawn))
    return np.array(rows).reshape(len(drawn), len(EVIDENCE)), perf_counter() - started


def _report(second: NDArray[np.float64], drawn: Sequence[Doubtful]) -> dict[str, float | None]:
    """Return the AUROC of fine against corrupted texts, with and without the second judge."""
    fine, first = _fine(drawn), np.array([each.first.score for each in drawn])
    figures: dict[str, float | None] = {"fine": int(fine.sum()), "spoilt": int((~fine).sum())}
    for name, scores in (("quality_model", first), ("with_second_judge", second)):
        both = bool(fine.any() and not fine.all())
        figures[f"auroc_{name}"] = round(auroc(scores[~fine], scores[fine]), 4) if both else None
    return figures


def _fine(drawn: Sequence[Doubtful]) -> NDArray[np.bool_]:
    return np.array([each.fine for each in drawn], np.bool_)


def _listed(weights: Weights) -> dict[str, Any]:
    arrays = {"means": weights.means, "spreads": weights.spreads, "weights": weights.weights}
    rounded = {name: [round(float(each), 6) for each in values] for name, values in arrays.items()}
    return {"evidence": list(EVIDENCE), **rounded, "offset": round(weights.offset, 6)}


def _artefact(plan: SecondJudgePlan, model: Path, session: OnnxSession, origin: tuple[str, str, str]) -> Artefact:
    """Return the artefact with the files of the work folder. Nothing is measured yet."""
    prefix, licence, source = origin
    tokenizer = pin(plan.work, "tokenizer.json")
    rounded = ", 8-bit weights and 4-bit word vectors" if plan.variant != "fp32" else ""
    return Artefact(
        name=plan.work.name,
        task=TASK,
        variant=plan.variant,
        model=pin(plan.work, model.name),
        tokenizer=tokenizer,
        canonical=tokenizer,
        opset=21 if plan.variant != "fp32" else 20,
        inputs=session.inputs,
        outputs=session.outputs,
        dimension=1,
        pooling="none",
        prefix=prefix,
        max_tokens=MOST_TOKENS,
        licence=licence,
        source=source,
        built=f"headrace models export-judge: Optimum, log-likelihoods inside the graph{rounded}",
        parity={},
        speed={},
    )


def _put_to_use(plan: SecondJudgePlan, artefact: Artefact, hearings: tuple[TextHearing, TextHearing]) -> Artefact:
    stem = f"{artefact.name}-{plan.variant}"
    model, tokenizer, texts = f"{stem}.onnx", f"{artefact.name}-tokenizer.json", f"{stem}-canonical.json"
    plan.folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(plan.work / artefact.model.file, plan.folder / model)
    shutil.copyfile(plan.work / artefact.tokenizer_file, plan.folder / tokenizer)
    found, wanted = (heard_titles(each, TEXTS) for each in hearings)
    bound = round(float(np.abs(found - wanted).max()) + CANONICAL_MARGIN, 3)
    write_canonical(plan.folder / texts, Canonical(TEXTS, wanted, ABSOLUTE, bound))
    finished = replace(
        artefact,
        model=pin(plan.folder, model),
        tokenizer=pin(plan.folder, tokenizer),
        canonical=pin(plan.folder, texts),
    )
    write_manifest(plan.folder, Manifest((finished,)))
    return finished
