"""One size of `headrace bench scale`, in a process of its own: the pure core when it holds so many
users and items.
"""

import zlib
from dataclasses import dataclass, replace
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np
from numpy.typing import NDArray
from xxhash import xxh3_64_intdigest

from app.bench.core import STEPS, Core, batches, learn_catalogue
from app.bench.generated import (
    GeneratedVisits,
    LogSize,
    catalogue,
    generate,
    item_name,
    records,
    session_name,
    user_name,
)
from app.bench.stored_bytes import measure_stored
from app.datasets.record import Dataset
from app.settings import Settings
from models.contract.events import LOG_MARK, TOPIC_OF_KIND, Kind
from models.core.warm_up import warm_up
from models.processor import ListMaker, hash_session
from models.recommender import LearningBatch, Recommender
from models.users.arrays import Steps
from models.users.gather import NO_SESSION
from models.users.stored import encode_profiles
from models.users.table import MISSING
from models.users.writes import UserWrites

FILLED_AT_ONCE = 100_000
SAMPLED_USERS = 2_000
FORMER_LOG = "0"  # of the sources before they were made again: what is measured takes its place in a profile
STATM = Path("/proc/self/statm")
PAGE_BYTES = 4096


@dataclass(frozen=True, slots=True)
class ScalePart:
    """What one process measures: `size.sessions` are learned before, then come so many events."""

    size: LogSize
    events: int
    seed: int


def run_part(part: ScalePart, settings: Settings, folder: Path) -> dict[str, Any]:
    """Fill a core, then let more events through it. Raises HeadraceError.

    The first list is measured apart: it waits for what is made once of all items.
    """
    warm_up(settings.recommender, settings.events)
    visits = generate(replace(part.size, sessions=part.size.sessions + part.events), part.seed)
    first = _filled(visits, part)
    measured = list(records(visits.part(first, first + part.events), first))
    before = _resident_bytes()
    core = Core.of(settings, part.size.users)
    learn_catalogue(
        Dataset("generated", lambda: iter(()), lambda: catalogue(part.size.items)), core.recommender, settings
    )
    for start in range(0, first, FILLED_AT_ONCE):
        _fill(core, visits.part(start, min(start + FILLED_AT_ONCE, first)), start, settings.kafka.partitions)
    started = process_time()
    _sample(core.maker, 1, part.seed)
    first_list = process_time() - started
    for batch in batches(measured, settings.kafka.partitions, settings.kafka.fetch_max_records):
        core.handle(batch)
    grown = _resident_bytes() - before
    stored = measure_stored(_sample(core.maker, SAMPLED_USERS, part.seed), settings.redis, folder)
    memory = {"resident_bytes": max(grown, 0), "stored": stored}
    return _figures(part, core, first) | memory | {"first_list_cpu_seconds": round(first_list, 3)}


def _filled(visits: GeneratedVisits, part: ScalePart) -> int:
    """How many events come before those that are measured: what the first `sessions` sessions did,
    in time order.
    """
    begun = np.searchsorted(np.maximum.accumulate(visits.sessions), part.size.sessions)
    return min(int(begun), len(visits) - part.events)


def _fill(core: Core, visits: GeneratedVisits, first: int, partitions: int) -> None:
    """Learn events and move profiles on as the core does, but from columns, and without lists."""
    users = [user_name(user) for user in visits.users.tolist()]
    place = np.fromiter((zlib.crc32(user.encode()) % partitions for user in users), np.int32, len(users))
    items = core.recommender.items.numbers(item_name(item) for item in visits.items.tolist())
    sessions = np.fromiter((hash_session(session_name(s)) for s in visits.sessions.tolist()), np.uint64, len(users))
    core.recommender.learn(LearningBatch(items, sessions, visits.ts, visits.kinds.astype(np.int32)))
    slots = _slots(core, users)
    for kind in Kind:
        for partition in range(partitions):
            rows = np.flatnonzero((visits.kinds == kind) & (place == partition))
            if len(rows):
                source = f"{TOPIC_OF_KIND[kind]}-{partition}{LOG_MARK}{FORMER_LOG}"
                number, places = core.maker.table.number_source(source)
                offsets, named = rows + first, np.ones(len(rows), np.bool_)
                keys = np.array([xxh3_64_intdigest(b"%d" % event) for event in offsets.tolist()], np.uint64)
                core.seen.remember(source, offsets, visits.ts[rows], visits.ts[rows], keys)
                opened = np.zeros(len(rows))
                columns = (slots[rows], items[rows], visits.ts[rows], offsets, named, opened, places)
                core.maker.table.step(Steps(*columns, number, int(kind)))


def _slots(core: Core, users: list[str]) -> NDArray[np.int32]:
    place_of: dict[str, int] = {}
    user_of = np.fromiter((place_of.setdefault(user, len(place_of)) for user in users), np.int32, len(users))
    slots = core.maker.table.find(list(place_of))
    missing = [user for user, slot in zip(place_of, slots.tolist(), strict=True) if slot == MISSING]
    slots[slots == MISSING] = core.maker.table.add(dict.fromkeys(missing))
    return slots[user_of]


def _sample(maker: ListMaker, users: int, seed: int) -> UserWrites:
    """Profiles and lists of users drawn by chance, as they are written."""
    table = maker.table
    count = min(users, len(table))
    names = [user_name(user) for user in np.random.default_rng(seed).choice(len(table), count, replace=False).tolist()]
    slots = table.find(names)
    asked = maker.request(slots, np.full(count, NO_SESSION, np.uint64))
    lists = maker.recommender.recommend(asked, maker.recommender.tastes(asked))
    profiles = encode_profiles(table, slots, asked, maker.names)
    encoded = maker.encode(names, asked, lists, float(asked.newest_ts.max()))
    return UserWrites(names, profiles, encoded, table.supersede(slots))


def _figures(part: ScalePart, core: Core, filled: int) -> dict[str, Any]:
    steps = [step for step in STEPS if step != "predict"]
    return {
        "users": part.size.users,
        "items": part.size.items,
        "sessions": len(core.recommender.index),
        "events_before": filled,
        "events": core.events,
        "lists": core.lists,
        "microseconds_per_event": round(1e6 * sum(core.seconds[step] for step in steps) / core.events, 2),
        "steps": {step: round(1e6 * core.seconds[step] / core.events, 2) for step in STEPS},
        "array_bytes": _array_bytes(core.maker),
    }


def _array_bytes(maker: ListMaker) -> dict[str, int]:
    recommender: Recommender = maker.recommender
    return {
        "users": maker.table.memory_bytes,
        "neighbours": recommender.index.memory_bytes,
        "item_facts": recommender.catalogue.facts.memory_bytes,
    }


def _resident_bytes() -> int:
    """Memory of this process that is in RAM; 0 where the system does not tell."""
    return int(STATM.read_text().split()[1]) * PAGE_BYTES if STATM.exists() else 0
