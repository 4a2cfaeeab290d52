"""`make` finds a suitable Python, and keeps an environment that works."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FIND = ROOT / "scripts/find_python.sh"
MAKE = ROOT / "scripts/make_environment.sh"
REAL = os.path.realpath(sys.executable)
TOOLS = ("bash", "dirname", "sed", "seq", "tr")
SHIM_OF_AN_INACTIVE_VERSION = "echo 'pyenv: python3.13: command not found' >&2; exit 127"


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    """A folder with the commands that the scripts use, but without a Python."""
    folder = tmp_path / "tools"
    folder.mkdir()
    for name in TOOLS:
        (folder / name).symlink_to(str(shutil.which(name)))
    return folder


def put(folder: Path, name: str, script: str) -> Path:
    """Add a command of this name."""
    folder.mkdir(parents=True, exist_ok=True)
    command = folder / name
    command.write_text(f"#!/bin/sh\n{script}\n")
    command.chmod(0o755)
    return command


def python(folder: Path, name: str, version: tuple[int, int], also: str = "pass") -> Path:
    """Add a command that runs the Python of these tests under another version number."""
    claim = f"import sys; sys.version_info = ({version[0]}, {version[1]}, 0); sys._base_executable = '{folder / name}'"
    return put(folder, name, f'shift; probe=$1; shift\nexec {REAL} -c "{claim}; {also}\n$probe" "$@"')


def find(*arguments: str, path: tuple[Path, ...], **environ: Path) -> subprocess.CompletedProcess[str]:
    settings: Mapping[str, str] = {"PATH": ":".join(map(str, path)), **{k: str(v) for k, v in environ.items()}}
    return subprocess.run([FIND, *arguments], env=settings, capture_output=True, text=True, check=False)


def test_the_newest_that_fits_is_taken(tmp_path: Path, tools: Path) -> None:
    python(tmp_path / "a", "python3.11", (3, 11))
    python(tmp_path / "a", "python3.14", (3, 14))
    newest = python(tmp_path / "b", "python3.13", (3, 13))
    python(tmp_path / "b", "python3.12", (3, 12))
    assert find(path=(tmp_path / "a", tmp_path / "b", tools)).stdout == f"{newest}\n"


@pytest.mark.parametrize("version", [(3, 11), (3, 12), (3, 13)])
def test_a_command_named_python3_alone_is_enough(tmp_path: Path, tools: Path, version: tuple[int, int]) -> None:
    only = python(tmp_path, "python3", version)
    assert find(path=(tmp_path, tools)).stdout == f"{only}\n"


def test_a_shim_that_does_not_run_is_passed_over(tmp_path: Path, tools: Path) -> None:
    put(tmp_path / "shims", "python3.13", SHIM_OF_AN_INACTIVE_VERSION)
    put(tmp_path / "shims", "python3.12", SHIM_OF_AN_INACTIVE_VERSION)
    behind = python(tmp_path / "bin", "python3.12", (3, 12))
    assert find(path=(tmp_path / "shims", tmp_path / "bin", tools)).stdout == f"{behind}\n"


def test_a_version_of_pyenv_serves_where_path_has_none(tmp_path: Path, tools: Path) -> None:
    pyenv = python(tmp_path / "pyenv/versions/3.12.1/bin", "python3.12", (3, 12))
    put(tmp_path / "bin", "python3.12", SHIM_OF_AN_INACTIVE_VERSION)
    assert find(path=(tmp_path / "bin", tools), PYENV_ROOT=tmp_path / "pyenv").stdout == f"{pyenv}\n"
    older = python(tmp_path / "bin", "python3", (3, 11))
    assert find(path=(tmp_path / "bin", tools), PYENV_ROOT=tmp_path / "pyenv").stdout == f"{older}\n"


def test_one_that_cannot_make_environments_gives_way_to_an_older_one(tmp_path: Path, tools: Path) -> None:
    python(tmp_path, "python3.13", (3, 13), also="sys.modules['ensurepip'] = None")
    older = python(tmp_path, "python3.12", (3, 12))
    assert find(path=(tmp_path, tools)).stdout == f"{older}\n"


def test_the_package_that_debian_splits_off_is_named(tmp_path: Path, tools: Path) -> None:
    only = python(tmp_path, "python3", (3, 12), also="sys.modules['ensurepip'] = None")
    done = find(path=(tmp_path, tools))
    assert (done.returncode, done.stdout) == (1, "")
    assert f"{only} cannot make environments; on Debian and Ubuntu: sudo apt install python3.12-venv" in done.stderr


@pytest.mark.parametrize("version", [(2, 7), (3, 10), (3, 14)])
def test_the_needed_version_is_named_where_none_fits(tmp_path: Path, tools: Path, version: tuple[int, int]) -> None:
    only = python(tmp_path, "python3", version)
    done = find(path=(tmp_path, tools))
    assert (done.returncode, done.stdout) == (1, "")
    assert "needs Python 3.11 to 3.13" in done.stderr
    assert f"{only} is Python {version[0]}.{version[1]}" in done.stderr
    assert "make PYTHON=" in done.stderr


def test_a_machine_without_any_python_is_told_so(tools: Path) -> None:
    done = find(path=(tools,))
    assert done.returncode == 1
    assert "There is none on PATH." in done.stderr


def test_the_one_that_is_named_must_fit(tmp_path: Path, tools: Path) -> None:
    python(tmp_path, "python3.13", (3, 13))
    named = python(tmp_path, "mine", (3, 11))
    old = python(tmp_path, "old", (3, 9))
    assert find("mine", path=(tmp_path, tools)).stdout == f"{named}\n"
    assert find(str(named), path=(tools,)).stdout == f"{named}\n"
    assert f"{old} is Python 3.9" in find(str(old), path=(tools,)).stderr
    assert "There is no absent." in find("absent", path=(tools,)).stderr


def test_all_versions_are_listed_whether_or_not_they_are_there(tmp_path: Path, tools: Path) -> None:
    first = python(tmp_path / "a", "python3", (3, 13))
    python(tmp_path / "b", "python3.13", (3, 13))
    pyenv = python(tmp_path / "pyenv/versions/3.11.9/bin", "python3.11", (3, 11))
    done = find("--all", path=(tmp_path / "a", tmp_path / "b", tools), PYENV_ROOT=tmp_path / "pyenv")
    assert done.stdout == f"3.13 {first}\n3.12 \n3.11 {pyenv}\n"


def make(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([MAKE, *arguments], capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with a file that disappears when the environment is made again."""
    project = tmp_path_factory.mktemp("project")
    for name in ("Makefile", "pyproject.toml", "requirements.lock"):
        shutil.copy(ROOT / name, project)
    (project / "clients").symlink_to(ROOT / "clients")
    (project / "scripts").symlink_to(ROOT / "scripts")
    folder = project / ".venv"
    made = make(folder, REAL)
    assert made.returncode == 0, made.stderr
    assert f"from {REAL}, in {folder}" in made.stdout
    (folder / "mark").touch()
    (folder / ".installed").touch()
    return folder


