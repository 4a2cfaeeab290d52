"""Checks artefacts on the machine that runs them: checksums, inputs, outputs, canonical vectors."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from app.artefacts.ranker import verify_ranker
from models.inference.canonical import ABSOLUTE, Comparison, compare, read_canonical
from models.inference.causal_model import TASK as JUDGE_TASK
from models.inference.encoder import open_encoder
from models.inference.manifest import RANKING, Artefact, ManifestError, check_files, read_manifest
from models.inference.settings import InferenceSettings
from models.quality.defect import ItemText
from models.quality.judge import open_quality_model
from models.quality.second_judge import heard_titles, open_second_judge_model

QUALITY_TASK = "quality"
LOGIT_BOUND = 0.05
WITHOUT_MODELS = "HEADRACE_MODEL_DIR= (empty) to recommend without models"
# What to do where an artefact computes otherwise than it should, by task.
ADVICE = {
    "embedding": (
        f"Lists would hold items that are not alike. Set {WITHOUT_MODELS}, or make the variant that computes in "
        'floats, in a checkout of the repository: make model ARGS="--variant fp32"'
    ),
    QUALITY_TASK: (
        "Good items would be hidden and bad ones shown. Set HEADRACE_QUALITY_SCORE_FROM=0 to hide none, or "
        f"{WITHOUT_MODELS}. If you trained it with an older version, round its weights again: "
        "headrace models train-quality --steps 0"
    ),
    RANKING: "Others would rank otherwise than Headrace. Export it again: headrace ranker export",
    JUDGE_TASK: (
        "Good items would be hidden and bad ones shown. Set HEADRACE_JUDGE_DIR= (empty) to do without, or make the "
        "variant that computes in floats: headrace models export-judge --variant fp32"
    ),
}


@dataclass(frozen=True, slots=True)
class ArtefactCheck:
    """The result of checking one artefact. `problem` is None if it is correct."""

    name: str
    provider: str | None
    fallback: str | None
    comparison: Comparison | None
    problem: str | None


def verify_models(folder: Path, settings: InferenceSettings) -> Iterator[ArtefactCheck]:
    """Check every artefact that the folder's manifest lists.

    Raises ManifestError for a wrong manifest.
    """
    for artefact in read_manifest(folder).models:
        try:
            yield _verify(folder, artefact, settings)
        except ManifestError as error:
            yield ArtefactCheck(artefact.name, None, None, None, str(error))


def _verify(folder: Path, artefact: Artefact, settings: InferenceSettings) -> ArtefactCheck:
    if artefact.task == QUALITY_TASK:
        return _verify_quality(folder, artefact, settings)
    if artefact.task == RANKING:
        session, comparison = verify_ranker(folder, artefact, settings)
        problem = _problem(artefact, comparison, f"a score is {comparison.worst:.4f} from Headrace's")
        return ArtefactCheck(artefact.name, session.provider, session.fallback, comparison, problem)
    if artefact.task == JUDGE_TASK:
        return _verify_judge(folder, artefact, settings)
    encoder = open_encoder(folder, artefact, settings)
    try:
        comparison = compare(read_canonical(folder / artefact.canonical.file), encoder.encode)
    finally:
        encoder.close()
    far = f"the {comparison.measure} to the original's vectors is {comparison.worst:.4f} at worst"
    problem = _problem(artefact, comparison, far)
    return ArtefactCheck(artefact.name, encoder.session.provider, encoder.session.fallback, comparison, problem)


def _verify_judge(folder: Path, artefact: Artefact, settings: InferenceSettings) -> ArtefactCheck:
    judge = open_second_judge_model(folder, settings)
    canonical = read_canonical(folder / artefact.canonical.file)
    comparison = compare(canonical, lambda texts: heard_titles(judge.hear, texts))
    problem = _problem(artefact, comparison, f"a log-likelihood is {comparison.worst:.4f} from the original's")
    return ArtefactCheck(artefact.name, judge.session.provider, judge.session.fallback, comparison, problem)


def _verify_quality(folder: Path, artefact: Artefact, settings: InferenceSettings) -> ArtefactCheck:
    check_files(folder, artefact)
    model = open_quality_model(folder, settings)
    entries = _quality_texts(folder / artefact.canonical.file)
    found = model.logits([ItemText(each["title"], each["category"], each["brand"]) for each in entries])
    worst = float(np.abs(found - np.array([each["vector"] for each in entries], np.float32)).max())
    comparison = Comparison(ABSOLUTE, worst, LOGIT_BOUND, worst <= LOGIT_BOUND)
    problem = _problem(artefact, comparison, f"a logit is {worst:.4f} from the canonical one")
    return ArtefactCheck(artefact.name, model.session.provider, model.session.fallback, comparison, problem)


def _problem(artefact: Artefact, comparison: Comparison, far: str) -> str | None:
    if comparison.passed:
        return None
    return (
        f"{artefact.name}: {far}, allowed is {comparison.bound}: this processor or this onnxruntime computes it "
        f"otherwise. {ADVICE[artefact.task]}"
    )


def _quality_texts(path: Path) -> list[dict[str, Any]]:
    try:
        texts: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["texts"]
        return texts
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ManifestError(f"{path} holds no canonical verdicts: {error}") from error
