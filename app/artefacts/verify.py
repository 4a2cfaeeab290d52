"""Artefacts checked where they will run: sums, inputs and outputs, and the canonical vectors."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from models.canonical import Comparison, compare, read_canonical
from models.encoder import open_encoder
from models.manifest import Artefact, ManifestError, read_manifest
from models.session import InferenceSettings


@dataclass(frozen=True, slots=True)
class Finding:
    """What the check of one artefact found; `problem` is None if it is as it should be."""

    name: str
    provider: str | None
    fallback: str | None
    comparison: Comparison | None
    problem: str | None


def verify_models(folder: Path, settings: InferenceSettings) -> Iterator[Finding]:
    """Check every artefact that the folder's manifest lists. Raises ManifestError for a manifest that is wrong."""
    for artefact in read_manifest(folder).models:
        try:
            yield _verify(folder, artefact, settings)
        except ManifestError as error:
            yield Finding(artefact.name, None, None, None, str(error))


def _verify(folder: Path, artefact: Artefact, settings: InferenceSettings) -> Finding:
    encoder = open_encoder(folder, artefact, settings)
    try:
        comparison = compare(read_canonical(folder / artefact.canonical.file), encoder.encode)
    finally:
        encoder.close()
    problem = None
    if not comparison.passed:
        problem = (
            f"{artefact.name}: the {comparison.measure} to the original's vectors is {comparison.worst:.4f} at worst, "
            f"allowed is {comparison.bound}: this processor computes it otherwise; export the variant fp32"
        )
    return Finding(artefact.name, encoder.session.provider, encoder.session.fallback, comparison, problem)
