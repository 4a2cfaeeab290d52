"""The shipped quality model still gives its verdicts, and meets its targets on the sample data."""

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from app.artefacts.evaluate_quality import evaluate
from models.inference.manifest import ManifestError, check_files, read_manifest
from models.quality.defect import DEFECTS, Defect, ItemText
from models.quality.judge import QualityModel, open_quality_model
from models.quality.text import QualitySettings

ROOT = Path(__file__).parents[2]
ARTEFACTS = ROOT / "onnx"
DATA = Path(os.environ.get("HEADRACE_TEST_DATA", ROOT.parent / "shared" / "data"))
MOST = 250
MEBIBYTE = 1 << 20


@pytest.fixture(scope="module")
def model() -> QualityModel:
    return open_quality_model(ARTEFACTS)


def canonical() -> list[dict[str, object]]:
    artefact = read_manifest(ARTEFACTS).find("quality")
    entries: list[dict[str, object]] = json.loads((ARTEFACTS / artefact.canonical.file).read_text())["texts"]
    return entries


def item_of(entry: dict[str, object]) -> ItemText:
    return ItemText(str(entry["title"]), str(entry["category"]), str(entry["brand"]))


def test_the_artefact_is_the_listed_one_and_small() -> None:
    artefact = read_manifest(ARTEFACTS).find("quality")

    check_files(ARTEFACTS, artefact)
    assert (ARTEFACTS / artefact.model.file).stat().st_size <= 14 * MEBIBYTE
    assert artefact.details["heads"] == [defect.value for defect in DEFECTS]


@pytest.mark.parametrize("file", ["model", "tokenizer"])
def test_a_damaged_file_is_refused_in_words(file: str, tmp_path: Path) -> None:
    shutil.copytree(ARTEFACTS, tmp_path, dirs_exist_ok=True)
    damaged = tmp_path / getattr(read_manifest(ARTEFACTS).find("quality"), file).file
    damaged.write_bytes(damaged.read_bytes()[:1000])

    with pytest.raises(ManifestError, match="was changed"):
        open_quality_model(tmp_path)


def test_canonical_texts_get_their_recorded_logits(model: QualityModel) -> None:
    entries = canonical()
    found = model.logits([item_of(entry) for entry in entries])

    np.testing.assert_allclose(found, np.array([entry["vector"] for entry in entries], np.float32), atol=0.05)


def test_a_verdict_does_not_depend_on_what_else_is_in_the_batch(model: QualityModel) -> None:
    items = [item_of(entry) for entry in canonical()]
    together = model.logits(items * 4)[: len(items)]
    alone = np.concatenate([model.logits([item]) for item in items])

    np.testing.assert_allclose(together, alone, atol=1e-4)


def test_obvious_defects_are_flagged_and_a_plain_title_is_not(model: QualityModel) -> None:
    settings = QualitySettings()
    cases = {
        "asdkjh qwlekj zxmcn": Defect.GARBLED,
        "CafÃ© Latte Glass â€“ 2 Pack": Defect.ENCODING,
        "!!! BEST PRICE !!! FREE SHIPPING mug mug mug mug": Defect.SPAM,
        '<span class="t">Stoneware Mug</span>': Defect.MARKUP,
        "damaged in warehouse?": Defect.REMARK,
        "Becher aus Steingut mit Korkboden": Defect.FOREIGN,
    }
    for title, verdict in zip(cases, model.judge([ItemText(title) for title in cases]), strict=True):
        assert cases[title] in verdict.defects(settings), title
        assert verdict.acceptable(settings) == (cases[title] is Defect.FOREIGN), title
    assert model.judge([ItemText("Stoneware Mug with Cork Base", "Kitchen > Mugs")])[0].faultless(settings)


def test_letter_case_decides_nothing(model: QualityModel) -> None:
    titles = [
        "Stoneware Mug with Cork Base",
        "check stock",
        "Set of 4 Enamel Lanterns",
        "free shipping best price mug mug",
    ]
    lower, upper = (
        np.array([verdict.score for verdict in model.judge([ItemText(change(title)) for title in titles])])
        for change in (str.lower, str.upper)
    )

    np.testing.assert_allclose(lower, upper, atol=1e-6)


def test_nothing_and_nonsense_are_judged_without_a_fuss(model: QualityModel) -> None:
    empty, *others = model.judge(
        [ItemText(""), ItemText("\x00" * 50), ItemText("x" * 100_000), ItemText("[SEP] [CLS]"), ItemText("\ud800")]
    )

    assert empty.score == 0.5
    assert empty.defects(QualitySettings()) == ()
    assert all(0.0 <= verdict.score <= 1.0 for verdict in others)
    assert model.judge([]) == []


@pytest.mark.skipif(not DATA.is_dir(), reason="the sample data is not there (../shared/data or HEADRACE_TEST_DATA)")
def test_the_targets_are_kept_on_the_sample_data(model: QualityModel) -> None:
    missed = [each for each in evaluate(model, DATA, MOST, QualitySettings()) if not each.met]

    assert missed == []


def test_a_defect_that_is_switched_off_does_not_hide_the_item() -> None:
    settings = QualitySettings(spam_from=1.1)
    title = "Red mug " * 200
    [judged] = open_quality_model(ARTEFACTS).judge([ItemText(title)])
    [switched_off] = open_quality_model(ARTEFACTS, counted=settings.counted()).judge([ItemText(title)])

    assert not judged.acceptable(settings)
    assert switched_off.faultless(settings)
