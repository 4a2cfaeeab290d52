"""The client for back ends stays small: it imports redis and orjson, and nothing of the server."""

import ast
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import headrace
from headrace.lists import FIRST_FORMAT, FORMAT_FIELD, LIST_FORMAT
from models.contract.formats import FIRST, HEADER, LIST

CLIENT = Path(__file__).resolve().parents[2] / "clients/python"
SOURCES = sorted((CLIENT / "src/headrace").glob("*.py"))
ALLOWED = {"headrace", "redis", "orjson"}


def imported(path: Path) -> set[str]:
    """Return the top-level names of all modules that a file imports."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {each.name.partition(".")[0] for each in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are written out"
            found.add(str(node.module).partition(".")[0])
    return found


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_a_module_imports_only_what_is_installed_with_the_client(path: Path) -> None:
    assert imported(path) - ALLOWED - sys.stdlib_module_names == set()


def test_it_is_typed_and_needs_two_packages() -> None:
    table = tomllib.loads((CLIENT / "pyproject.toml").read_text(encoding="utf-8"))
    names = {line.partition(">")[0] for line in table["project"]["dependencies"]}
    assert names == ALLOWED - {"headrace"}
    assert (CLIENT / "src/headrace/py.typed").exists()
    assert table["tool"]["setuptools"]["package-data"] == {"headrace": ["py.typed"]}


def test_every_public_name_is_there() -> None:
    assert [name for name in headrace.__all__ if getattr(headrace, name).__name__ != name] == []
    with pytest.raises(AttributeError, match="has no attribute 'Nothing'"):
        _ = headrace.Nothing


def test_its_errors_are_imported_without_redis() -> None:
    """Every command of the server imports the errors, and most need no Redis."""
    code = "import sys; from headrace import StoreAway; sys.exit('redis' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_it_reads_the_lists_that_workers_write() -> None:
    assert (LIST.version, HEADER, FIRST) == (LIST_FORMAT, FORMAT_FIELD, FIRST_FORMAT)
