"""Finishes training the quality model: exports, calibrates and measures it, writes a report."""

import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from tokenizers import Tokenizer  # type: ignore[import-untyped]  # the wheel ships no types

from app.artefacts.training_plan import TrainingPlan
from models.inference.encoder import Tokens
from models.inference.manifest import (
    Artefact,
    Manifest,
    pin,
    read_manifest,
    with_artefact,
    write_manifest,
)
from models.inference.onnx_session import OnnxSession
from models.quality.calibration import Line, auroc, prevalence_weights, reliability
from models.quality.defect import DEFECTS, ItemText
from models.quality.features import FEATURE_NAMES
from models.quality.judge import QualityModel
from models.quality.text import Calibration, QualitySettings, encoder_input, probabilities, scores
from models.training import quality_measure as measure
from models.training.quality_catalogue import Part
from models.training.quality_examples import CLEAN, Example, Material
from models.training.quality_export import OPSET, bound, export_network, shrink
from models.training.quality_network import BLOCK, WORD_BITS, NetworkShape, QualityNetwork

NAME = "headrace-quality"
VARIANT = "int8-e4"
FILES = {
    "model": f"{NAME}.onnx",
    "tokenizer": f"{NAME}-tokenizer.json",
    "canonical": f"{NAME}-canonical.json",
}
CALIBRATED, MEASURED, TYPICAL = 10_000, 8_000, 1_500
UNCALIBRATED = Calibration((Line(1.0, 0.0),) * len(DEFECTS))

CANONICAL = (
    ItemText("Stoneware Mug with Cork Base, 350 ml", "Kitchen > Mugs", "Hearthside"),
    ItemText("Women's Trail Running Shoes", "Footwear > Sports Shoes", ""),
    ItemText("SET OF 4 ENAMEL LANTERNS", "", ""),
    ItemText("asdkjh qwlekj zxmcn", "", ""),
    ItemText("CafÃ© Latte Glass â€“ 2 Pack", "Kitchen", ""),
    ItemText("!!! BEST PRICE !!! FREE SHIPPING mug mug mug mug", "Kitchen", ""),
    ItemText('<span class="t">Stoneware Mug</span>', "Kitchen > Mugs", ""),
    ItemText("damaged in warehouse?", "", ""),
    ItemText("Stoneware Mug with Cork Ba", "Kitchen > Mugs", ""),
    ItemText("Becher aus Steingut mit Korkboden", "", ""),
    ItemText("Stoneware Mug with Cork Base", "Footwear > Sports Shoes", ""),
    ItemText("Canon PowerShot Digital Camera", "", "Nikon"),
)


def finish(
    plan: TrainingPlan,
    network: QualityNetwork | None,
    tokenizer: Tokenizer,
    sources: dict[Part, Material],
    minutes: float,
) -> dict[str, Any]:
    """Write artefact and report. Returns the report.

    Without a network, the existing model is bounded where it needs it, and calibrated again.
    """
    plan.report.mkdir(parents=True, exist_ok=True)
    typical = measure.draw(sources[Part.TRAIN], np.random.default_rng(plan.seed + 2), TYPICAL)
    origin = _written_model(plan, network, tokenizer, [each.item for each in typical], minutes)
    session = OnnxSession(plan.out / FILES["model"])
    model = QualityModel(session, tokenizer, UNCALIBRATED)
    rng = np.random.default_rng(plan.seed + 1)
    validation = measure.draw(sources[Part.VALIDATION], rng, CALIBRATED)
    test = measure.draw(sources[Part.TEST], rng, MEASURED)
    calibration = measure.calibrate(model.logits([each.item for each in validation]), measure.labels_of(validation))
    logits = model.logits([each.item for each in test])
    report = _report(test, logits, calibration) | origin
    report["size_mb"] = round((plan.out / FILES["model"]).stat().st_size / 1e6, 2)
    report["catalogues"] = {each.name: len(each.items) for each in sources[Part.TRAIN].catalogues}
    _draw_calibration(plan.report / "calibration.png", test, probabilities(logits, calibration))
    _write(plan.report, report)
    _write_manifest(plan, session, QualityModel(session, tokenizer, calibration), report)
    return report


