"""What the doctor says of models: their providers, and what is wrong with a model that fails."""

import json
import shutil
from pathlib import Path

import pytest

from app.checkup.doctor import Status
from app.checkup.inference import check_inference
from models.inference.manifest import FILE_NAME
from models.inference.settings import InferenceSettings

SHIPPED = Path(__file__).resolve().parents[4] / "onnx"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the smallest shipped model."""
    if not (SHIPPED / FILE_NAME).exists():
        pytest.skip(f"no models in {SHIPPED}")
    document = json.loads((SHIPPED / FILE_NAME).read_text())
    model = min(document["models"], key=lambda each: (SHIPPED / each["model"]["file"]).stat().st_size)
    for part in ("model", "tokenizer", "canonical"):
        shutil.copy(SHIPPED / model[part]["file"], tmp_path)
    (tmp_path / FILE_NAME).write_text(json.dumps({**document, "models": [model]}))
    return tmp_path


async def test_a_model_is_opened_and_its_provider_named(folder: Path) -> None:
    [finding] = await check_inference(folder, InferenceSettings(provider="cpu"))
    assert finding.status is Status.OK
    assert "CPUExecutionProvider" in finding.detail


async def test_a_provider_that_was_asked_for_and_is_missing_is_a_warning(folder: Path) -> None:
    [finding] = await check_inference(folder, InferenceSettings(provider="cuda"))
    if "CUDAExecutionProvider" in finding.detail:
        pytest.skip("this machine has CUDA")
    assert finding.status is Status.WARNING
    assert "CUDA" in finding.advice


async def test_a_damaged_model_is_a_failure(folder: Path) -> None:
    model = next(folder.glob("*.onnx"))
    model.write_bytes(model.read_bytes()[:-1])
    [finding] = await check_inference(folder, InferenceSettings())
    assert finding.status is Status.FAILED
    assert "was changed" in finding.detail


async def test_without_models_there_is_nothing_to_say(tmp_path: Path) -> None:
    assert await check_inference(tmp_path, InferenceSettings()) == []
