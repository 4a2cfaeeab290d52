"""Exports published weights of the learned ranker as ONNX artefacts, and checks those."""

import base64
import json
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.errors import HeadraceError, install_line
from models.inference.canonical import ABSOLUTE, Comparison
from models.inference.manifest import (
    FILE_NAME,
    RANKING,
    Artefact,
    Manifest,
    ManifestError,
    check_files,
    pin,
    read_manifest,
    with_artefact,
    write_manifest,
)
from models.inference.onnx_session import OnnxSession
from models.inference.settings import InferenceSettings
from models.ranker.arrays import MOST
from models.ranker.features import COUNT, FEATURES
from models.ranker.judge import HIDDEN, LINEAR
from models.ranker.network import Learner
from models.ranker.network_kernel import score_candidates
from models.ranker.weights import FEATURES_HASH, RankerRecord, decode_weights

NAME = "headrace-ranker"
EXAMPLES = 64  # candidates with the scores that Headrace gives them
BOUND = 1e-3  # scores are sums of float32, in another order
WIDEST = 8.0  # deviations from the mean; beyond 6 the ranker looks no further


@dataclass(frozen=True, slots=True)
class CanonicalScores:
    """Features (n, COUNT), and the scores (n,) that Headrace gives them by the better ranker."""

    features: NDArray[np.float32]
    scores: NDArray[np.float32]


def export_ranker(folder: Path, value: bytes, licence: str) -> Artefact:
    """Write a record, as it is in the topic, as ONNX, and list it in the folder's manifest.

    Raises HeadraceError without the package `onnx`, for weights of other features, and when
    onnxruntime scores otherwise than Headrace; ManifestError for a manifest that cannot be used.
    """
    try:
        graph: Any = import_module("models.export.ranker_graph")
    except ImportError as error:
        raise HeadraceError(f"an export needs the package {error.name}: {install_line('onnx')}") from error
    try:
        weights = decode_weights(value)
    except ValueError as error:
        raise HeadraceError(f"these weights cannot be exported: {error}") from error
    learner, record = weights.learner, weights.record
    manifest = read_manifest(folder) if (folder / FILE_NAME).exists() else Manifest(())
    folder.mkdir(parents=True, exist_ok=True)
    file, examples = f"{NAME}-{record.version}.onnx", f"{NAME}-{record.version}-canonical.json"
    said = {"headrace-version": str(record.version), "features": ",".join(each.name for each in FEATURES)}
    (folder / file).write_bytes(graph.ranker_graph(learner, record.better, said))
    canonical = canonical_scores(learner, record.better)
    _write_canonical(folder / examples, canonical)
    session = OnnxSession(folder / file, InferenceSettings(provider="cpu", threads=1))
    worst = _compare(session, canonical).worst
    artefact = Artefact(
        name=NAME,
        task=RANKING,
        variant="fp32",
        model=pin(folder, file),
        tokenizer=None,
        canonical=pin(folder, examples),
        opset=graph.OPSET,
        inputs=session.inputs,
        outputs=session.outputs,
        dimension=COUNT,
        pooling="none",
        prefix="",
        max_tokens=MOST,
        licence=licence,
        source=f"weights {record.version} of the topic ranker",
        built="headrace ranker export",
        parity={"candidates": EXAMPLES, "absolute_worst": round(worst, 7)},
        speed={},
        details=_details(record),
    )
    if worst > BOUND:
        raise HeadraceError(f"onnxruntime scores otherwise than Headrace, by {worst:.5f}; allowed is {BOUND}")
    write_manifest(folder, with_artefact(manifest, artefact))
    return artefact


def canonical_scores(learner: Learner, better: str) -> CanonicalScores:
    """Candidates around the means that the ranker knows, some far away, with Headrace's scores."""
    scale, random = learner.scale, np.random.default_rng(0)
    deviation = np.where(scale.factor > 0, 1.0 / np.where(scale.factor > 0, scale.factor, 1.0), 1.0)
    drawn = scale.mean + deviation * random.uniform(-WIDEST, WIDEST, (EXAMPLES, COUNT))
    features = drawn.astype(np.float32)
    score_candidates(learner, np.ascontiguousarray(features.T), EXAMPLES)
    scores = learner.work.scores[(LINEAR, HIDDEN).index(better), :EXAMPLES]
    return CanonicalScores(features, scores.copy())


def verify_ranker(folder: Path, artefact: Artefact, settings: InferenceSettings) -> tuple[OnnxSession, Comparison]:
    """Open an artefact and score its examples here. Raises ManifestError for unfit files."""
    check_files(folder, artefact)
    session = OnnxSession(folder / artefact.model.file, settings)
    return session, _compare(session, _read_canonical(folder / artefact.canonical.file))


def _compare(session: OnnxSession, canonical: CanonicalScores) -> Comparison:
    names = [each.name for each in session.outputs]
    found = session.run({session.inputs[0].name: canonical.features})[names.index("scores")]
    worst = float(np.abs(found - canonical.scores).max())
    return Comparison(ABSOLUTE, worst, BOUND, worst <= BOUND)


def _details(record: RankerRecord) -> dict[str, Any]:
    return {
        "version": record.version,
        "better": record.better,
        "lists": record.lists,
        "figures": record.figures,
        "features_hash": FEATURES_HASH,
        "features": [each.name for each in FEATURES],
    }


def _write_canonical(path: Path, canonical: CanonicalScores) -> None:
    document = {name: _encoded(getattr(canonical, name)) for name in ("features", "scores")}
    path.write_text(json.dumps({"columns": COUNT, **document}, indent=1) + "\n", encoding="utf-8")


def _read_canonical(path: Path) -> CanonicalScores:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        features = _decoded(document["features"]).reshape(-1, document["columns"])
        return CanonicalScores(features, _decoded(document["scores"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ManifestError(f"{path} holds no canonical scores: {error}") from error


def _encoded(numbers: NDArray[np.float32]) -> str:
    return base64.b64encode(numbers.astype("<f4").tobytes()).decode()


def _decoded(text: str) -> NDArray[np.float32]:
    return np.frombuffer(base64.b64decode(text, validate=True), "<f4").astype(np.float32)
