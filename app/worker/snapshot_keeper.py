"""Saves what a worker has learned, regularly and when it stops, and loads it at the next start."""

import asyncio
import fcntl
import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from time import perf_counter
from typing import IO, Any, Self

from agents.learn import Learn
from agents.memory import MemoryCopy, check, restore
from app.errors import HeadraceError
from app.kafka.log_mark import Marks, as_rows, from_rows
from app.kafka.replicas import KafkaReplicas
from app.settings import PREFIX, Settings
from app.worker.snapshot import Snapshot, UnusableSnapshot, read_snapshot, write_snapshot

FILE = "worker.snapshot"
# By default, Kafka forgets a deletion in a compacted topic after one day (delete.retention.ms). A
# worker that reads on from an older position may never see the deletion.
OLDEST_SECONDS = 12 * 3600.0
LAST_READ_SECONDS = 5.0
# The concerns whose settings decide what is in a snapshot. All others may change between two
# starts.
SHAPING = ("events", "profile", "neighbours", "trending")
SHAPING_ALSO = ("HEADRACE_RANKER_MODE",)
# Settings of what a format brought: snapshots of former ones hold nothing that they could change.
NEW_IN = {9: ("HEADRACE_PROFILE_CART_WEIGHT", "HEADRACE_EVENTS_REPAIR")}

logger = logging.getLogger(__name__)

Shape = dict[str, Any]


