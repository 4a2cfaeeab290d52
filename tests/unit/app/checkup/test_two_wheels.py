"""ONNX Runtime has two wheels that write the same folder, so both together are a fault."""

from pathlib import Path

import pytest

from app.checkup.doctor import Status
from app.checkup.installation import check_packages


def install(folder: Path, name: str, version: str) -> None:
    """Put what pip leaves of a package into a folder on the path."""
    info = folder / f"{name}-{version}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")


async def test_both_wheels_side_by_side_get_a_warning_that_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    install(tmp_path, "onnxruntime", "1.31.1")
    assert "onnxruntime" not in {finding.check for finding in await check_packages()}
    install(tmp_path, "onnxruntime_gpu", "1.31.1")
    (warning,) = (finding for finding in await check_packages() if finding.check == "onnxruntime")
    assert warning.status is Status.WARNING
    assert "onnxruntime and onnxruntime-gpu share a folder" in warning.detail
    assert "pip uninstall onnxruntime onnxruntime-gpu" in warning.advice
