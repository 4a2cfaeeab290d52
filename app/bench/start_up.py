"""How fast a worker starts: from the log of interactions, and from a snapshot of what it
learned.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import numpy as np
from prometheus_client import CollectorRegistry

from agents.learn import Learn
from agents.memory import MemoryCopy, check, restore
from agents.metrics import Metrics
from app.bench.generated import GeneratedVisits, LogSize, generate, item_name, session_name, user_name
from app.settings import Settings
from app.worker.snapshot import Snapshot, read_snapshot, write_snapshot
from models.contract.events import TOPIC_OF_KIND, Kind, RawBatch
from models.contract.interactions import Interactions
from models.contract.typed_event import EventRecord
from models.contract.wire import encode_interactions
from models.core.warm_up import warm_up
from models.duplicates import DuplicateFilter
from models.recommender import Recommender

FETCHED = 5  # so many times `fetch_max_records` are read at once, as the worker's follower does
FILE = "bench.snapshot"


@dataclass(slots=True)
class _Clock:
    """Seconds of processor time and on the wall since it was made."""

    cpu: float = field(default_factory=process_time)
    wall: float = field(default_factory=perf_counter)

    def read(self) -> dict[str, float]:
        return {"cpu_seconds": round(process_time() - self.cpu, 3), "seconds": round(perf_counter() - self.wall, 3)}


def run_start_up(size: LogSize, seed: int, settings: Settings, folder: Path) -> dict[str, Any]:
    """Learn the generated log of this size as a starting worker does, save it, and load it. Raises
    OSError.
    """
    warm_up(settings.recommender, settings.events)
    visits = generate(size, seed)
    learn = _new_learn(settings)
    cpu = wall = 0.0
    for batch in _log(visits, FETCHED * settings.kafka.fetch_max_records):
        clock = _Clock()
        learn.handle(batch)
        spent = clock.read()
        cpu, wall = cpu + spent["cpu_seconds"], wall + spent["seconds"]
    return {
        "sessions": len(learn.recommender.index),
        "events": len(visits),
        "items": size.items,
        "log": {
            "cpu_seconds": round(cpu, 2),
            "seconds": round(wall, 2),
            "events_per_cpu_second": round(len(visits) / max(cpu, 1e-9)),
            "events_per_second": round(len(visits) / max(wall, 1e-9)),
        },
        "snapshot": _snapshot(learn, settings, folder / FILE),
    }


def _new_learn(settings: Settings) -> Learn:
    seen = DuplicateFilter(settings.events.duplicate_window_seconds, settings.events.duplicate_memory)
    return Learn(Recommender(settings.recommender), seen, Metrics(CollectorRegistry()))


def _snapshot(learn: Learn, settings: Settings, path: Path) -> dict[str, Any]:
    clock = _Clock()
    memory = MemoryCopy(learn, learn.recommender.index.room())
    for _ in memory.gather():
        pass
    size = write_snapshot(path, Snapshot({}, memory.arrays()))
    saved, clock, loaded = clock.read(), _Clock(), _new_learn(settings)
    snapshot = read_snapshot(path)
    # As the worker does: it is checked before the log is asked whether it is its own, and once more
    # when it is taken.
    check(snapshot.arrays)
    restore(loaded, snapshot.arrays)
    return {"bytes": size, "save": saved, "load": clock.read()}


def _log(visits: GeneratedVisits, size: int) -> Iterator[RawBatch]:
    """The interactions that workers would have written of these events, as they are read back."""
    offset = 0
    for start in range(0, len(visits), size):
        part = visits.part(start, min(start + size, len(visits)))
        values = [value for kind in Kind for value in _written(part, kind, start)]
        offsets = np.arange(offset, offset + len(values), dtype=np.int64)
        offset += len(values)
        yield RawBatch(
            "interactions", 0, offsets, np.full(len(values), float(part.ts[-1])), [None] * len(values), values
        )


def _written(visits: GeneratedVisits, kind: Kind, first: int) -> list[bytes | None]:
    rows = np.flatnonzero(visits.kinds == kind)
    columns = (rows + first, visits.users[rows], visits.items[rows], visits.sessions[rows], visits.ts[rows])
    events = [
        EventRecord(f"e{number:012d}", item_name(item), ts, user_name(user), session_name(session))
        for number, user, item, session, ts in zip(*(column.tolist() for column in columns), strict=True)
    ]
    source = f"{TOPIC_OF_KIND[kind]}-0@1"
    found = Interactions.of(source, kind, rows + first, visits.ts[rows], events)
    return list(encode_interactions(found, [str(event.session_id) for event in events]))
