"""`headrace quarantine replay`: original bytes, each record once, on a real broker."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

import orjson
import pytest
from aiokafka import ConsumerRecord  # type: ignore[import-untyped]  # ships no types
from quarantining import file_row, free_order, hasty_view, quarantine

from app.concerns import KafkaSettings
from app.kafka.quarantine_writer import QuarantineWriter, quarantine_writer
from app.kafka.topics import topics
from app.quarantine.reading import Choice, read_quarantine
from app.quarantine.replay import ReplayPlan, ReplayReport, replay_quarantine
from models.contract.event_codec import EventSettings
from models.contract.outcome import Reason, Rejected
from models.contract.quarantined import CLAIMED, ReplayMark
from models.contract.record_edits import Drop, Edit, Put

ReadTopic = Callable[[str], Awaitable[list[ConsumerRecord]]]
VIEWS = {("from_the_future", "views"): 3}


@pytest.fixture
async def filled(kafka: KafkaSettings) -> KafkaSettings:
    """Three views that are past by now, one of them twice, an order at no price, and a row."""
    await quarantine(kafka, [hasty_view(kafka, 1), free_order(kafka, 4), hasty_view(kafka, 2, user="bob"), file_row()])
    await quarantine(kafka, [hasty_view(kafka, 1), hasty_view(kafka, 3)])
    return kafka


async def replay(
    kafka: KafkaSettings, claim: str, choice: Choice | None = None, edits: Sequence[Edit] = (), **plan: bool
) -> ReplayReport:
    planned = ReplayPlan(choice or Choice(), claim, time.time(), edits=edits, **plan)
    return await replay_quarantine(kafka, EventSettings(), planned, lambda share: None)


async def test_what_would_be_accepted_now_is_sent_with_its_bytes_to_its_partition(
    filled: KafkaSettings, read_topic: ReadTopic
) -> None:
    report = await replay(filled, "c1")
    assert report.sent == VIEWS
    assert (report.refused, report.elsewhere) == ({"zero_price": 1}, 1)
    arrived = await read_topic(topics(filled).views)
    originals = [hasty_view(filled, 1), hasty_view(filled, 2, user="bob"), hasty_view(filled, 3)]
    assert sorted((each.partition, each.key, each.value) for each in arrived) == sorted(
        (each.partition, each.key, each.value) for each in originals
    )
    assert await read_topic(topics(filled).orders) == []


async def test_a_second_replay_sends_nothing_again(filled: KafkaSettings, read_topic: ReadTopic) -> None:
    await replay(filled, "c1")
    again = await replay(filled, "c2")
    assert (again.sent, again.replayed_before) == ({}, 3)
    assert len(await read_topic(topics(filled).views)) == 3
    assert (await read_quarantine(filled, Choice(), 0)).states() == {"replayed": 3, "waiting": 2}


async def test_a_dry_run_tells_and_sends_nothing(filled: KafkaSettings, read_topic: ReadTopic) -> None:
    assert (await replay(filled, "c1", dry_run=True)).sent == VIEWS
    assert await read_topic(topics(filled).views) == []
    assert (await read_quarantine(filled, Choice(), 0)).states() == {"waiting": 5}


async def test_replays_at_the_same_time_share_the_records_out(filled: KafkaSettings, read_topic: ReadTopic) -> None:
    reports = await asyncio.gather(*(replay(filled, f"c{number}") for number in range(4)))
    assert len(await read_topic(topics(filled).views)) == 3
    assert sum(each.sent.total() for each in reports) == 3


async def test_a_fix_sends_the_mended_record_once_and_leaves_the_others(
    filled: KafkaSettings, read_topic: ReadTopic
) -> None:
    edits, orders = [Drop("price"), Drop("nothing")], Choice(topics=frozenset({"orders"}))
    before = (await read_quarantine(filled, orders, 1)).newest
    dry = await replay(filled, "c1", edits=edits, dry_run=True)
    assert (dry.sent, dry.unchanged) == ({("zero_price", "orders"): 1}, 3)
    assert await read_topic(topics(filled).orders) == []
    assert (await replay(filled, "c2", edits=edits)).sent == dry.sent
    again = await replay(filled, "c3", edits=[Put("price", 2.5)], choice=orders)
    assert (again.sent, again.replayed_before) == ({}, 1)
    [arrived] = await read_topic(topics(filled).orders)
    original = free_order(filled, 4)
    assert (arrived.partition, arrived.key) == (original.partition, original.key)
    fields = orjson.loads(original.value or b"")
    assert orjson.loads(arrived.value) == {name: value for name, value in fields.items() if name != "price"}
    assert (await read_quarantine(filled, orders, 1)).newest == before


async def test_what_a_killed_replay_claimed_is_in_doubt_and_taken_over_on_request(
    filled: KafkaSettings, read_topic: ReadTopic, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def killed(self: QuarantineWriter, records: object) -> None:
        raise ConnectionError("killed")

    with monkeypatch.context() as patch:
        patch.setattr(QuarantineWriter, "send", killed)
        with pytest.raises(ConnectionError):
            await replay(filled, "killed")
    doubt = await replay(filled, "careful")
    assert (doubt.sent, doubt.in_doubt) == ({}, 3)
    assert (await replay(filled, "bold", take_over=True)).sent == VIEWS
    assert len(await read_topic(topics(filled).views)) == 3


async def test_what_a_killed_replay_had_sent_is_found_and_not_sent_again(
    filled: KafkaSettings, read_topic: ReadTopic, monkeypatch: pytest.MonkeyPatch
) -> None:
    mark = QuarantineWriter.mark

    async def only_claims(self: QuarantineWriter, partition: int, of: ReplayMark) -> None:
        if of.state != CLAIMED:
            raise ConnectionError("killed")
        await mark(self, partition, of)

    with monkeypatch.context() as patch:
        patch.setattr(QuarantineWriter, "mark", only_claims)
        with pytest.raises(ConnectionError):
            await replay(filled, "killed")
    sent = len(await read_topic(topics(filled).views))
    assert sent > 0
    report = await replay(filled, "bold", take_over=True)
    assert (report.found_sent, report.sent.total()) == (sent, 3 - sent)
    assert len(await read_topic(topics(filled).views)) == 3


async def test_records_of_items_are_sent_only_if_their_topic_is_named(
    kafka: KafkaSettings, read_topic: ReadTopic
) -> None:
    place = (topics(kafka).items, 0, 3)
    item = b'{"item_id":"lamp","title":"Lamp","updated_at":1760000000}'
    await quarantine(kafka, [Rejected(Reason.FROM_THE_FUTURE, "updated_at is late", *place, b"lamp", item)])
    assert (await replay(kafka, "c1")).on_request == 1
    assert (await replay(kafka, "c2", Choice(topics=frozenset({"items"})))).sent.total() == 1
    assert [each.value for each in await read_topic(topics(kafka).items)] == [item]


@pytest.mark.parametrize("take_over", [False, True])
async def test_records_of_a_partition_that_does_not_exist_are_left_out_and_the_others_sent(
    filled: KafkaSettings, read_topic: ReadTopic, *, take_over: bool
) -> None:
    await quarantine(filled, [replace(hasty_view(filled, 9), partition=77)])
    if take_over:  # a replay that ended early had claimed all
        ids = tuple((await read_quarantine(filled, Choice(), 0)).entries)
        async with quarantine_writer(filled) as writer:
            await writer.mark(0, ReplayMark(CLAIMED, "c0", ids))
    assert (await replay(filled, "c1", take_over=take_over, dry_run=True)).nowhere == 1
    report = await replay(filled, "c2", take_over=take_over)
    assert (report.sent, report.nowhere) == (VIEWS, 1)
    assert len(await read_topic(topics(filled).views)) == 3
    assert (await replay(filled, "c3", take_over=take_over)).nowhere == 1


async def test_a_mark_of_another_replay_is_no_record(filled: KafkaSettings) -> None:
    async with quarantine_writer(filled) as writer:
        await writer.mark(0, ReplayMark(CLAIMED, "c0", ("0" * 16,)))
    assert (await read_quarantine(filled, Choice(), 0)).read == 6
