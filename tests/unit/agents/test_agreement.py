"""A worker whose settings differ from those of an earlier one does not work; a dead one is no
obstacle.
"""

import asyncio
import logging

import pytest
from memory_members import SILENT, MemoryMembers

from agents.agreement import Agreement, Disagreement
from models.contract.agreement import Terms, Value


class Stopped(Exception):
    """Ends a worker of a test."""


class Group:
    """Workers that announce themselves when the test says so."""

    def __init__(self) -> None:
        self.members = MemoryMembers()

    def worker(
        self, name: str, *, tolerant: bool = False, version: str = "1", profile: int = 1, **settings: Value
    ) -> Agreement:
        terms = Terms(version, settings, {"profile": (0, profile)})
        return Agreement(name, terms, self.members, strict=("GROUP",), tolerant=tolerant, away=(OSError,), sleep=stop)


async def stop(_: float) -> None:
    raise Stopped


async def beat(worker: Agreement) -> bool:
    """One announcement. Returns whether the worker may work."""
    with pytest.raises(Stopped):
        await worker.run()
    return worker._agreed.is_set()


@pytest.fixture
def group() -> Group:
    return Group()


async def test_a_worker_alone_works(group: Group) -> None:
    assert await beat(group.worker("a", SIZE=20))


async def test_workers_with_the_same_settings_work(group: Group) -> None:
    assert await beat(group.worker("a", SIZE=20))
    assert await beat(group.worker("b", SIZE=20))


async def test_a_newcomer_with_another_setting_ends_and_names_it(group: Group) -> None:
    old, new = group.worker("a", SIZE=20), group.worker("b", SIZE=10)
    await beat(old)
    assert not await beat(new)
    assert await beat(old)
    with pytest.raises(Disagreement, match="SIZE is 10 here and 20 there") as refused:
        await new.run()
    assert "the worker a" in str(refused.value)
    assert "stop the others first" in str(refused.value)


async def test_a_newcomer_that_ends_leaves_no_trace(group: Group) -> None:
    old, new = group.worker("a", SIZE=20), group.worker("b", SIZE=10)
    for worker in (old, new, old):
        await beat(worker)
    with pytest.raises(Disagreement):
        await new.run()
    assert await beat(group.worker("c", SIZE=20))


async def test_the_earlier_worker_goes_on(group: Group) -> None:
    old, new = group.worker("a", SIZE=20), group.worker("b", SIZE=10)
    for worker in (old, new, old, old, old):
        await beat(worker)


async def test_a_dead_worker_is_waited_for_but_not_for_ever(group: Group) -> None:
    await beat(group.worker("dead", SIZE=20))
    new = group.worker("b", SIZE=10)
    assert not await beat(new)
    group.members.now += SILENT
    assert await beat(new)


async def test_after_a_clean_stop_the_next_worker_works_at_once(group: Group) -> None:
    old = group.worker("a", SIZE=20)
    await beat(old)
    await old.leave()
    assert await beat(group.worker("b", SIZE=10))


async def test_a_worker_that_was_silent_for_long_is_the_newcomer(group: Group) -> None:
    paused, new = group.worker("paused", SIZE=20), group.worker("b", SIZE=10)
    await beat(paused)
    group.members.now += SILENT + 1
    assert await beat(new)
    await beat(paused)
    assert await beat(new)
    with pytest.raises(Disagreement):
        await paused.run()


async def test_with_a_warning_a_newcomer_works(group: Group, caplog: pytest.LogCaptureFixture) -> None:
    old, new = group.worker("a", SIZE=20), group.worker("b", tolerant=True, SIZE=10)
    await beat(old)
    with caplog.at_level(logging.WARNING):
        assert await beat(new)
        await beat(old)
        assert await beat(new)
    assert [record.getMessage().count("SIZE is 10 here and 20 there") for record in caplog.records] == [1]


async def test_some_settings_are_refused_also_where_others_lead_to_a_warning(group: Group) -> None:
    old, new = group.worker("a", GROUP="x"), group.worker("b", tolerant=True, GROUP="y")
    for worker in (old, new, old):
        await beat(worker)
    with pytest.raises(Disagreement, match="GROUP is 'y' here"):
        await new.run()


async def test_a_version_whose_profiles_the_earlier_one_cannot_read_is_refused(group: Group) -> None:
    old, new = group.worker("a"), group.worker("b", tolerant=True, version="2", profile=2)
    for worker in (old, new, old):
        await beat(worker)
    with pytest.raises(Disagreement, match=r"cannot read what the other stores: profile\. Stop all workers"):
        await new.run()


async def test_another_version_that_stores_the_same_joins(group: Group) -> None:
    await beat(group.worker("a", version="1", SIZE=20))
    assert await beat(group.worker("b", version="2", SIZE=20, NEW=1))


async def test_while_the_store_is_away_nothing_is_decided(group: Group) -> None:
    worker = group.worker("a", SIZE=20)
    group.members.away = True
    assert not await beat(worker)
    await worker.leave()
    group.members.away = False
    assert await beat(worker)


async def test_whoever_asks_waits_until_it_is_agreed(group: Group) -> None:
    worker = group.worker("a")
    asked = asyncio.create_task(worker.agreed())
    await asyncio.sleep(0)
    assert not asked.done()
    await beat(worker)
    await asked
