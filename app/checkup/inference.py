"""Checks that the model artefacts can be opened, and on which execution provider they run."""

import asyncio
from importlib.util import find_spec
from pathlib import Path

from app.checkup.doctor import Finding, Findings, fail, ok, warn
from models.inference.manifest import FILE_NAME, Artefact, ManifestError, check_files, read_manifest
from models.inference.settings import InferenceSettings

AGAIN = "install the model artefacts again"


async def check_inference(folder: Path, settings: InferenceSettings) -> Findings:
    """Return one finding for each model in use; none when there are no models."""
    if not (folder / FILE_NAME).exists():
        return []
    if find_spec("onnxruntime") is None:
        return [warn("inference", "onnxruntime is not installed, models are not used", "install the extra cpu or gpu")]
    return await asyncio.to_thread(_check, folder, settings)


async def check_second_judge(folder: str, settings: InferenceSettings) -> Findings:
    """Return one finding for the second judge; none when it is off."""
    if not folder:
        return []
    if not (Path(folder) / FILE_NAME).exists():
        advice = "make one with `headrace models export-judge`, or leave HEADRACE_JUDGE_DIR empty"
        return [fail("judge model", f"HEADRACE_JUDGE_DIR={folder} has no {FILE_NAME}", advice)]
    return await check_inference(Path(folder), settings)


def _check(folder: Path, settings: InferenceSettings) -> Findings:
    try:
        manifest = read_manifest(folder)
        tasks = dict.fromkeys(each.task for each in manifest.models)
        return [_open(folder, manifest.find(task), settings) for task in tasks]
    except ManifestError as error:
        return [fail("inference", str(error), AGAIN)]


def _open(folder: Path, artefact: Artefact, settings: InferenceSettings) -> Finding:
    # here, because the package is installed only with an extra
    from models.inference.onnx_session import OnnxSession

    check, name = f"{artefact.task} model", artefact.key
    try:
        check_files(folder, artefact)
        session = OnnxSession(folder / artefact.model.file, settings)
    except ManifestError as error:
        return fail(check, str(error), AGAIN)
    except Exception as error:  # onnxruntime's own exceptions share no base class
        return fail(check, f"{name} cannot be opened: {error}", AGAIN)
    if session.fallback is not None:
        return warn(check, f"{name} runs on {session.provider}", session.fallback)
    return ok(check, f"{name} runs on {session.provider}")
