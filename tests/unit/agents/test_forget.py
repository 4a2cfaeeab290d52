"""Users are forgotten in the log first, then in memory, then in Redis; what comes later is new."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field, replace

import pytest
from builders import NOW, batch, event
from event_bench import Bench
from fakes import Away, MemoryOutbox, MemoryReplicas

from agents.forget import Forget
from agents.metrics import total
from models.contract.events import RawBatch
from models.contract.forgetting import ForgetRequest, forgotten_headers
from models.processor import hash_session
from models.users.table import MISSING


@dataclass
class MemoryPartitionLog:
    """The `PartitionLog` port on what a fake outbox got, in the order of its coming."""

    outbox: MemoryOutbox
    records: list[tuple[str, bytes | None, list[tuple[str, bytes]]]] = field(default_factory=list)
    rewritten: list[Mapping[str, int]] = field(default_factory=list)
    can_rewrite: bool = True

    def sync(self) -> None:
        interactions, forgotten = self.outbox.interactions_log, self.outbox.forgotten_log
        self.records += [(user, value, []) for user, value in interactions.pop(0, [])]
        self.records += [(user, None, forgotten_headers(sessions)) for user, sessions in forgotten.pop(0, [])]

    async def read(self, partition: int) -> AsyncGenerator[RawBatch, None]:
        assert partition == 0
        self.sync()
        found = batch(*(value for _, value, _ in self.records), topic="interactions")
        keys: list[bytes | None] = [key.encode() for key, _, _ in self.records]
        yield replace(found, keys=keys, headers=[headers for _, _, headers in self.records])

    async def rewrite(self, partition: int, forgotten: Mapping[str, int]) -> bool:
        self.rewritten.append(forgotten)
        return self.can_rewrite


@dataclass
class MemoryReceipts:
    """The `Receipts` port in memory."""

    written: dict[tuple[str, int], Mapping[str, int]] = field(default_factory=dict)

    async def write(self, request_id: str, partition: int, counts: Mapping[str, int]) -> None:
        self.written.setdefault((request_id, partition), counts)


class ForgettingBench(Bench):
    """A worker's agents of events and of requests."""

    def __init__(self) -> None:
        super().__init__()
        self.receipts = MemoryReceipts()
        self.interactions = MemoryPartitionLog(self.outbox)

    @property
    def agent(self) -> Forget:
        process = self.process
        return Forget(
            maker=process.maker,
            learn=process.learn,
            shown=process.shown,
            replicas=MemoryReplicas(self.diary),
            users=self.users,
            log=self.interactions,
            outbox=self.outbox,
            receipts=self.receipts,
            metrics=self.metrics,
            write_lock=process.write_lock,
            emit_lock=process.emit_lock,
        )

    async def forget(self, *requests: ForgetRequest) -> None:
        found = batch(*(each.value() for each in requests), topic="forget")
        await self.agent.handle(replace(found, keys=[each.user_id.encode() for each in requests]))
        self.interactions.sync()


@pytest.fixture
async def bench() -> ForgettingBench:
    """Two users with a session each, who saw the same item."""
    bench = ForgettingBench()
    await bench.handle(
        batch(
            event("a", session_id="s1", item_id="i1"),
            event("b", session_id="s1", item_id="i2", ts=NOW + 1),
            event("c", user_id="u2", item_id="i1", ts=NOW + 2),
        )
    )
    bench.diary.entries.clear()
    return bench


async def test_the_log_comes_before_the_store_and_the_receipt_last(bench: ForgettingBench) -> None:
    await bench.forget(ForgetRequest("u1", "r1"))
    assert bench.diary.entries == ["caught up", "forgotten", "forget", "recommendations"]
    assert bench.receipts.written == {
        ("r1", 0): {"profiles": 1, "lists": 1, "interactions": 2, "sessions": 1, "rewritten": 0}
    }
    assert total(bench.metrics.forgotten_users) == 1


