"""Puts the model artefacts of onnx/ into the wheel; pyproject.toml has everything else.

They stay outside the packages in the checkout: a folder with their name would shadow PyPI's onnx.
"""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).resolve().parent
ARTEFACTS = ("*.json", "*.onnx")


class BuildWithModels(build_py):
    """Copies the artefacts to app/shipped, where `ModelSettings` finds them."""

    def run(self) -> None:
        """Build the packages, then add the artefacts; an editable install has them already."""
        super().run()
        if self.editable_mode:
            return
        target = Path(self.build_lib) / "app" / "shipped"
        target.mkdir(parents=True, exist_ok=True)
        for pattern in ARTEFACTS:
            for artefact in sorted((ROOT / "onnx").glob(pattern)):
                shutil.copyfile(artefact, target / artefact.name)


setup(cmdclass={"build_py": BuildWithModels})
