"""Check the shape of the repository: the place and length of files, and what they may not name."""

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LONGEST_FILE = 300
MOST_FILES_AT_A_ROOT = {"app": 10, "models": 14}
SOURCES = {".py", ".sh", ".tpl", ".yaml", ".toml"}

PACKAGES = ("app", "agents", "models")
SENTENCE_END = re.compile(r"\.(?=\s|$)")
BOUND = re.compile(r"\b(?:no|not|nothing|neither|never|only)\b", re.IGNORECASE)

# The hosts are written in two parts, so that this file does not name them itself.
REGISTRY_HOSTS = [
    f"{name}.{domain}"
    for name, domain in [
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("registry.npmjs", "org"),
        ("deb.debian", "org"),
        ("docker", "io"),
        ("ghcr", "io"),
        ("huggingface", "co"),
    ]
]
MACHINE_PATH = re.compile(r"(?<![\w.-])/(?:work|root|home/\w+|Users/\w+)/")


def project_files() -> list[Path]:
    """Return every file that git tracks or would track."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    return [path for name in listed.stdout.split("\0") if name and (path := ROOT / name).is_file()]


def text_of(path: Path) -> str:
    """Return the file's text; empty for a binary file."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return ""


def test_there_is_something_to_look_at() -> None:
    names = {path.relative_to(ROOT).as_posix() for path in project_files()}
    assert {"pyproject.toml", "app/main.py", "tests/architecture/test_layout.py"} <= names


def test_no_python_file_is_under_onnx() -> None:
    """An importable `onnx` here would shadow the PyPI package of that name."""
    assert sorted((ROOT / "onnx").rglob("*.py")) == []


def test_no_source_file_is_longer_than_300_lines() -> None:
    sources = [path for path in project_files() if path.suffix in SOURCES or path.name in {"Makefile", "Dockerfile"}]
    lengths = {str(path.relative_to(ROOT)): len(text_of(path).splitlines()) for path in sources}
    assert {name: lines for name, lines in lengths.items() if lines > LONGEST_FILE} == {}


@pytest.mark.parametrize(("package", "most"), MOST_FILES_AT_A_ROOT.items())
def test_new_code_goes_into_a_room(package: str, most: int) -> None:
    """A root holds what several rooms share; all other code is in the room of its concern."""
    files = sorted(path.name for path in (ROOT / package).glob("*.py"))
    assert len(files) <= most, files


@pytest.mark.parametrize("package", PACKAGES)
def test_every_room_says_what_lives_there_and_what_may_not(package: str) -> None:
    docstrings = {
        path.parent.relative_to(ROOT).as_posix(): ast.get_docstring(ast.parse(text_of(path))) or ""
        for path in (ROOT / package).rglob("__init__.py")
    }
    assert docstrings
    assert [
        room for room, text in docstrings.items() if len(SENTENCE_END.findall(text)) < 2 or not BOUND.search(text)
    ] == []


@pytest.mark.parametrize("host", REGISTRY_HOSTS)
def test_no_file_names_a_registry_host(host: str) -> None:
    """The machine that installs chooses the registry; a fixed name breaks behind a mirror."""
    naming = [path.relative_to(ROOT).as_posix() for path in project_files() if host in text_of(path)]
    assert naming == []


def test_no_file_names_a_path_of_one_machine() -> None:
    found = {path.relative_to(ROOT).as_posix(): MACHINE_PATH.findall(text_of(path)) for path in project_files()}
    assert {name: paths for name, paths in found.items() if paths} == {}


@pytest.mark.parametrize("text", ["see /" + "work/shared", '"/' + 'root/x"', "in /" + "home/ada/src"])
def test_a_path_of_one_machine_is_recognised(text: str) -> None:
    assert MACHINE_PATH.search(text)


@pytest.mark.parametrize("text", ["/var/lib/headrace", "http://localhost/home/", "a/work/b", "$HOME/x"])
def test_other_paths_are_not_taken_for_one_machines(text: str) -> None:
    assert not MACHINE_PATH.search(text)
