"""Restore a store that lost the catalogue from the log, and leave any other store alone."""

import asyncio
from dataclasses import dataclass, field

import pytest
from builders import Fields, batch, item
from fakes import MemoryItems, MemoryOutbox
from memory_marks import MemoryCatalogueLog, MemoryMarks
from prometheus_client import CollectorRegistry

from agents.catalogue import KeepCatalogue
from agents.keep_title import KeepTitle
from agents.metrics import Metrics
from agents.restore import ReadSpan, Restore, StoredMark
from models.contract.event_codec import EventSettings
from models.contract.events import Item
from models.contract.item_codec import decode_items


def log_of(*batches: list[Fields | bytes | None]) -> MemoryCatalogueLog:
    """Return partition 0 of `items`; each argument is a batch of records."""
    log, first = MemoryCatalogueLog(), 0
    for values in batches:
        log.items_log.setdefault(0, []).append(batch(*values, topic="items", first=first))
        first += len(values)
    return log


@dataclass
class Bench:
    """One worker's `Restore` with a log, a store with marks, and the worker's place in its
    partitions.
    """

    log: MemoryCatalogueLog
    spans: dict[int, ReadSpan]
    store: MemoryItems = field(default_factory=MemoryItems)
    marks: MemoryMarks = field(default_factory=MemoryMarks)
    lost: list[tuple[int, int]] = field(default_factory=list)
    restored: list[tuple[int, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.restore = self.worker()

    def worker(self) -> Restore:
        async def lost(partition: int, offset: int) -> None:
            self.lost.append((partition, offset))

        def restored(partition: int, count: int, _: list[str]) -> None:
            self.restored.append((partition, count))

        return Restore(
            EventSettings(), self.marks, self.log, self.store, lambda: self.spans, lambda: "me", lost, restored
        )

    def empty(self) -> None:
        self.store.items.clear()
        self.marks.marks.clear()

    def titles(self) -> dict[str, str]:
        return {name: each.title for name, each in self.store.items.items() if isinstance(each, Item)}


@pytest.fixture
def bench() -> Bench:
    """Return a worker that read two items before it was started again; its store has both."""
    found = Bench(log_of([item("a", title="Mug")], [item("b", title="Jug")]), {0: ReadSpan(2, 2)})
    found.marks.marks[0] = "2"
    return found


async def test_a_store_that_has_everything_is_left_alone(bench: Bench) -> None:
    await bench.restore.check()
    assert (bench.store.items, bench.log.read_from, bench.marks.marks) == ({}, [], {0: "2"})


async def test_an_empty_store_gets_all_items_back(bench: Bench) -> None:
    bench.empty()
    await bench.restore.check()
    assert bench.titles() == {"a": "Mug", "b": "Jug"}
    assert (bench.marks.marks, bench.lost, bench.restored) == ({0: "2"}, [(0, 0)], [(0, 2)])


async def test_a_store_that_is_emptied_while_the_worker_runs_gets_all_items_back(bench: Bench) -> None:
    await bench.restore.check()
    bench.empty()
    await bench.restore.check()
    assert bench.titles() == {"a": "Mug", "b": "Jug"}
    await bench.restore.check()
    assert bench.restored == [(0, 2)]


async def test_a_store_that_went_back_gets_what_it_lacks(bench: Bench) -> None:
    await bench.restore.check()
    bench.marks.marks[0] = "1"
    await bench.restore.check()
    assert (bench.titles(), bench.log.read_from, bench.marks.marks) == ({"b": "Jug"}, [(0, 1), (0, 2)], {0: "2"})


async def test_the_mark_follows_the_worker() -> None:
    bench = Bench(log_of([item("a")]), {0: ReadSpan(0, 0)})
    await bench.restore.check()
    bench.spans[0] = ReadSpan(0, 1)
    await bench.restore.check()
    assert (bench.marks.marks, bench.log.read_from) == ({0: "1"}, [])


async def test_a_worker_that_takes_over_right_after_a_batch_finds_its_mark(bench: Bench) -> None:
    await bench.restore.check()
    await bench.restore.mark_stored(0, 3)
    bench.spans[0], heir = ReadSpan(3, 3), bench.worker()
    await heir.check()
    assert (bench.marks.marks, bench.lost) == ({0: "3"}, [])


async def test_a_batch_sets_no_mark_in_a_store_that_lost_it(bench: Bench) -> None:
    await bench.restore.check()
    bench.empty()
    await bench.restore.mark_stored(0, 3)
    assert bench.marks.marks == {}


async def test_a_group_that_reads_from_the_beginning_has_nothing_to_restore() -> None:
    bench = Bench(log_of([item("a")]), {0: ReadSpan(0, 0)})
    await bench.restore.mark_start(0)
    bench.spans[0] = ReadSpan(0, 1)
    await bench.restore.check()
    assert (bench.marks.marks, bench.lost) == ({0: "1"}, [])


async def test_the_first_mark_takes_no_other_s_place(bench: Bench) -> None:
    bench.spans[0] = ReadSpan(0, 0)
    await bench.restore.mark_start(0)
    assert bench.marks.marks == {0: "2"}


async def test_items_read_before_the_first_mark_are_written_once_more_as_they_may_be_lost() -> None:
    bench = Bench(log_of([item("a")]), {0: ReadSpan(0, 1)})
    await bench.restore.check()
    assert (bench.marks.marks, bench.lost) == ({0: "1"}, [(0, 0)])


async def test_a_worker_that_takes_over_believes_the_mark_and_not_what_it_knew_before(bench: Bench) -> None:
    await bench.restore.check()
    bench.marks.marks[0], bench.spans[0] = "1", ReadSpan(1, 1)
    bench.restore.forget()
    await bench.restore.check()
    assert (bench.lost, bench.marks.marks) == ([], {0: "1"})


async def test_a_restoration_that_a_dead_worker_began_is_done_again(bench: Bench) -> None:
    bench.marks.marks[0] = "1 another"
    await bench.restore.check()
    assert (bench.titles(), bench.marks.marks) == ({"b": "Jug"}, {0: "2"})


async def test_a_store_that_is_emptied_during_the_restoration_is_restored_once_more(bench: Bench) -> None:
    bench.empty()
    bench.log.between = lambda: bench.empty() if len(bench.store.items) == 1 else None
    await bench.restore.check()
    assert bench.marks.marks == {}
    bench.log.between = lambda: None
    await bench.restore.check()
    assert bench.titles() == {"a": "Mug", "b": "Jug"}
    assert bench.marks.marks == {0: "2"}


async def test_items_that_change_while_they_are_restored_stay_as_they_were_written_last(bench: Bench) -> None:
    bench.empty()
    metrics, batches = Metrics(CollectorRegistry()), bench.log.items_log[0]
    keep = KeepCatalogue(EventSettings(), bench.store, MemoryOutbox(), metrics, marks=bench.restore)
    titles, kept = iter(["Old mug", "Newer mug", "Newest mug"]), []

    def change() -> None:
        """Change the item while each batch is read; the agent of `items` stores it at once."""
        if title := next(titles, ""):
            batches.append(batch(item("a", title=title), topic="items", first=len(batches)))
            kept.append(asyncio.create_task(keep.handle(batches[-1])))

    bench.log.between = change
    await bench.restore.check()
    await asyncio.gather(*kept)
    assert len(kept) == 3
    assert bench.titles() == {"a": "Newest mug", "b": "Jug"}
    assert bench.restored == [(0, 4)]


async def test_a_partition_that_was_lost_while_it_was_restored_is_left_to_its_next_owner(bench: Bench) -> None:
    bench.empty()
    bench.log.between = bench.spans.clear
    await bench.restore.check()
    assert (bench.marks.marks, bench.restored) == ({0: "0 me"}, [])


async def test_deletions_and_what_cannot_be_read_are_restored_as_they_were() -> None:
    bench = Bench(log_of([item("a"), item("k2"), None, b"{"]), {0: ReadSpan(4, 4)})
    await bench.restore.check()
    assert bench.titles() == {"a": "Title of a"}
    assert set(bench.store.items) == {"a", "k2"}
    assert bench.marks.marks == {0: "4"}


async def test_the_mark_covers_offsets_that_compaction_took_away(bench: Bench) -> None:
    bench.empty()
    bench.spans[0] = ReadSpan(9, 9)
    await bench.restore.check()
    await bench.restore.check()
    assert (bench.marks.marks, bench.restored) == ({0: "9"}, [(0, 2)])


async def test_partitions_of_other_workers_are_left_to_them(bench: Bench) -> None:
    bench.empty()
    bench.spans = {}
    await bench.restore.check()
    assert (bench.marks.marks, bench.lost) == ({}, [])


@pytest.mark.parametrize(
    ("text", "mark"),
    [
        ("", StoredMark(0, False)),
        ("17", StoredMark(17, True)),
        ("17 claim", StoredMark(17, False)),
        ("0", StoredMark(0, True)),
        ("seventeen", StoredMark(0, False)),
        ("-1", StoredMark(0, False)),
    ],
)
def test_marks_are_read_as_they_are_written(text: str, mark: StoredMark) -> None:
    assert StoredMark.parse(text) == mark


async def test_a_good_title_comes_back_though_a_worse_one_was_stored_first() -> None:
    log = log_of([item("a", title="BLUE LAMP")], [item("a", title="damages")])
    bench = Bench(log, {0: ReadSpan(0, 2)})
    await bench.restore.check()
    bench.empty()
    [_, last] = log.items_log[0]
    await KeepTitle(bench.store).write(last, decode_items(last, EventSettings()))
    assert bench.titles() == {"a": "damages"}
    await bench.restore.check()
    assert bench.titles() == {"a": "BLUE LAMP"}
