"""`headrace models bench` where nothing was exported: the shipped model is timed alone."""

import subprocess
from pathlib import Path

import orjson
from workers import HEADRACE

MODELS = Path(__file__).resolve().parents[2] / "onnx"


def test_the_shipped_model_is_timed_and_what_cannot_be_compared_is_null(tmp_path: Path) -> None:
    titles = tmp_path / "titles.txt"
    titles.write_text("".join(f"Tea cup number {number}, hand painted\n" for number in range(200)))
    arguments = ["--rounds", "1", "--dir", str(MODELS), "--items", str(titles), "--work", str(tmp_path)]
    done = subprocess.run([HEADRACE, "models", "bench", "--json", *arguments], capture_output=True, check=False)

    assert done.returncode == 0, done.stderr
    result = orjson.loads(done.stdout)
    assert result["texts_per_second"].keys() == {"chosen"}
    assert result["texts_per_second"]["chosen"] > 0
    assert result["batch_cosine_min"] >= 0.9999
    assert (result["ratio_to_onnx_fp32"], result["neighbour_overlap_at_10"]) == (None, None)
    assert b"`headrace models export`, makes it" in done.stderr
