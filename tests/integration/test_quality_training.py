"""`headrace models train-quality` from files to verdicts, with a tiny encoder."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from onnx_reader import OnnxFile

from app.artefacts.train_quality import train
from app.artefacts.training_plan import TrainingPlan
from app.errors import HeadraceError
from models.export.quantisation import reaches_too_far
from models.inference.manifest import check_files, pin, read_manifest, write_manifest
from models.quality.defect import DEFECTS, ItemText
from models.quality.judge import open_quality_model

transformers = pytest.importorskip("transformers", reason="the extra `export` is not installed")
tokenizers = pytest.importorskip("tokenizers")

COLOURS, MAKERS = ["blue", "red", "large", "small"], ["Acme", "Bell", "Corvo"]
THINGS = ["mug", "lamp", "chair", "shirt", "kettle", "scarf"]
PLACES = ["kitchen/mugs", "lighting/lamps", "home/chairs", "apparel/shirts", "kitchen/kettles", "apparel/scarves"]
WORDS = [*COLOURS, *(maker.lower() for maker in MAKERS), *THINGS, "kitchen", "lighting", "home", "apparel"]


def tiny_encoder(folder: Path) -> Path:
    """A BERT with one narrow layer and random weights, and a tokenizer of words and letters."""
    letters = [chr(code) for code in range(33, 127)]
    names = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *WORDS, *letters, *(f"##{letter}" for letter in letters)]
    tokenizer = tokenizers.BertWordPieceTokenizer(vocab={name: number for number, name in enumerate(names)})
    folder.mkdir()
    tokenizer.save(str(folder / "tokenizer.json"))
    config = transformers.BertConfig(
        vocab_size=len(names), hidden_size=64, num_hidden_layers=3, num_attention_heads=2, intermediate_size=64
    )
    transformers.BertModel(config, add_pooling_layer=False).save_pretrained(folder)
    return folder


def shop(path: Path) -> Path:
    rows = [
        f"{number},{maker} {colour} {thing} {number},{place},{number}"
        for number, (maker, colour, thing, place) in enumerate(
            (m, c, t, p) for m in MAKERS for c in COLOURS for t, p in zip(THINGS, PLACES, strict=True) for _ in range(4)
        )
    ]
    path.write_text("item_id,title,category,price\n" + "\n".join(rows) + "\n")
    return path


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning", "ignore::FutureWarning")
def test_files_become_an_artefact_with_a_report(tmp_path: Path) -> None:
    request = TrainingPlan(
        items=(shop(tmp_path / "shop.csv"),),
        base=tiny_encoder(tmp_path / "encoder"),
        out=tmp_path / "onnx",
        report=tmp_path / "report",
        steps=3,
        seed=1,
        threads=1,
        left_out=frozenset({"misread"}),
    )

    report = train(request)

    check_files(request.out, read_manifest(request.out).find("quality"))
    model = open_quality_model(request.out)
    verdicts = model.judge([ItemText("Acme blue mug", "kitchen"), ItemText("???")])
    assert all(set(verdict.probabilities) == set(DEFECTS) for verdict in verdicts)
    assert np.isfinite([verdict.score for verdict in verdicts]).all()
    assert {row["name"] for row in report["heads"]} == {defect.value for defect in DEFECTS}
    assert "3 steps" in json.loads((request.report / "report.json").read_text())["built"]
    assert (request.report / "calibration.png").read_bytes().startswith(b"\x89PNG")
    assert "| garbled |" in (request.report / "report.md").read_text()

    again = train(replace(request, steps=0, report=tmp_path / "again"))
    assert again["built"] == report["built"]
    assert again["heads"] == report["heads"]

    reach_too_far(request.out)
    bounded = train(replace(request, steps=0, report=tmp_path / "bounded"))
    path = request.out / read_manifest(request.out).find("quality").model.file
    assert "rounded the weights of 1 products again" in bounded["built"]
    assert not any(map(reaches_too_far, weights_of(path.read_bytes())))
    assert bounded["parity"]["largest_logit_difference_to_the_first_rounding"] < 0.05


def weights_of(content: bytes | bytearray) -> list[NDArray[np.int8]]:
    file = OnnxFile(content)
    return [file.bytes_of(node.inputs[1]) for node in file.nodes if node.operator == "MatMulIntegerToFloat"]


def reach_too_far(folder: Path) -> None:
    """Plant a pair of weights that saturates, as models of older versions have."""
    manifest = read_manifest(folder)
    [artefact] = manifest.models
    content = bytearray((folder / artefact.model.file).read_bytes())
    weights_of(content)[2][4:6, 7] = 127, 100
    (folder / artefact.model.file).write_bytes(content)
    write_manifest(folder, replace(manifest, models=(replace(artefact, model=pin(folder, artefact.model.file)),)))


def test_a_file_without_usable_titles_ends_with_advice(tmp_path: Path) -> None:
    (tmp_path / "shop.csv").write_text("title\n<b>Mug</b>\n\n")
    encoder = tiny_encoder(tmp_path / "encoder")
    request = TrainingPlan((tmp_path / "shop.csv",), encoder, tmp_path, tmp_path, 1, 1, 1, frozenset())

    with pytest.raises(HeadraceError, match="none of the files has a usable title"):
        train(request)
