"""Exports an encoder as fp32, fp16 and int8, compares them with PyTorch, and installs one."""

import platform
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from app.artefacts.contenders import sorted_onnx
from app.artefacts.source import fetch_source
from app.errors import HeadraceError
from models.inference.canonical import COSINE, TEXTS, Canonical, compare, write_canonical
from models.inference.encoder import Encoder, Floats, Limits, open_tokenizer
from models.inference.manifest import FILE_NAME, Artefact, Manifest, pin, read_manifest, with_artefact, write_manifest
from models.inference.onnx_session import OnnxSession
from models.inference.parity import batch_independence, cosines, neighbour_overlap
from models.inference.settings import InferenceSettings

Tell = Callable[[str], None]

VARIANTS = ("fp32", "fp16", "int8")
MOST_CALIBRATION = 6_000
MOST_HELD_OUT = 4_000
INDEPENDENCE_TEXTS = 300
LONG_EVERY = 60
LONG_TITLES = 20
# A canonical text may be stranger than any title. The error of a processor that saturates is much
# larger than this margin.
CANONICAL_MARGIN = 0.01
SAME = 0.9999
WANTED_OVERLAP = 0.97


@dataclass(frozen=True, slots=True)
class ExportPlan:
    """What is exported, from where, and to where.

    `None` takes the value of the model's own folder.
    """

    source: str
    name: str
    variant: str
    prefix: str
    pooling: str | None
    max_tokens: int | None
    licence: str | None
    titles: Sequence[str]
    folder: Path
    work: Path
    threads: int


def export_embedding(plan: ExportPlan, tell: Tell) -> Artefact:
    """Make all variants, compare them, and list the chosen one as the embedding model.

    Raises HeadraceError.
    """
    export = _export_module()
    plan.folder.mkdir(parents=True, exist_ok=True)
    tell(f"fetching {plan.source}")
    origin = fetch_source(plan.source, plan.work / "source")
    description = export.describe(plan.work / "source")
    pooling, max_tokens = plan.pooling or description.pooling, plan.max_tokens or description.max_tokens
    licence = plan.licence or description.licence
    if licence is None:
        raise HeadraceError(f"{plan.source} does not state a licence; say which it is under with --licence")
    export.write_tokenizer(plan.work / "source", plan.work / "tokenizer.json")
    held_out, calibration = _split(plan.titles)
    files = _make_variants(export, plan, pooling, calibration, max_tokens, tell)
    artefact = _draft(plan, files[plan.variant], pooling, max_tokens, licence, origin)
    tell(f"comparing with PyTorch on {len(held_out):,} titles held out")
    vectors = _vectors(export, plan, pooling, max_tokens)
    parity = _parities(plan, artefact, files, vectors, held_out, tell)
    _check(parity, plan.variant, tell)
    return _put_to_use(plan, artefact, vectors(TEXTS), parity)


def _check(parity: Mapping[str, Mapping[str, float]], variant: str, tell: Tell) -> None:
    """Raise HeadraceError for a variant that is wrong.

    Warn of one that is less exact than it should be.
    """
    exact, chosen = parity["fp32"], parity[variant]
    if exact["cosine_min"] < SAME:
        raise HeadraceError(f"the exported graph is not the model: its cosine to PyTorch is {exact['cosine_min']}")
    if chosen["batch_cosine_min"] < SAME:
        raise HeadraceError(f"vectors of {variant} depend on the batch (cosine {chosen['batch_cosine_min']}); use fp32")
    if chosen["neighbour_overlap_at_10"] < WANTED_OVERLAP:
        tell(f"WARNING: {variant} keeps only {chosen['neighbour_overlap_at_10']} of the ten nearest; fp32 keeps all")


def _export_module() -> Any:
    try:
        return import_module("models.export.encoder")
    except ImportError as error:
        raise HeadraceError(
            f"exporting needs the extra `export` ({error.name} is not installed): make export-setup, "
            "then .venv-export/bin/headrace models export"
        ) from error


