"""Check that the import names `app`, `agents` and `models` are ours.

They are short, so another distribution may install the same names.
"""

import importlib
import tomllib
from fnmatch import fnmatchcase
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("app", "agents", "models")


def project() -> dict[str, Any]:
    """Return `pyproject.toml`, parsed."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", PACKAGES)
def test_the_name_belongs_to_this_distribution_only(name: str) -> None:
    assert set(packages_distributions()[name]) == {"headrace"}


def test_what_back_ends_import_belongs_to_the_client() -> None:
    assert set(packages_distributions()["headrace"]) == {"headrace-client"}


@pytest.mark.parametrize("name", PACKAGES)
def test_the_name_resolves_to_this_checkout(name: str) -> None:
    imported = importlib.import_module(name).__file__
    assert imported is not None
    assert Path(imported).resolve() == ROOT / name / "__init__.py"


def test_the_wheel_holds_every_package_in_the_tree() -> None:
    """The patterns in `pyproject.toml` are written out, so a new folder is easily forgotten."""
    patterns = project()["tool"]["setuptools"]["packages"]["find"]["include"]
    found = [init.parent for name in PACKAGES for init in (ROOT / name).rglob("__init__.py")]
    names = sorted(".".join(folder.relative_to(ROOT).parts) for folder in found)
    assert set(PACKAGES) <= set(names)
    assert [name for name in names if not any(fnmatchcase(name, pattern) for pattern in patterns)] == []


@pytest.mark.parametrize("name", ["onnx", "helm", "tests", "scripts", "docs"])
def test_the_wheel_holds_nothing_else(name: str) -> None:
    patterns = project()["tool"]["setuptools"]["packages"]["find"]["include"]
    assert not any(fnmatchcase(name, pattern) for pattern in patterns)


@pytest.mark.parametrize("name", PACKAGES)
def test_every_folder_with_python_is_a_package(name: str) -> None:
    folders = {source.parent for source in (ROOT / name).rglob("*.py")}
    assert [str(folder) for folder in folders if not (folder / "__init__.py").exists()] == []


@pytest.mark.parametrize("name", PACKAGES)
def test_the_package_says_that_it_is_typed(name: str) -> None:
    assert (ROOT / name / "py.typed").exists()
    assert "py.typed" in project()["tool"]["setuptools"]["package-data"][name]


def test_every_data_file_is_in_the_wheel() -> None:
    """An editable install finds them anyway; the image would not."""
    data = project()["tool"]["setuptools"]["package-data"]
    files = [path for name in PACKAGES for path in (ROOT / name).rglob("*") if path.is_file()]
    forgotten = [
        str(path.relative_to(ROOT))
        for path in files
        if path.suffix not in {".py", ".pyc", ".nbi", ".nbc"}
        and not any(path.match(pattern) for pattern in data.get(".".join(path.parent.relative_to(ROOT).parts), []))
    ]
    assert forgotten == []
