"""What is built for a wheel works without the checkout: the models are in it."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
OPEN_MODELS = """
from app.concerns import CHECKOUT, ModelSettings
from models.quality.judge import open_quality_model
folder = ModelSettings().folder
open_quality_model(folder)
print(CHECKOUT, folder)
"""


def test_the_installed_package_has_the_models(tmp_path: Path) -> None:
    built = tmp_path / "built"
    build = [sys.executable, "setup.py", "-q", "build_py", "--build-lib", str(built)]
    done = subprocess.run(build, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    environ = {name: value for name, value in os.environ.items() if not name.startswith("HEADRACE_")}
    found = subprocess.run(
        [sys.executable, "-c", OPEN_MODELS],
        cwd=tmp_path,
        env=environ | {"PYTHONPATH": str(built)},
        capture_output=True,
        text=True,
        check=False,
    )
    shipped = built / "app" / "shipped"
    assert found.stdout.split() == [str(built), str(shipped)], found.stderr
    assert {file.name for file in shipped.iterdir()} == {file.name for file in (ROOT / "onnx").iterdir()} - {
        "README.md"
    }
