"""Opens a log on disk: a folder with events and items, or one file of either."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path

from app.datasets.mapping import NO_MAPPING, FileMapping
from app.datasets.moments import AUTO
from app.datasets.record import Dataset, Record, Source
from app.datasets.shapes.known import FORMATS
from app.datasets.source import Recognised, recognised, required, source_of
from app.datasets.table import ENDINGS, PACKED, stem_of
from app.errors import HeadraceError

STEMS = ("events", "items")
SUFFIXES = f"{', '.join(ENDINGS)}, each also with {', '.join(PACKED[1:])}"
RECORDS_TIMED = 50


def open_dataset(path: Path, mapping: FileMapping = NO_MAPPING) -> Dataset:
    """Return the log at `path`: a folder, or one file.

    In a folder, the files `events` and `items` are the log. Without them, every file with a known
    shape is a part of it: its events in the order of their times. Raises HeadraceError when there
    is no log, when several files could be meant, or when a file cannot be read.
    """
    mapping.validated(FORMATS)
    if path.is_dir():
        sources, ignored = _in_folder(path, mapping)
    elif path.exists() and not path.is_file():
        raise HeadraceError(f"{path} is a pipe or a device; a log is read more than once: save it to a file first")
    elif path.exists():
        sources, ignored = [source_of([required(path, mapping)], mapping)], []
    else:
        raise HeadraceError(f"{path} does not exist; give a folder with events.csv, or one such file")
    events = sorted((each for each in sources if each.of == "events"), key=_first_time)
    items = [each for each in sources if each.of == "items"]
    return Dataset(path.name, _records(events), _records(items), (*items, *events), tuple(ignored))


def in_folder(folder: Path, stem: str) -> Path | None:
    """Return the folder's file of `events` or of `items`, if any.

    Raises HeadraceError when there are several.
    """
    found = [file for file in _files(folder) if stem_of(file) == stem]
    if len(found) > 1:
        names = " and ".join(file.name for file in found)
        raise HeadraceError(f"{folder} holds both {names}; keep one of them, or give the file")
    return found[0] if found else None


def _in_folder(folder: Path, mapping: FileMapping) -> tuple[list[Source], list[str]]:
    named = [file for stem in STEMS if (file := in_folder(folder, stem))]
    files = [required(file, mapping) for file in named]
    taken = {each.shape.of for each in files}
    ignored: list[str] = []
    # Beside a file called events, only a catalogue is looked for; and the other way round.
    for path in _files(folder) if len(taken) < len(STEMS) else ():
        known = None if path in named else _known(path, mapping)
        if known is not None and known.shape.of not in taken:
            files.append(known)
        elif path not in named:
            ignored.append(path.name)
    gathered = {
        each.shape.title: [one for one in files if one.shape is each.shape] for each in files if each.shape.is_gathered
    }
    single = [[each] for each in files if not each.shape.is_gathered]
    sources = [source_of(each, mapping) for each in (*single, *gathered.values())]
    if not sources:
        which = f"; none of {', '.join(ignored)} has a known shape: give one file, and see --map" if ignored else ""
        raise HeadraceError(f"{folder} holds no events: expected events or items with one of {SUFFIXES}{which}")
    return sources, ignored


def _known(path: Path, mapping: FileMapping) -> Recognised | None:
    """Return a file of a folder, or None if it is no part of a log or cannot be read."""
    try:
        return recognised(path, replace(mapping, format=AUTO))
    except HeadraceError:
        return None


def _files(folder: Path) -> list[Path]:
    return sorted(
        file for file in folder.iterdir() if file.is_file() and stem_of(file) and not file.name.startswith(".")
    )


def _first_time(source: Source) -> float:
    times = (record.ts for record in islice(source.records(_nothing), RECORDS_TIMED) if record.ts is not None)
    return next(times, float("inf"))


def _records(sources: Iterable[Source]) -> Callable[[], Iterator[Record]]:
    def read() -> Iterator[Record]:
        for source in sources:
            yield from source.records(_nothing)

    return read


def _nothing(_what: str) -> None:
    """Forget what was left out: only a check tells it."""
