"""Models are looked for in the configured folder, or in the checkout."""

from pathlib import Path

import pytest

from app.concerns import CHECKOUT, ModelSettings


def test_the_shipped_models_are_found_from_any_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert ModelSettings().folder == CHECKOUT / "onnx"
    assert (ModelSettings().folder / "manifest.json").is_file()


def test_a_folder_in_the_working_directory_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "onnx").mkdir()
    monkeypatch.chdir(tmp_path)
    assert ModelSettings().folder == Path("onnx")


def test_a_folder_that_is_nowhere_stays_as_it_was_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert ModelSettings(dir="no models").folder == Path("no models")
