"""Trains the quality model on catalogues, and writes its artefact and a validation report."""

import logging
import time
from typing import TYPE_CHECKING, Any

import numpy as np

from app.artefacts.catalogue_files import catalogue_name, read_entries
from app.artefacts.progress_bar import ProgressBar
from app.artefacts.training_plan import TrainingPlan
from app.errors import HeadraceError

if TYPE_CHECKING:
    from tokenizers import Tokenizer  # type: ignore[import-untyped]  # the wheel ships no types

    from models.training.quality_examples import Material

SCALED_ON = 4_000
ASSORTMENT, NAMES, NAMES_TO_CALIBRATE = 6_000, 16_000, 3_000


def train(plan: TrainingPlan) -> dict[str, Any]:
    """Train the model and write the artefact. Returns the report.

    Raises HeadraceError for files that cannot be used.
    """
    import torch  # type: ignore[import-not-found]  # installed with the extra `export` only

    from app.artefacts.train_quality_report import (
        finish,  # imported before the training, so that a missing package is noticed at once
    )
    from models.quality.judge import cutting_tokenizer
    from models.training.quality_catalogue import Part
    from models.training.quality_network import NetworkShape

    for talkative in ("transformers", "onnxruntime.quantization.matmul_nbits_quantizer"):
        logging.getLogger(talkative).setLevel(logging.ERROR)
    torch.set_num_threads(plan.threads)
    torch.manual_seed(plan.seed)
    tokenizer = cutting_tokenizer(plan.base / "tokenizer.json", NetworkShape().positions)
    sources = _sources(plan, tokenizer)
    started = time.monotonic()
    network = _fit(plan, tokenizer, sources[Part.TRAIN]) if plan.steps else None
    minutes = (time.monotonic() - started) / 60
    return finish(plan, network, tokenizer, sources, minutes)


def _sources(plan: TrainingPlan, tokenizer: "Tokenizer") -> "dict[Any, Material]":
    """Return the sources of the examples, for each part of the split."""
    from models.training.quality_assortment import assortment
    from models.training.quality_catalogue import Part, categories_only, trusted
    from models.training.quality_examples import material
    from models.training.quality_goods import GOODS
    from models.training.quality_names import names, words_of_vocabulary
    from models.training.quality_teacher import teachers_view

    entries = {catalogue_name(path): read_entries(path) for path in plan.items}
    catalogues = [trusted(name, rows) for name, rows in entries.items()]
    if not any(each.items for each in catalogues):
        raise HeadraceError("none of the files has a usable title")
    categories = [name for rows in entries.values() for name in categories_only(rows)]
    with ProgressBar("teacher") as told:
        view = teachers_view(plan.base, tokenizer, catalogues, [*categories, *GOODS], told)
    words = words_of_vocabulary(tokenizer.get_vocab(with_added_tokens=False))
    made_up = {
        Part.TRAIN: [
            assortment(np.random.default_rng(plan.seed), ASSORTMENT),
            names(words, np.random.default_rng(plan.seed), NAMES),
        ],
        Part.VALIDATION: [names(words, np.random.default_rng(plan.seed + 1), NAMES_TO_CALIBRATE)],
        Part.TEST: [],
    }
    categories += list(GOODS)
    return {
        part: material(
            [each.part(part) for each in catalogues] + made_up[part],
            categories,
            view,
            plan.left_out if part is Part.TRAIN else frozenset(),
        )
        for part in Part
    }


def _fit(plan: TrainingPlan, tokenizer: "Tokenizer", source: "Material") -> Any:
    from models.quality.defect import DEFECTS
    from models.quality.features import lexical_features
    from models.training.quality_examples import examples
    from models.training.quality_fit import FitSettings, batches, fit
    from models.training.quality_measure import draw
    from models.training.quality_network import NetworkShape, build_network

    rng = np.random.default_rng(plan.seed)
    counted = lexical_features([each.item for each in draw(source, rng, SCALED_ON)])
    scaling = np.stack([counted.mean(axis=0), counted.std(axis=0)])
    network = build_network(plan.base, scaling, len(DEFECTS), NetworkShape())
    settings = FitSettings(steps=plan.steps)
    with ProgressBar("training") as told:
        smooth = [0.7]

        def progress(step: int, loss: float) -> None:
            smooth[0] += 0.02 * (loss - smooth[0])
            told(step, settings.steps, f"loss {smooth[0]:.4f}")

        fit(network, batches(tokenizer, examples(source, rng), settings.batch), settings, progress)
    return network
