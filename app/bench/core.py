"""`headrace bench core`: processor time of the pure core by step, without Kafka and Redis."""

import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from time import process_time
from typing import Self, TypeVar

import numpy as np
from prometheus_client import CollectorRegistry

from agents.catalogue import FollowCatalogue
from agents.learn import Learn
from agents.metrics import Metrics
from app.bench.log import bench_log, count_events
from app.datasets.record import Dataset, Record
from app.settings import Settings
from models.contract.event_codec import EventSettings
from models.contract.events import KIND_OF_TOPIC, RawBatch
from models.core.warm_up import warm_up
from models.duplicates import DuplicateFilter
from models.plausibility.judge import Plausibility
from models.processor import Admitted, Followed, ListMaker, admit, decide, follow
from models.recommender import Recommender
from models.users.table import MISSING

STEPS = ("admit", "find", "follow", "learn", "decide", "predict")
LOG = "1"
CATALOGUE_BATCH = 10_000

T = TypeVar("T")


@dataclass(slots=True)
class Core:
    """The pure parts of one worker, and the seconds spent in each step; `timed` may be replaced to
    count otherwise.
    """

    recommender: Recommender
    maker: ListMaker
    seen: DuplicateFilter
    plausibility: Plausibility
    learn: Learn
    settings: EventSettings
    seconds: dict[str, float] = field(default_factory=lambda: dict.fromkeys(STEPS, 0.0))
    events: int = 0
    lists: int = 0
    profile_bytes: int = 0
    list_bytes: int = 0

    @classmethod
    def of(cls, settings: Settings, users: int) -> Self:
        """Return an empty core for n users."""
        recommender = Recommender(settings.recommender)
        seen = DuplicateFilter(settings.events.duplicate_window_seconds, settings.events.duplicate_memory)
        learn = Learn(recommender, seen, Metrics(CollectorRegistry()))
        plausibility = Plausibility(settings.plausibility, recommender.items, recommender.catalogue)
        return cls(recommender, ListMaker.of(recommender, users), seen, plausibility, learn, settings.events)

    def handle(self, batch: RawBatch) -> None:
        """What a worker does with a batch, but for loading and storing."""
        admitted = self.timed("admit", lambda: self._admit(batch))
        slots = self.timed("find", lambda: self._find(admitted))
        followed = self.timed("follow", lambda: follow(admitted, self.maker.table, slots))
        self.timed("learn", lambda: self.learn.learn_own([followed]))
        effects = self.timed("decide", lambda: decide([followed], self.maker, float(batch.times[-1])))
        # The same questions once more: so much of the time before was prediction.
        self.timed("predict", lambda: self._predict(followed))
        self.events += len(batch)
        self.lists += len(effects.writes.lists)
        self.profile_bytes += sum(len(value or b"") for each in effects.writes.profiles for value in each.values())
        self.list_bytes += sum(map(len, effects.writes.lists))

    def _admit(self, batch: RawBatch) -> Admitted:
        kind = KIND_OF_TOPIC[batch.topic]
        return admit(batch, kind, self.seen, self.settings, plausibility=self.plausibility)

    def _find(self, admitted: Admitted) -> np.ndarray[tuple[int], np.dtype[np.int32]]:
        slots = self.maker.table.find(admitted.users)
        missing = [user for user, slot in zip(admitted.users, slots.tolist(), strict=True) if slot == MISSING]
        slots[slots == MISSING] = self.maker.table.add(dict.fromkeys(missing))
        return slots

    def _predict(self, followed: Followed) -> None:
        request = self.maker.request(followed.slots, followed.own)
        self.recommender.neighbours(request, self.recommender.settings.ranking.size)

    def timed(self, step: str, call: Callable[[], T]) -> T:
        """Return the call's result, and add its processor time to the step."""
        started = process_time()
        done = call()
        self.seconds[step] += process_time() - started
        return done


def run_core(dataset: Dataset, events: int | None, settings: Settings) -> dict[str, object]:
    """Run a log through the core as one worker would; gives the result as JSON has it. Raises
    HeadraceError.
    """
    count_events(dataset.events, events)
    warm_up(settings.recommender, settings.events)
    records = list(bench_log(dataset.events, events))
    core = Core.of(settings, len(records))
    learn_catalogue(dataset, core.recommender, settings)
    for batch in batches(records, settings.kafka.partitions, settings.kafka.fetch_max_records):
        core.handle(batch)
    return _summary(dataset.name, core)


def batches(records: Iterable[Record], partitions: int, size: int) -> Iterator[RawBatch]:
    """Each partition's records in batches of this size, in the order in which they fill up; the
    rest at the end.
    """
    waiting: dict[tuple[str, int], list[Record]] = {}
    ends: dict[tuple[str, int], int] = {}
    for record in records:
        place = (record.topic, zlib.crc32(record.key or b"") % partitions)
        rows = waiting.setdefault(place, [])
        rows.append(record)
        if len(rows) == size:
            yield _batch(place, waiting.pop(place), ends)
    for place, rows in waiting.items():
        yield _batch(place, rows, ends)


def _batch(place: tuple[str, int], rows: list[Record], ends: dict[tuple[str, int], int]) -> RawBatch:
    first = ends.get(place, 0)
    ends[place] = first + len(rows)
    times = np.array([record.ts or 0.0 for record in rows])
    offsets = np.arange(first, first + len(rows), dtype=np.int64)
    return RawBatch(*place, offsets, times, [record.key for record in rows], [record.value for record in rows], LOG)


def learn_catalogue(dataset: Dataset, recommender: Recommender, settings: Settings) -> None:
    """Let the recommender know the log's catalogue, as a worker's follower does."""
    follower = FollowCatalogue(settings.events, recommender, lambda _: None)
    rows = (record for record in dataset.items() if record.topic == "items")
    ends: dict[tuple[str, int], int] = {}
    while batch := list(islice(rows, CATALOGUE_BATCH)):
        follower.handle(_batch(("items", 0), batch, ends))


def _summary(name: str, core: Core) -> dict[str, object]:
    beside = core.seconds["decide"] - core.seconds["predict"]
    steps = [step for step in STEPS if step != "predict"]
    return {
        "log": name,
        "events": core.events,
        "lists": core.lists,
        "microseconds_per_event": {step: round(1e6 * core.seconds[step] / core.events, 2) for step in STEPS},
        "microseconds_per_event_in_all": round(1e6 * sum(core.seconds[step] for step in steps) / core.events, 2),
        "microseconds_per_list_beside_prediction": round(1e6 * beside / max(core.lists, 1), 1),
        "microseconds_per_list_of_prediction": round(1e6 * core.seconds["predict"] / max(core.lists, 1), 1),
        "profile_bytes": round(core.profile_bytes / max(core.lists, 1)),
        "list_bytes": round(core.list_bytes / max(core.lists, 1)),
        "memory_bytes_per_user": round(core.maker.table.memory_bytes / max(len(core.maker.table), 1)),
    }
