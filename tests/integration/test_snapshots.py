"""A worker's snapshots on a real log: used where they belong, ignored elsewhere."""

import asyncio
import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from builders import without
from learning import PARTITIONS, catalogue, interactions, lists, new_learn
from snapshot_files import in_format
from snapshot_log import Log

from agents.metrics import total
from app.concerns import KafkaSettings, WorkerSettings
from app.errors import HeadraceError
from app.health import Health
from app.kafka.failure import kafka_retry_errors
from app.kafka.replicas import KafkaReplicas
from app.kafka.topics import create_topics
from app.retry import Retry
from app.settings import Settings
from app.worker.snapshot import OLDEST_FORMAT, Snapshot, read_snapshot, write_snapshot
from app.worker.snapshot_keeper import FILE, OLDEST_SECONDS, SnapshotKeeper
from models.contract.events import Kind
from models.items.facts import HALF_LIFE_SECONDS
from models.neighbours.index import NeighbourSettings

RECORDS = interactions(1_500)


@pytest.fixture
async def log(kafka: KafkaSettings, tmp_path: Path) -> Log:
    kafka = replace(kafka, partitions=PARTITIONS)
    settings = Settings(kafka=kafka, worker=WorkerSettings(state_dir=str(tmp_path / "state")))
    return Log(settings, await create_topics(kafka))


async def save_after(log: Log, records: list[tuple[int, bytes]]) -> None:
    await log.append(records, catalogue())
    async with log.reader() as reader:
        assert reader.read == len(records)
        await reader.keeper.save()


async def test_only_what_came_after_the_snapshot_is_read_and_the_lists_are_the_same(log: Log, tmp_path: Path) -> None:
    await save_after(log, RECORDS[:1_000])
    await log.append(RECORDS[1_000:])
    whole = await log.read_whole(tmp_path)
    async with log.reader() as reader:
        assert reader.read == 500
        assert lists(reader.learn.recommender) == lists(whole.recommender)
        assert reader.learn.applied == whole.applied
        assert len(reader.learn.seen) == len(whole.seen)


async def test_a_log_without_anything_new_is_not_read_at_all(log: Log, tmp_path: Path) -> None:
    await save_after(log, RECORDS)
    async with log.reader() as reader:
        assert reader.read == 0
        expected = lists((await log.read_whole(tmp_path)).recommender)
        assert lists(reader.learn.recommender) == expected