def _split(titles: Sequence[str]) -> tuple[Sequence[str], Sequence[str]]:
    held_out = min(MOST_HELD_OUT, len(titles) // 2)
    calibration = titles[held_out : held_out + MOST_CALIBRATION]
    return titles[:held_out], [*calibration, *_long_texts(calibration)]


def _long_texts(titles: Sequence[str]) -> list[str]:
    """Return texts as long as a description, and unusual ones.

    Integer scales that are fixed only on short titles do not fit them.
    """
    starts = range(0, len(titles), LONG_EVERY)
    joined = [". ".join(titles[start : start + LONG_TITLES]) for start in starts]
    repeated = [" ".join([titles[start]] * LONG_TITLES) for start in starts[::4]]
    return ["", *joined, *repeated]


def _make_variants(
    export: Any, plan: ExportPlan, pooling: str, calibration: Sequence[str], max_tokens: int, tell: Tell
) -> dict[str, Path]:
    tell("exporting to ONNX")
    fp32: Path = export.export_fp32(plan.work / "source", plan.work, pooling)
    files = {"fp32": fp32, "fp16": export.export_fp16(fp32, plan.work)}
    tell(f"choosing integer scales on {len(calibration):,} titles; this takes minutes")
    session = OnnxSession(fp32, InferenceSettings(provider="cpu", threads=plan.threads))
    limits = Limits(plan.prefix, max_tokens, InferenceSettings().batch_tokens)
    encoder = Encoder(session, open_tokenizer(plan.work / "tokenizer.json"), limits)
    sample = import_module("models.export.tensor_sample").TensorSample(
        fp32, encoder.tokenise(calibration), plan.threads
    )
    files["int8"] = export.export_int8(fp32, plan.work, sample)
    return files


def _draft(plan: ExportPlan, model: Path, pooling: str, max_tokens: int, licence: str, origin: str) -> Artefact:
    """Return the artefact with the files of the work folder. Nothing is measured yet."""
    session = OnnxSession(model, InferenceSettings(provider="cpu", threads=1))
    tokenizer = pin(plan.work, "tokenizer.json")
    return Artefact(
        name=plan.name,
        task="embedding",
        variant=plan.variant,
        model=pin(plan.work, model.name),
        tokenizer=tokenizer,
        canonical=tokenizer,
        opset=_export_module().OPSET,
        inputs=session.inputs,
        outputs=session.outputs,
        dimension=int(session.outputs[0].shape[-1]),
        pooling=pooling,
        prefix=plan.prefix,
        max_tokens=max_tokens,
        licence=licence,
        source=origin,
        built="headrace models export: Optimum, pooling and normalisation inside the graph"
        + (", integer scales fixed on catalogue titles" if plan.variant == "int8" else ""),
        parity={},
        speed={},
    )


def _vectors(export: Any, plan: ExportPlan, pooling: str, max_tokens: int) -> Callable[[Sequence[str]], Floats]:
    def vectors(texts: Sequence[str]) -> Floats:
        prefixed = [plan.prefix + text for text in texts]
        found: Floats = export.torch_vectors(plan.work / "source", prefixed, pooling, max_tokens)
        return found

    return vectors


def _parities(
    plan: ExportPlan,
    artefact: Artefact,
    files: Mapping[str, Path],
    vectors: Callable[[Sequence[str]], Floats],
    titles: Sequence[str],
    tell: Tell,
) -> dict[str, dict[str, float]]:
    """Compare each variant with PyTorch, and its neighbours with those of the fp32 graph."""
    settings = InferenceSettings(provider="cpu", threads=plan.threads)
    wanted, original, parities = vectors(titles), None, {}
    for variant, file in files.items():
        encoder = sorted_onnx(file, plan.work, artefact, settings)
        found = encoder.encode(titles)
        original = found if original is None else original
        near = cosines(found, wanted)
        parities[variant] = {
            "texts": len(titles),
            "cosine_mean": round(float(near.mean()), 5),
            "cosine_min": round(float(near.min()), 5),
            "neighbour_overlap_at_10": round(neighbour_overlap(found, original), 4),
            "batch_cosine_min": round(batch_independence(encoder.encode, titles[:INDEPENDENCE_TEXTS]), 6),
            "megabytes": round(file.stat().st_size / 1e6, 1),
        }
        encoder.close()
        tell(f"{variant}: {parities[variant]}")
    return parities


def _put_to_use(
    plan: ExportPlan, artefact: Artefact, canonical: Floats, parity: Mapping[str, Mapping[str, float]]
) -> Artefact:
    stem = f"{plan.name}-{plan.variant}"
    model, tokenizer, texts = f"{stem}.onnx", f"{plan.name}-tokenizer.json", f"{stem}-canonical.json"
    shutil.copyfile(plan.work / artefact.model.file, plan.folder / model)
    shutil.copyfile(plan.work / "tokenizer.json", plan.folder / tokenizer)
    settings = InferenceSettings(provider="cpu", threads=plan.threads)
    encoder = sorted_onnx(plan.folder / model, plan.work, artefact, settings)
    worst = compare(Canonical(TEXTS, canonical, COSINE, 0.0), encoder.encode).worst
    bound = float(np.floor((worst - CANONICAL_MARGIN) * 1_000) / 1_000)
    write_canonical(plan.folder / texts, Canonical(TEXTS, canonical, COSINE, bound))
    finished = replace(
        artefact,
        model=pin(plan.folder, model),
        tokenizer=pin(plan.folder, tokenizer),
        canonical=pin(plan.folder, texts),
        parity=parity[plan.variant],
        details={"variants": parity, "machine": platform.machine()},
    )
    listed = read_manifest(plan.folder) if (plan.folder / FILE_NAME).exists() else Manifest(())
    write_manifest(plan.folder, with_artefact(listed, finished))
    return finished
