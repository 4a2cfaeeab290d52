"""Opens a log on disk: a folder with events and items, or one such file."""

from collections.abc import Callable, Iterator
from pathlib import Path

from app.datasets.csv_events import csv_events
from app.datasets.csv_items import csv_items
from app.datasets.json_lines import json_events, json_items
from app.datasets.record import Dataset, Record
from app.errors import HeadraceError

Reader = Callable[[Path], Iterator[Record]]

READERS: dict[str, dict[str, Reader]] = {
    "events": {".csv": csv_events, ".csv.gz": csv_events, ".jsonl": json_events, ".jsonl.gz": json_events},
    "items": {".csv": csv_items, ".csv.gz": csv_items, ".jsonl": json_items, ".jsonl.gz": json_items},
}
SUFFIXES = ", ".join(READERS["events"])


def open_dataset(path: Path) -> Dataset:
    """Return the log at `path`: a folder, or one file. A catalogue's name starts with `items`.

    Raises HeadraceError when there is no log, or when several files could be meant.
    """
    if path.is_dir():
        found = {stem: in_folder(path, stem) for stem in READERS}
        if not any(found.values()):
            raise HeadraceError(f"{path} holds no events: expected events or items with one of {SUFFIXES}")
    elif path.exists():
        found = {"items" if path.name.startswith("items") else "events": path}
    else:
        raise HeadraceError(f"{path} does not exist; give a folder with events.csv, or one such file")
    return Dataset(path.name, _records(found, "events"), _records(found, "items"))


def in_folder(folder: Path, stem: str) -> Path | None:
    """Return the folder's file of `events` or of `items`, if any.

    Raises HeadraceError when there are several.
    """
    found = [folder / (stem + suffix) for suffix in READERS[stem] if (folder / (stem + suffix)).exists()]
    if len(found) > 1:
        names = " and ".join(file.name for file in found)
        raise HeadraceError(f"{folder} holds both {names}; keep one of them, or give the file")
    return found[0] if found else None


def _records(found: dict[str, Path | None], stem: str) -> Callable[[], Iterator[Record]]:
    file = found.get(stem)
    if file is None:
        return lambda: iter(())
    for suffix, reader in READERS[stem].items():
        if file.name.endswith(suffix):
            return lambda: reader(file)
    raise HeadraceError(f"{file} has none of the endings {SUFFIXES}")
