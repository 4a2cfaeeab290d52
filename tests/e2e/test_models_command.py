"""`headrace models` as a command: good and tampered artefacts, and what it says of missing ones."""

import json
import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

HEADRACE = str(Path(sys.executable).with_name("headrace"))
ONNX = Path(__file__).resolve().parents[2] / "onnx"


def models(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [HEADRACE, "models", *arguments],
        env={"PATH": os.environ["PATH"], "PYTHONWARNINGS": "error"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the artefacts that a test may change."""
    return Path(shutil.copytree(ONNX, tmp_path / "onnx"))


@pytest.fixture
def items(tmp_path: Path) -> Path:
    path = tmp_path / "items.csv"
    path.write_text("item_id,title\n" + "".join(f"{number},Mug number {number}\n" for number in range(300)))
    return path


def embedding(folder: Path) -> dict[str, dict[str, str]]:
    entries = json.loads((folder / "manifest.json").read_text())["models"]
    found: dict[str, dict[str, str]] = next(each for each in entries if each["task"] == "embedding")
    return found


def test_the_shipped_artefacts_are_right() -> None:
    process = models("verify", "--dir", str(ONNX), "--json")
    assert process.returncode == 0, process.stderr
    result = json.loads(process.stdout)
    assert result["ok"] is True
    assert all(each["problem"] is None and each["comparison"]["passed"] for each in result["models"])


def test_a_changed_byte_is_found(copy: Path) -> None:
    path = copy / embedding(copy)["model"]["file"]
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    process = models("verify", "--dir", str(copy))
    assert process.returncode == 1
    assert f"{path.name} was changed: its sha256 is" in process.stdout


def test_wrong_numbers_under_a_right_sum_are_found(copy: Path) -> None:
    """A checksum shows that a file is the listed one; canonical vectors show that it is right."""
    from models.inference.canonical import TEXTS, read_canonical, write_canonical
    from models.inference.manifest import sha256_of

    entry = embedding(copy)
    path = copy / entry["canonical"]["file"]
    canonical = read_canonical(path)
    canonical.vectors[TEXTS.index("Gift card")] *= -1
    write_canonical(path, canonical)
    manifest = copy / "manifest.json"
    manifest.write_text(manifest.read_text().replace(entry["canonical"]["sha256"], sha256_of(path)))
    process = models("verify", "--dir", str(copy), "--json")
    assert process.returncode == 1
    result = json.loads(process.stdout)
    assert result["ok"] is False
    [problem] = [each["problem"] for each in result["models"] if each["problem"]]
    assert "cosine to the original's vectors is -" in problem
    assert "Set HEADRACE_MODEL_DIR= (empty) to recommend without models" in problem
    assert 'make model ARGS="--variant fp32"' in problem


def test_verdicts_that_are_not_the_recorded_ones_are_found_with_what_to_do_about_them(copy: Path) -> None:
    from models.inference.manifest import read_manifest, sha256_of

    listed = read_manifest(copy).find("quality").canonical
    document = json.loads((copy / listed.file).read_text())
    document["texts"][3]["vector"][0] += 0.5
    (copy / listed.file).write_text(json.dumps(document))
    manifest = copy / "manifest.json"
    manifest.write_text(manifest.read_text().replace(listed.sha256, sha256_of(copy / listed.file)))
    process = models("verify", "--dir", str(copy))
    assert process.returncode == 1
    assert "a logit is 0.5" in process.stdout
    assert "Set HEADRACE_QUALITY_SCORE_FROM=0 to hide none" in process.stdout


def test_another_shape_than_the_listed_one_is_found(copy: Path) -> None:
    manifest = copy / "manifest.json"
    document = json.loads(manifest.read_text())
    next(each for each in document["models"] if each["task"] == "embedding")["outputs"][0]["shape"][-1] = 7
    manifest.write_text(json.dumps(document))
    process = models("verify", "--dir", str(copy))
    assert process.returncode == 1
    assert "inputs or outputs" in process.stdout


def test_a_missing_manifest_is_a_plain_message(tmp_path: Path) -> None:
    process = models("verify", "--dir", str(tmp_path), "--json")
    assert (process.returncode, process.stdout) == (1, "")
    assert process.stderr.startswith("headrace: ")
    assert "manifest.json cannot be read" in process.stderr


def test_missing_cuda_is_reported_and_not_measured(items: Path, tmp_path: Path) -> None:
    verified = models("verify", "--dir", str(ONNX), "--provider", "cuda")
    if "CUDAExecutionProvider" in verified.stdout:
        pytest.skip("this machine has CUDA")
    assert verified.returncode == 0
    assert "WARNING: CUDA" in verified.stderr
    benched = models("bench", "--dir", str(ONNX), "--items", str(items), "--provider", "cuda", "--work", str(tmp_path))
    assert (benched.returncode, benched.stdout) == (1, "")
    assert "CUDA was to be measured but is not in force" in benched.stderr


def test_bench_without_an_export_times_the_model_in_use_and_says_how_to_compare(items: Path, tmp_path: Path) -> None:
    arguments = ["--dir", str(ONNX), "--items", str(items), "--work", str(tmp_path), "--rounds", "1", "--json"]
    process = models("bench", *arguments)
    assert process.returncode == 0, process.stderr
    result = json.loads(process.stdout)
    assert result["texts_per_second"].keys() == {"chosen"}
    assert result["texts_per_second"]["chosen"] > 0
    assert result["batch_cosine_min"] >= 0.9999
    assert (result["ratio_to_onnx_fp32"], result["neighbour_overlap_at_10"]) == (None, None)
    assert "`headrace models export`, makes it" in process.stderr


@pytest.mark.skipif(find_spec("torch") is not None, reason="the extra `export` is installed here")
def test_export_without_its_extra_says_how_to_get_it(items: Path, tmp_path: Path) -> None:
    process = models("export", "--items", str(items), "--dir", str(tmp_path / "onnx"))
    assert process.returncode == 1
    assert "make export-setup" in process.stderr


def test_too_few_titles_are_refused(tmp_path: Path) -> None:
    (tmp_path / "few.txt").write_text("mug\n")
    process = models("bench", "--dir", str(ONNX), "--items", str(tmp_path / "few.txt"))
    assert process.returncode == 1
    assert "1 different titles are too few" in process.stderr


def test_an_unknown_variant_is_a_usage_error(items: Path) -> None:
    assert models("export", "--items", str(items), "--variant", "int3").returncode == 2