@dataclass(slots=True)
class SnapshotKeeper:
    """Keeps the snapshots of one worker. The worker has the folder for itself while it runs."""

    folder: Path
    pause_seconds: float
    shape: Shape
    learn: Learn
    replicas: KafkaReplicas
    clock: Callable[[], float]
    _lock: IO[bytes] | None = None
    _saved: Marks = field(default_factory=dict)
    _saved_at: float = 0.0
    _saving: asyncio.Lock = field(default_factory=asyncio.Lock)

    @classmethod
    def of(cls, settings: Settings, learn: Learn, replicas: KafkaReplicas, clock: Callable[[], float]) -> Self | None:
        """Return the keeper that the settings ask for; None if they name no folder."""
        worker = settings.worker
        if not worker.state_dir:
            return None
        folder = Path(worker.state_dir)
        return cls(folder, worker.snapshot_seconds, shape_of(settings), learn, replicas, clock)

    async def restore(self) -> None:
        """Lock the folder, and load its snapshot if it belongs to this log. If not, log why.

        Raises HeadraceError when the folder cannot be used, or when another worker uses it.
        """
        self._take_folder()
        path, started = self.folder / FILE, perf_counter()
        try:
            snapshot, marks, saved_at = await asyncio.to_thread(self._read, path)
            if difference := await self.replicas.resume(marks):
                raise UnusableSnapshot(f"it is not of this log: {difference}")
        except FileNotFoundError:
            logger.info("no snapshot in %s: learning from the whole log", self.folder)
            return
        except UnusableSnapshot as error:
            logger.warning("the snapshot %s is ignored, the whole log is read instead: %s", path, error)
            return
        await asyncio.to_thread(restore, self.learn, snapshot.arrays)
        self._saved, self._saved_at = marks, saved_at
        logger.info(
            "restored %d sessions and %d items from %s in %.1f s; only what came after it is read from the log",
            len(self.learn.recommender.index),
            len(self.learn.recommender.items),
            path,
            perf_counter() - started,
        )

    async def run(self) -> None:
        """Save regularly until cancelled. A failure is logged and counted, and saving goes on."""
        while True:
            await asyncio.sleep(self.pause_seconds)
            await self.save()

    async def save(self) -> None:
        """Save what is known now, unless that is already saved. Learning goes on meanwhile."""
        async with self._saving:
            now, metrics = self.clock(), self.learn.metrics
            marks = self.replicas.marks()
            if not marks or (marks == self._saved and now - self._saved_at < OLDEST_SECONDS / 4):
                return
            started = perf_counter()
            try:
                size = await self._save(now)
            except OSError as error:
                metrics.snapshot_failures.inc()
                logger.warning("no snapshot saved in %s: %s", self.folder, error)
                return
            metrics.snapshot_ts.set(now)
            metrics.snapshot_bytes.set(size)
            metrics.snapshot_seconds.set(perf_counter() - started)
            logger.debug("saved a snapshot of %d bytes in %.2f s", size, perf_counter() - started)

    async def save_last(self) -> None:
        """Save at a clean stop.

        Before that, read back for at most 5 s what this worker just emitted.
        """
        self.replicas.partitions_assigned()
        with suppress(TimeoutError):
            async with asyncio.timeout(LAST_READ_SECONDS):
                await self.replicas.caught_up()
        await self.save()

    def close(self) -> None:
        """Release the folder."""
        if self._lock is not None:
            self._lock.close()

    async def _save(self, now: float) -> int:
        room = await asyncio.to_thread(self.learn.recommender.index.room)
        # Positions and memory must match, so there must be no await between reading them.
        marks, memory = self.replicas.marks(), MemoryCopy(self.learn, room)
        for _ in memory.gather():
            await asyncio.sleep(0)
        facts = {"saved_at": now, "shape": self.shape, "marks": as_rows(marks)}
        path = self.folder / FILE
        size = await asyncio.to_thread(lambda: write_snapshot(path, Snapshot(facts, memory.arrays())))
        self._saved, self._saved_at = marks, now
        return size

    def _read(self, path: Path) -> tuple[Snapshot, Marks, float]:
        snapshot = read_snapshot(path)
        try:
            changed = _changed(_of_former(self.shape, snapshot.format) | snapshot.facts["shape"], self.shape)
            saved_at = float(snapshot.facts["saved_at"])
            marks = from_rows(snapshot.facts["marks"])
        except (KeyError, TypeError, ValueError) as error:
            raise UnusableSnapshot(f"its facts are not those that Headrace writes: {error!r}") from error
        if changed:
            raise UnusableSnapshot(f"other settings are in force: {changed}")
        age = self.clock() - saved_at
        if not 0 <= age < OLDEST_SECONDS:
            raise UnusableSnapshot(f"it is {age / 3600:.1f} hours old; at most {OLDEST_SECONDS / 3600:g} are taken")
        try:
            check(snapshot.arrays)
        except ValueError as error:
            raise UnusableSnapshot(str(error)) from error
        return snapshot, marks, saved_at

    def _take_folder(self) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._lock = (self.folder / "lock").open("wb")
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise HeadraceError(
                f"another worker keeps its snapshots in {self.folder}; "
                "give each worker a HEADRACE_WORKER_STATE_DIR of its own"
            ) from None
        except OSError as error:
            raise HeadraceError(
                f"HEADRACE_WORKER_STATE_DIR={str(self.folder)!r} cannot be used: {error.strerror}; "
                "name a folder that can be written to, or leave it empty to keep no snapshots"
            ) from error


def shape_of(settings: Settings) -> Shape:
    """Return the settings that decide what is in a snapshot, by the names of their variables."""
    return {
        variable: value
        for concern in fields(settings)
        for name, value in asdict(getattr(settings, concern.name)).items()
        if (variable := f"{PREFIX}_{concern.name}_{name}".upper()) in SHAPING_ALSO or concern.name in SHAPING
    }


def _of_former(shape: Shape, version: int) -> Shape:
    """The settings that this format did not know yet."""
    return {name: shape[name] for since, names in NEW_IN.items() if version < since for name in names}


def _changed(before: Shape, now: Shape) -> str:
    names = [name for name in sorted(before.keys() | now.keys()) if before.get(name) != now.get(name)]
    return ", ".join(f"{name} was {before.get(name)}, is {now.get(name)}" for name in names)