def _written_model(
    plan: TrainingPlan,
    network: QualityNetwork | None,
    tokenizer: Tokenizer,
    typical: list[ItemText],
    minutes: float,
) -> dict[str, Any]:
    """Return how the model in the folder was built, and its parity.

    Writes the network into the folder first, if there is one.
    """
    encoded = tokenizer.encode_batch_fast([encoder_input(item) for item in typical])
    tokens = [np.array(each.ids, np.int64) for each in encoded]
    if network is None:
        return _bounded(plan, tokenizer, tokens)
    plan.out.mkdir(parents=True, exist_ok=True)
    parity = _export(network, tokenizer, plan, tokens)
    shutil.copyfile(plan.base / "tokenizer.json", plan.out / FILES["tokenizer"])
    built = f"headrace models train-quality, {plan.steps} steps, seed {plan.seed}, {minutes:.0f} minutes"
    return {"built": built, "parity": parity}


def _bounded(plan: TrainingPlan, tokenizer: Tokenizer, tokens: list[Tokens]) -> dict[str, Any]:
    """How the model that is there was built, and its parity, after bounding its weights if they
    reach too far.
    """
    before = read_manifest(plan.out).find("quality")
    path = plan.out / FILES["model"]
    first = QualityModel(OnnxSession(path), tokenizer, UNCALIBRATED).logits(CANONICAL)
    changed = bound(path, tokens, plan.threads)
    if not changed:
        return {"built": before.built, "parity": dict(before.parity)}
    model = QualityModel(OnnxSession(path), tokenizer, UNCALIBRATED)
    found, alone = model.logits(CANONICAL), np.concatenate([model.logits([item]) for item in CANONICAL])
    return {
        "built": f"{before.built}; then --steps 0, which rounded the weights of {changed} products again",
        "parity": {
            "largest_logit_difference_to_the_first_rounding": round(float(np.abs(found - first).max()), 4),
            "largest_logit_difference_alone_or_in_a_batch": float(np.abs(alone - found).max()),
        },
    }


def _export(
    network: QualityNetwork, tokenizer: Tokenizer, plan: TrainingPlan, tokens: list[Tokens]
) -> dict[str, float]:
    """Write the small model. Returns how far its logits are from the network's own."""
    features, folder = len(FEATURE_NAMES), plan.out
    with tempfile.TemporaryDirectory() as scratch:
        full = Path(scratch) / "full.onnx"
        export_network(network, features, full)
        shrink(full, folder / FILES["model"], tokens, plan.threads)
        exact = QualityModel(OnnxSession(full), tokenizer, UNCALIBRATED)
        small = QualityModel(OnnxSession(folder / FILES["model"]), tokenizer, UNCALIBRATED)
        wanted, found = exact.logits(CANONICAL), small.logits(CANONICAL)
        alone = np.concatenate([small.logits([item]) for item in CANONICAL])
    return {
        "largest_logit_difference_to_fp32": round(float(np.abs(wanted - found).max()), 4),
        "largest_logit_difference_alone_or_in_a_batch": float(np.abs(alone - found).max()),
    }


def _report(test: list[Example], logits: np.ndarray[Any, Any], calibration: Calibration) -> dict[str, Any]:
    settings = QualitySettings()
    probability = probabilities(logits, calibration)
    clean = np.array([each.corruption == CLEAN for each in test])
    alarms = measure.false_alarm(logits, calibration, settings)
    score = scores(probability)
    return {
        "heads": measure.as_rows(measure.by_head(test, probability, settings)),
        "corruptions": measure.as_rows(measure.by_corruption(test, probability, settings)),
        "score_auroc": auroc(score[~clean], score[clean]),
        "false_alarms_on_clean": {
            name: float(alarms[[i for i in np.flatnonzero(clean) if test[i].catalogue == name]].mean())
            for name in sorted({each.catalogue for each in test})
        },
    }