async def test_a_chain_of_restarts_loses_and_repeats_nothing(log: Log, tmp_path: Path) -> None:
    for first in range(0, 1_500, 300):
        await log.append(RECORDS[first : first + 300], catalogue(first // 25))
        async with log.reader() as reader:
            assert reader.read == 300
            await reader.keeper.save()
            restored = lists(reader.learn.recommender)
    assert restored == lists((await log.read_whole(tmp_path)).recommender)


async def test_reading_goes_on_after_a_resume(log: Log) -> None:
    await save_after(log, RECORDS[:500])
    async with log.reader() as reader:
        await log.append(RECORDS[500:700])
        await reader.catch_up()
        assert reader.read == 200


async def test_an_empty_log_leaves_no_snapshot(log: Log) -> None:
    async with log.reader() as reader:
        await reader.keeper.save()
    assert not (Path(log.settings.worker.state_dir) / FILE).exists()


async def test_a_snapshot_is_not_saved_twice(log: Log) -> None:
    await save_after(log, RECORDS[:100])
    path = Path(log.settings.worker.state_dir) / FILE
    before = path.stat().st_ino
    async with log.reader() as reader:
        await reader.keeper.save()
        assert path.stat().st_ino == before
        log.now += OLDEST_SECONDS / 4
        await reader.keeper.save()
        assert path.stat().st_ino != before


async def ignored(log: Log, caplog: pytest.LogCaptureFixture, settings: Settings | None = None) -> tuple[int, str]:
    """Return how many records a reader learns that must not use its snapshot, and its warning."""
    caplog.clear()
    with caplog.at_level(logging.WARNING, "app.worker.snapshot_keeper"):
        async with log.reader(settings) as reader:
            read = reader.read
    [warning] = [each.getMessage() for each in caplog.records if each.name == "app.worker.snapshot_keeper"]
    assert "is ignored" in warning
    return read, warning


@pytest.mark.parametrize(
    "facts",
    [
        {},
        {"shape": 1},
        {"saved_at": "noon"},
        {"marks": None},
        {"marks": [["items", 0]]},
        {"marks": [["items", 0, "end", "f00"]]},
        {"marks": [["items", 0, 0, "f00"]]},
    ],
    ids=str,
)
async def test_facts_that_headrace_does_not_write_are_refused(
    log: Log, caplog: pytest.LogCaptureFixture, facts: dict[str, Any]
) -> None:
    await save_after(log, RECORDS[:100])
    path = Path(log.settings.worker.state_dir) / FILE
    written = read_snapshot(path)
    write_snapshot(path, Snapshot({**written.facts, **facts} if facts else {}, written.arrays))
    read, warning = await ignored(log, caplog)
    assert read == 100
    assert "its facts are not those that Headrace writes" in warning


async def test_a_log_that_was_made_again_is_read_whole(log: Log, caplog: pytest.LogCaptureFixture) -> None:
    await save_after(log, RECORDS[:600])
    await log.recreate()
    await log.append(interactions(900, seed=2), catalogue(3))
    read, warning = await ignored(log, caplog)
    assert read == 900
    assert "not of this log" in warning


async def test_another_log_of_the_same_length_is_noticed(log: Log, caplog: pytest.LogCaptureFixture) -> None:
    await save_after(log, RECORDS[:600])
    await log.recreate()
    await log.append(interactions(600, seed=1), catalogue())  # the same bytes, at another time
    read, warning = await ignored(log, caplog)
    assert read == 600
    assert "another record" in warning


async def test_a_shorter_log_is_noticed(log: Log, caplog: pytest.LogCaptureFixture) -> None:
    await save_after(log, RECORDS[:600])
    await log.recreate()
    await log.append(RECORDS[:10], catalogue())
    read, warning = await ignored(log, caplog)
    assert read == 10
    assert "not of this log" in warning


async def test_a_log_that_is_empty_again_is_noticed(log: Log, caplog: pytest.LogCaptureFixture) -> None:
    await save_after(log, RECORDS[:600])
    await log.recreate()
    read, warning = await ignored(log, caplog)
    assert read == 0
    assert "ends at offset 0" in warning


async def test_a_damaged_snapshot_is_ignored_and_replaced(log: Log, caplog: pytest.LogCaptureFixture) -> None:
    await save_after(log, RECORDS[:600])
    path = Path(log.settings.worker.state_dir) / FILE
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    read, warning = await ignored(log, caplog)
    assert read == 600
    assert "damaged" in warning
    async with log.reader() as reader:
        await reader.keeper.save()
    async with log.reader() as reader:
        assert reader.read == 0


async def test_other_settings_are_named_and_the_log_is_read_whole(log: Log, caplog: pytest.LogCaptureFixture) -> None:
    await save_after(log, RECORDS[:600])
    read, warning = await ignored(log, caplog, replace(log.settings, neighbours=NeighbourSettings(postings=77)))
    assert read == 600
    assert "HEADRACE_NEIGHBOURS_POSTINGS was 500, is 77" in warning


def without_carts(written: Snapshot) -> Snapshot:
    """The snapshot as the former format has it: no counts of carts, no settings that came since."""
    place = "recommender.facts.counts"
    counts = written.arrays[place].reshape(-1, len(Kind), len(HALF_LIFE_SECONDS))
    assert not counts[:, Kind.CART].any()
    shape = without(written.facts["shape"], "HEADRACE_PROFILE_CART_WEIGHT", "HEADRACE_EVENTS_REPAIR")
    kept = np.delete(counts, Kind.CART, axis=1).flatten()
    return Snapshot({**written.facts, "shape": shape}, {**written.arrays, place: kept})


async def test_a_snapshot_of_the_former_format_is_taken(log: Log) -> None:
    await save_after(log, RECORDS[:600])
    path = Path(log.settings.worker.state_dir) / FILE
    write_snapshot(path, without_carts(read_snapshot(path)))
    path.write_bytes(in_format(path.read_bytes(), OLDEST_FORMAT))
    async with log.reader() as reader:
        assert reader.read == 0


async def test_a_snapshot_of_this_format_without_the_setting_of_carts_is_not_taken(
    log: Log, caplog: pytest.LogCaptureFixture
) -> None:
    await save_after(log, RECORDS[:600])
    path = Path(log.settings.worker.state_dir) / FILE
    write_snapshot(path, without_carts(read_snapshot(path)))
    read, warning = await ignored(log, caplog)
    assert read == 600
    assert "HEADRACE_PROFILE_CART_WEIGHT was None" in warning


@pytest.mark.parametrize("seconds", [OLDEST_SECONDS + 1, -10.0])
async def test_a_snapshot_too_old_or_of_the_future_is_ignored(
    log: Log, caplog: pytest.LogCaptureFixture, seconds: float
) -> None:
    await save_after(log, RECORDS[:600])
    log.now += seconds
    read, warning = await ignored(log, caplog)
    assert read == 600
    assert "hours old" in warning


async def test_a_snapshot_of_other_topics_is_ignored(log: Log, caplog: pytest.LogCaptureFixture) -> None:
    await save_after(log, RECORDS[:600])
    other = replace(log.settings, kafka=replace(log.settings.kafka, topic_prefix=f"{log.settings.kafka.group}-b-"))
    read, warning = await ignored(Log(other, await create_topics(other.kafka), log.now), caplog)
    assert read == 0
    assert "is not read" in warning


async def test_two_workers_may_not_share_a_folder(log: Log) -> None:
    async with log.reader():
        with pytest.raises(HeadraceError, match=r"another worker .*HEADRACE_WORKER_STATE_DIR of its own"):
            async with log.reader():
                pytest.fail("the folder was taken twice")


async def test_a_folder_that_cannot_be_made_gets_advice(log: Log, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    impossible = replace(log.settings, worker=WorkerSettings(state_dir=str(tmp_path / "file" / "state")))
    with pytest.raises(HeadraceError, match=r"HEADRACE_WORKER_STATE_DIR=.* cannot be used: Not a directory"):
        async with log.reader(impossible):
            pytest.fail("that is no folder")


async def test_a_failed_save_is_told_counted_and_survived(log: Log, caplog: pytest.LogCaptureFixture) -> None:
    await log.append(RECORDS[:50])
    async with log.reader() as reader:
        blocking = Path(log.settings.worker.state_dir) / f"{FILE}.tmp"
        blocking.mkdir()
        await reader.keeper.save()
        assert total(reader.learn.metrics.snapshot_failures) == 1
        assert "no snapshot saved" in caplog.text
        blocking.rmdir()
        await reader.keeper.save()
        assert total(reader.learn.metrics.snapshot_failures) == 1
    async with log.reader() as reader:
        assert reader.read == 0


async def test_what_is_learned_while_a_snapshot_is_saved_is_not_lost(log: Log, tmp_path: Path) -> None:
    await log.append(RECORDS[:100], catalogue())
    async with log.reader() as reader:
        for first in range(100, 1_500, 200):
            saving = asyncio.create_task(reader.keeper.save())
            await log.append(RECORDS[first : first + 200])
            await saving
    whole = await log.read_whole(tmp_path)
    async with log.reader() as reader:
        assert lists(reader.learn.recommender) == lists(whole.recommender)
        assert reader.learn.applied == whole.applied


async def test_no_folder_means_no_keeper(kafka: KafkaSettings) -> None:
    learn = new_learn()
    retry = Retry("Kafka", kafka_retry_errors(), Health(), learn.metrics.retries)
    replicas = KafkaReplicas(kafka, {}, {}, retry)
    assert SnapshotKeeper.of(Settings(kafka=kafka), learn, replicas, lambda: 0.0) is None
    await replicas.stop()
