"""Checks that Headrace is installed as it was tested: Python, packages, extras, model artefacts."""

import json
import sys
from importlib.metadata import PackageNotFoundError, metadata, requires, version
from pathlib import Path

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from app.checkup.doctor import Finding, Findings, fail, ok, warn
from app.errors import install_line

EXTRAS = {
    "embedded": "only `headrace run` without addresses needs it",
    "cpu": "only models need it; `gpu` takes its place on machines with CUDA",
}


async def check_python() -> Findings:
    """Check the version of the interpreter."""
    found = ".".join(map(str, sys.version_info[:3]))
    wanted = SpecifierSet(metadata("headrace")["Requires-Python"])
    if wanted.contains(found, prereleases=True):
        return [ok("python", found)]
    return [fail("python", f"{found}, but Headrace is made for {wanted}", "make the environment with such a Python")]


async def check_packages() -> Findings:
    """Check the versions of the packages that Headrace depends on, and of its extras."""
    wanted = [Requirement(text) for text in requires("headrace") or ()]
    core = [each for each in wanted if each.marker is None]
    wrong = [problem for each in core if (problem := _problem(each))]
    advice = "install with the lock file: pip install --require-hashes -r requirements.lock"
    first = fail("packages", "; ".join(wrong), advice) if wrong else ok("packages", f"{len(core)} as pinned")
    return [first, *_wheels(), *(_extra(name, purpose, wanted) for name, purpose in EXTRAS.items())]


async def check_models(folder: Path | None) -> Findings:
    """Check the manifest of the model artefacts, and that each file that it names exists.

    `folder` is None when no models are wanted.
    """
    if folder is None:
        return [ok("models", "none: HEADRACE_MODEL_DIR is empty; texts are neither judged nor compared")]
    manifest = folder / "manifest.json"
    if not manifest.exists():
        advice = "name the folder of the models in HEADRACE_MODEL_DIR, or leave it empty to do without"
        return [
            warn("models", f"none: {manifest} is not there, texts of items are neither judged nor compared", advice)
        ]
    try:
        names = sorted(_files(json.loads(manifest.read_bytes())))
    except (OSError, ValueError, TypeError, AttributeError) as error:
        return [fail("models", f"{manifest} cannot be read: {error}", "install the model artefacts again")]
    missing = [name for name in names if not (folder / name).is_file()]
    if missing:
        return [fail("models", f"{folder} lacks {', '.join(missing)}", "install the model artefacts again")]
    return [ok("models", f"{len(names)} files of {manifest}")]


def _files(manifest: object) -> set[str]:
    """Return all values of a key `file`, at any depth."""
    match manifest:
        case dict():
            below = set().union(*map(_files, manifest.values()))
            return below | ({manifest["file"]} if isinstance(manifest.get("file"), str) else set())
        case list():
            return set().union(*map(_files, manifest))
    return set()


def _wheels() -> Findings:
    """Warn if both wheels of ONNX Runtime are installed, as one overwrote files of the other."""
    both = [name for name in ("onnxruntime", "onnxruntime-gpu") if not _problem(Requirement(name))]
    if len(both) > 1:
        advice = (
            "pip uninstall onnxruntime onnxruntime-gpu, then install the extra that fits: "
            f"{install_line('cpu')}, or gpu in place of cpu with CUDA"
        )
        yield warn("onnxruntime", f"{' and '.join(both)} share a folder; which of them works is chance", advice)


def _extra(name: str, purpose: str, wanted: list[Requirement]) -> Finding:
    check = f"extra {name}"
    mine = [each for each in wanted if each.marker is not None and each.marker.evaluate({"extra": name})]
    if name == "cpu" and _problem(mine[0]) and not _problem(Requirement("onnxruntime-gpu")):
        return ok(check, "the extra gpu is installed in its place")
    wrong = [problem for each in mine if (problem := _problem(each))]
    if not wrong:
        return ok(check, ", ".join(f"{each.name} {version(each.name)}" for each in mine))
    return warn(check, "; ".join(wrong), f"{install_line(name)}; {purpose}")


def _problem(requirement: Requirement) -> str:
    try:
        found = version(requirement.name)
    except PackageNotFoundError:
        return f"{requirement.name} is not installed"
    if requirement.specifier.contains(found, prereleases=True):
        return ""
    return f"{requirement.name} is {found}, wanted is {requirement.specifier}"