def _draw_calibration(path: Path, test: list[Example], probability: np.ndarray[Any, Any]) -> None:
    """Draw one small calibration curve for each head."""
    import matplotlib  # type: ignore[import-not-found]  # installed with the extra `export` only

    matplotlib.use("Agg")
    from matplotlib import pyplot

    labels = measure.labels_of(test)
    figure, axes = pyplot.subplots(3, 3, figsize=(9, 9), sharex=True, sharey=True, layout="constrained")
    for head, (defect, axis) in enumerate(zip(DEFECTS, axes.flat, strict=True)):
        known = labels[:, head] >= 0
        positive = labels[known, head] > 0
        weights = prevalence_weights(positive, measure.PREVALENCE)
        rows = reliability(probability[known, head], positive, weights)
        axis.plot([0, 1], [0, 1], color="0.8")
        axis.plot([row[0] for row in rows], [row[1] for row in rows], marker="o")
        axis.set_title(defect.value)
    figure.supxlabel("probability given")
    figure.supylabel(f"share that has the defect (where {measure.PREVALENCE:.0%} of all have it)")
    figure.savefig(path, dpi=110)
    pyplot.close(figure)


def _write(folder: Path, report: dict[str, Any]) -> None:
    (folder / "report.json").write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    lines = ["# Quality model: validation report", "", "Measured on titles that were not trained on.", ""]
    for title, key in (("Heads", "heads"), ("Corruptions, against clean titles", "corruptions")):
        lines += [
            f"## {title}",
            "",
            "| name | examples | AUROC | precision | recall | false alarms |",
            "|---|---|---|---|---|---|",
        ]
        for row in report[key]:
            numbers = [row["auroc"], row["precision"], row["recall"], row["false_alarms"]]
            written = " | ".join("-" if number is None else f"{number:.3f}" for number in numbers)
            lines.append(f"| {row['name']} | {row['positives']} | {written} |")
        lines.append("")
    lines += [
        "Precision is that of the mixed test set, in which a third of the titles is clean.",
        "",
        "![calibration](calibration.png)",
        "",
    ]
    (folder / "report.md").write_text("\n".join(lines), encoding="utf-8")


def _write_manifest(plan: TrainingPlan, session: OnnxSession, model: QualityModel, report: dict[str, Any]) -> None:
    folder = plan.out
    _write_canonical(folder / FILES["canonical"], model)
    shape = NetworkShape()
    artefact = Artefact(
        name=NAME,
        task="quality",
        variant=VARIANT,
        model=pin(folder, FILES["model"]),
        tokenizer=pin(folder, FILES["tokenizer"]),
        canonical=pin(folder, FILES["canonical"]),
        opset=OPSET,
        inputs=session.inputs,
        outputs=session.outputs,
        dimension=len(DEFECTS),
        pooling="none",
        prefix="",
        max_tokens=shape.positions,
        licence="Apache-2.0",
        source="first three layers of all-MiniLM-L6-v2 (Apache-2.0), fine-tuned on " + ", ".join(report["catalogues"]),
        built=report["built"],
        parity=report["parity"],
        speed={},
        details={
            "heads": [defect.value for defect in DEFECTS],
            "features": list(FEATURE_NAMES),
            "input": "title [SEP] category [SEP] brand",
            "prevalence": measure.PREVALENCE,
            "weights": f"integers of 8 bits with fixed scales, word vectors {WORD_BITS} bits, blocks of {BLOCK}",
            "calibration": _lines(model.calibration),
            "auroc": {row["name"]: row["auroc"] for row in report["heads"]},
        },
    )
    there = read_manifest(folder) if (folder / "manifest.json").exists() else Manifest(())
    write_manifest(folder, with_artefact(there, artefact))


def _lines(calibration: Calibration) -> dict[str, list[float]]:
    named = dict(zip((defect.value for defect in DEFECTS), calibration.defects, strict=True))
    return {name: [line.slope, line.offset] for name, line in named.items()}


def _write_canonical(path: Path, model: QualityModel) -> None:
    """Write the canonical texts with the logits of this artefact.

    `headrace models verify` and the tests read them.
    """
    logits = model.logits(CANONICAL).tolist()
    entries = [
        {
            "title": item.title,
            "category": item.category,
            "brand": item.brand,
            "vector": [round(x, 4) for x in row],
        }
        for item, row in zip(CANONICAL, logits, strict=True)
    ]
    path.write_text(json.dumps({"texts": entries}, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