def would_set_up(environment: Path, *arguments: str) -> bool:
    """Return whether `make` would make or fill the environment."""
    command = ["make", "--dry-run", "--no-print-directory", "setup", *arguments]
    inherited = {name: value for name, value in os.environ.items() if name not in {"PYTHON", "MAKEFLAGS", "MAKELEVEL"}}
    done = subprocess.run(command, cwd=environment.parent, env=inherited, capture_output=True, text=True, check=True)
    return "scripts/make_environment.sh .venv" in done.stdout


def test_an_environment_that_works_stays(environment: Path) -> None:
    assert [make(environment).returncode, make(environment, REAL).returncode] == [0, 0]
    assert [make("--fits", environment).returncode, make("--fits", environment, REAL).returncode] == [0, 0]
    assert [would_set_up(environment), would_set_up(environment, f"PYTHON={REAL}")] == [False, False]
    assert (environment / "mark").exists()


def test_an_environment_gives_way_only_to_another_python_that_fits(environment: Path, tmp_path: Path) -> None:
    other = python(tmp_path, "other", (3, 11))
    assert make("--fits", environment, other).returncode == 1
    assert would_set_up(environment, f"PYTHON={other}")
    refused = make(environment, "absent")
    assert refused.returncode == 1
    assert "There is no absent." in refused.stderr
    assert (environment / "mark").exists()


def test_an_environment_whose_python_is_gone_is_made_again(environment: Path, tmp_path: Path) -> None:
    (environment / "bin/python").unlink()
    (environment / "bin/python").symlink_to(tmp_path / "gone")
    assert make("--fits", environment).returncode == 1
    assert would_set_up(environment)
    assert "making it again" in make(environment, REAL).stdout
    assert make("--fits", environment, REAL).returncode == 0
    assert not (environment / "mark").exists()