async def test_nothing_of_a_forgotten_user_is_left_in_memory_and_store_and_others_stay(bench: ForgettingBench) -> None:
    assert bench.listed("u2") == ["i2"]
    await bench.forget(ForgetRequest("u1"))
    assert bench.users.fields.keys() == bench.users.lists.keys() == {"u2"}
    assert bench.process.maker.table.find(["u1"]).tolist() == [MISSING]
    assert not bench.process.shown.has_user("u1")
    assert bench.outbox.recommendations_log[0][-1] == ("u1", None)
    assert bench.interactions.records[-1][:2] == ("u1", None)
    await bench.handle(batch(event("d", user_id="u3", item_id="i1", ts=NOW + 3), first=3))
    found = bench.learn.recommender.index.sessions_by_item()
    assert found[bench.recommender.items.find("i2")] == 0  # only u1 had seen it
    assert found[bench.recommender.items.find("i1")] == 2


async def test_a_forgotten_user_who_comes_again_begins_again_from_nothing(bench: ForgettingBench) -> None:
    await bench.forget(ForgetRequest("u1", "r1"))
    await bench.handle(batch(event("d", item_id="i3", session_id="s9", ts=NOW + 5), first=3))
    assert [seen.item_id for seen in bench.users.profiles["u1"].recent] == ["i3"]
    await bench.forget(ForgetRequest("u1", "r2"))
    counts = bench.receipts.written["r2", 0]
    assert (counts["interactions"], counts["sessions"], counts["profiles"]) == (1, 1, 1)
    assert [each[0] for each in bench.interactions.records if each[1] is None] == ["u1", "u1"]


async def test_a_user_is_forgotten_after_what_is_stored_is_in_the_log(bench: ForgettingBench) -> None:
    emission = await bench.process.store([batch(event("d", item_id="i3", ts=NOW + 5), first=3)])
    forgetting = asyncio.create_task(bench.forget(ForgetRequest("u1", "r1")))
    await asyncio.sleep(0)
    await bench.process.emit(emission)
    bench.interactions.sync()
    await forgetting
    assert bench.receipts.written["r1", 0]["interactions"] == 3
    assert bench.users.fields.keys() == {"u2"}
    assert bench.interactions.records[-1][:2] == ("u1", None)


async def test_a_repeated_request_finds_nothing_and_says_nothing_to_others(bench: ForgettingBench) -> None:
    await bench.forget(ForgetRequest("u1", "r1"), ForgetRequest("u1", "r2"))
    bench.diary.entries.clear()
    await bench.forget(ForgetRequest("u1", "r3"), ForgetRequest("nobody", "r4"))
    assert bench.diary.entries == ["caught up", "forget", "recommendations"]
    assert not any(bench.receipts.written["r3", 0].values())
    assert not any(bench.receipts.written["r4", 0].values())


async def test_a_crash_before_the_store_is_made_good_by_the_repetition(bench: ForgettingBench) -> None:
    bench.users.away = True
    with pytest.raises(Away):
        await bench.forget(ForgetRequest("u1", "r1"))
    assert bench.users.fields.keys() == {"u1", "u2"}
    bench.users.away = False
    bench.restart()
    await bench.forget(ForgetRequest("u1", "r1"))
    assert bench.users.fields.keys() == {"u2"}
    assert [each[0] for each in bench.interactions.records if each[1] is None] == ["u1"]


async def test_the_log_is_rewritten_only_when_that_is_asked_for(bench: ForgettingBench) -> None:
    await bench.forget(ForgetRequest("u1", "r1"))
    assert bench.interactions.rewritten == []
    await bench.forget(ForgetRequest("u2", "r2", rewrite=True))
    assert bench.interactions.rewritten == [{"u1": 3, "u2": 4}]
    assert bench.receipts.written["r2", 0]["rewritten"] == 1
    bench.interactions.can_rewrite = False
    await bench.forget(ForgetRequest("u2", "r3", rewrite=True))
    assert bench.receipts.written["r3", 0]["rewritten"] == 0


async def test_records_that_name_nobody_do_nothing(bench: ForgettingBench) -> None:
    found = batch(b"{}", topic="forget")
    found.keys[:] = [None]
    await bench.agent.handle(found)
    assert bench.diary.entries == []


async def test_sessions_without_an_id_are_forgotten_too(bench: ForgettingBench) -> None:
    await bench.forget(ForgetRequest("u2", "r1"))
    [said] = [headers for _, value, headers in bench.interactions.records if value is None]
    assert said == forgotten_headers([hash_session(f"u2@{NOW + 2:.3f}")])
