"""Refuse files that are not models, and pass settings to the session."""

from pathlib import Path

import pytest

from models.inference.encoder import open_encoder, open_tokenizer
from models.inference.manifest import ManifestError, parse_manifest, pin

ONNX = Path(__file__).resolve().parents[4] / "onnx"


def test_a_file_that_is_no_model_is_an_error_of_the_manifest(tmp_path: Path) -> None:
    text = (ONNX / "manifest.json").read_text()
    artefact = parse_manifest(text).find("embedding")
    for pinned in artefact.pinned:
        (tmp_path / pinned.file).write_text("no model")
        text = text.replace(pinned.sha256, pin(tmp_path, pinned.file).sha256)
    with pytest.raises(ManifestError, match="cannot be opened"):
        open_encoder(tmp_path, parse_manifest(text).find("embedding"))


def test_a_file_that_is_no_tokenizer_is_named(tmp_path: Path) -> None:
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(ManifestError, match=r"tokenizer\.json is no tokenizer"):
        open_tokenizer(tmp_path / "tokenizer.json")
