"""The agent of views, clicks and orders on fakes: Redis first, then Kafka, and each event counts
once.
"""

import pytest
from builders import DAY, NOW, batch, event
from event_bench import Bench
from fakes import Away

from agents.metrics import total
from agents.users import load_users
from models.contract.events import Item
from models.contract.outcome import Reason
from models.users.table import MISSING

LOG = [
    batch(event("a", user_id="u1"), event("b", user_id="u2", item_id="i2", ts=NOW + 1), b"{", event("a")),
    batch(event("c", user_id="u1", item_id="i3", ts=NOW + 2), topic="clicks"),
    batch(event("d", user_id="u2", item_id="i1", ts=NOW + 3), None, first=4),
    batch(event("e", user_id="u1", item_id="i2", ts=NOW + 4, price=3.5), topic="orders"),
]


@pytest.fixture
def bench() -> Bench:
    return Bench()


async def test_a_batch_is_stored_before_anything_is_emitted(bench: Bench) -> None:
    await bench.handle(LOG[0])
    assert bench.diary.entries == ["caught up", "store", "interactions", "recommendations", "quarantine"]


async def test_the_stored_list_is_the_emitted_list(bench: Bench) -> None:
    await bench.handle(*LOG)
    newest = dict(record for records in bench.outbox.recommendations_log.values() for record in records)
    assert newest == bench.users.lists
    assert set(newest) == {"u1", "u2"}


async def test_what_a_batch_brings_is_in_the_lists_of_the_same_batch(bench: Bench) -> None:
    await bench.handle(batch(event("a", item_id="i1"), event("b", user_id="u2", item_id="i2")))
    assert bench.listed("u1") == ["i2"]
    assert bench.listed("u2") == ["i1"]


async def test_everything_goes_to_the_partition_that_it_came_from(bench: Bench) -> None:
    await bench.handle(batch(event("a"), b"{", partition=3))
    assert list(bench.outbox.interactions_log) == list(bench.outbox.recommendations_log) == [3]
    assert [each.partition for each in bench.outbox.quarantined] == [3]
    assert bench.outbox.interactions_log[3][0][0] == "u1"


@pytest.mark.parametrize("topic", ["views", "clicks", "carts", "orders"])
async def test_the_topic_tells_the_kind(bench: Bench, topic: str) -> None:
    await bench.handle(batch(event("a"), topic=topic))
    [emitted] = bench.emitted()
    assert emitted["kind"] == topic.removesuffix("s")
    assert emitted["source"] == f"{topic}-0"


async def test_while_the_store_is_away_nothing_is_emitted(bench: Bench) -> None:
    bench.users.away = True
    with pytest.raises(Away):
        await bench.handle(LOG[0])
    assert bench.diary.entries == ["caught up"]
    assert (bench.outbox.interactions_log, bench.outbox.quarantined) == ({}, [])


async def test_a_profile_that_could_not_be_stored_is_loaded_again(bench: Bench) -> None:
    await bench.handle(LOG[0])
    before = bench.users.profiles
    bench.users.away = True
    with pytest.raises(Away):
        await bench.handle(LOG[1])
    table = bench.process.maker.table
    assert table.find(["u1"]).tolist() == [MISSING]
    [slot] = await load_users(table, bench.users, ["u1"])
    assert table.profile(slot) == before["u1"]


async def test_a_batch_that_failed_is_not_counted(bench: Bench) -> None:
    bench.users.away = True
    with pytest.raises(Away):
        await bench.handle(LOG[0])
    assert total(bench.metrics.events) == total(bench.metrics.recommendations) == 0


async def test_a_batch_tried_again_in_the_same_process_gives_what_the_first_try_would_have(bench: Bench) -> None:
    bench.users.away = True
    with pytest.raises(Away):
        await bench.handle(LOG[0])
    bench.users.away = False
    await bench.handle(*LOG)
    undisturbed = Bench()
    await undisturbed.handle(*LOG)
    assert bench.users.lists == undisturbed.users.lists
    assert bench.users.profiles == undisturbed.users.profiles
    assert bench.emitted() == undisturbed.emitted()


@pytest.mark.parametrize("crashed_at", range(len(LOG)))
async def test_a_crash_between_store_and_emission_is_made_good_by_the_replay(crashed_at: int) -> None:
    bench, undisturbed = Bench(), Bench()
    await undisturbed.handle(*LOG)
    await bench.handle(*LOG[:crashed_at])
    bench.outbox.away = True
    with pytest.raises(Away):
        await bench.handle(LOG[crashed_at])
    bench.outbox.away = False
    bench.restart()
    await bench.handle(*LOG[crashed_at:])
    assert bench.users.profiles == undisturbed.users.profiles
    assert bench.users.lists == undisturbed.users.lists
    assert bench.emitted() == undisturbed.emitted()
    assert bench.outbox.quarantined == undisturbed.outbox.quarantined


async def test_events_on_unknown_items_are_accepted_and_counted_once_there_is_a_catalogue(bench: Bench) -> None:
    await bench.handle(batch(event("a", item_id="no-such-item")))
    assert total(bench.metrics.unknown_items) == 0
    bench.recommender.catalogue.upsert(Item("i1", "title"))
    bench.recommender.catalogue_changed()
    await bench.handle(
        batch(event("b", item_id="no-such-item"), event("c"), event("b", item_id="no-such-item"), first=1),
        batch(event("d", user_id="u2", item_id="nor-this"), event("e", user_id="u2"), topic="clicks"),
    )
    assert total(bench.metrics.unknown_items) == 2
    assert total(bench.metrics.events, outcome="accepted") == 5
    assert total(bench.metrics.rejected) == 0
    assert "no-such-item" not in bench.listed("u1") + bench.listed("u2")
    assert [each["item_id"] for each in bench.emitted()].count("no-such-item") == 2


async def test_a_crash_after_everything_but_the_commit_changes_no_profile_and_teaches_nothing(bench: Bench) -> None:
    await bench.handle(*LOG)
    profiles, lists = dict(bench.users.profiles), dict(bench.users.lists)
    bench.restart()
    popular = bench.recommender.trending_lists()
    await bench.handle(*LOG)
    assert bench.users.profiles == profiles
    assert bench.recommender.trending_lists() == popular
    # A list written again may follow from more than the first one did: from all that came after it.
    assert bench.users.lists["u1"] == lists["u1"]
    # What was emitted twice carries the same source offset, and every reader learns it once.
    assert len(bench.emitted()) == 10
    bench.restart()
    assert total(bench.metrics.learned, outcome="learned") == 5


async def test_reading_the_log_a_third_time_changes_not_even_a_list(bench: Bench) -> None:
    await bench.handle(*LOG)
    bench.restart()
    await bench.handle(*LOG)
    lists = dict(bench.users.lists)
    bench.restart()
    await bench.handle(*LOG)
    assert bench.users.lists == lists


async def test_a_duplicate_across_topics_counts_once(bench: Bench) -> None:
    await bench.handle(batch(event("a")), batch(event("a"), topic="clicks"))
    assert bench.users.profiles["u1"].counts == (1.0, 0.0, 0.0, 0.0)
    assert len(bench.emitted()) == 1


async def test_a_duplicate_is_known_after_a_restart(bench: Bench) -> None:
    await bench.handle(batch(event("a")))
    bench.restart()
    await bench.handle(batch(event("a"), first=1))
    assert len(bench.emitted()) == 1
    assert total(bench.metrics.events, outcome="duplicate") == 1


async def test_every_event_is_accepted_a_duplicate_or_quarantined(bench: Bench) -> None:
    await bench.handle(*LOG)
    outcomes = {name: total(bench.metrics.events, outcome=name) for name in ("accepted", "duplicate", "quarantined")}
    assert outcomes == {"accepted": 5, "duplicate": 1, "quarantined": 2}
    assert sum(outcomes.values()) == sum(len(raw) for raw in LOG)
    assert len(bench.emitted()) == outcomes["accepted"]
    assert [each.reason for each in bench.outbox.quarantined] == [Reason.MALFORMED_JSON, Reason.NULL_VALUE]


async def test_counters_tell_kind_and_reason(bench: Bench) -> None:
    await bench.handle(*LOG)
    metrics = bench.metrics
    kinds = {kind: total(metrics.events, kind=kind, outcome="accepted") for kind in ("view", "click", "order")}
    assert kinds == {"view": 3, "click": 1, "order": 1}
    assert total(metrics.rejected) == total(metrics.events, outcome="quarantined")
    assert total(metrics.rejected, kind="view", reason="malformed_json") == 1
    assert total(metrics.recommendations) == len([x for log in bench.outbox.recommendations_log.values() for x in log])
    assert total(metrics.learned, outcome="learned") == 5


async def test_unknown_fields_are_counted(bench: Bench) -> None:
    await bench.handle(batch(event("a", color="red"), event("b", color="red", size=1)))
    assert total(bench.metrics.unknown_fields) == 3


async def test_freshness_counts_every_accepted_event_from_its_append(bench: Bench) -> None:
    raw = batch(event("a"), b"{", event("b"), event("a"))
    raw.times[:] = NOW - 2.5
    await bench.handle(raw)
    assert bench.metrics.freshness.counts.sum() == 2
    p50 = bench.metrics.freshness.quantile(0.5)
    assert p50 is not None
    assert 2.0 < p50 <= 3.0


async def test_a_batch_of_rubbish_is_quarantined_and_touches_no_user(bench: Bench) -> None:
    await bench.handle(batch(b"{", None, b"[]"))
    assert (bench.users.profiles, bench.users.lists) == ({}, {})
    assert [each.value for each in bench.outbox.quarantined] == [b"{", None, b"[]"]


async def test_a_topic_made_again_is_another_log_and_its_events_count(bench: Bench) -> None:
    await bench.handle(batch(event(event_id="1", item_id="a"), event(event_id="2", item_id="b")))
    bench.logs.name = "made again"

    await bench.handle(batch(event(event_id="3", item_id="c")))

    profile = bench.users.profiles["u1"]
    assert {seen.item_id for seen in profile.recent} == {"a", "b", "c"}
    assert profile.applied == {"views-0@made again": 0}
    assert [interaction["event_id"] for interaction in bench.emitted()] == ["1", "2", "3"]


async def test_a_batch_that_is_read_again_after_the_store_lost_everything_is_no_repeat(bench: Bench) -> None:
    bench.logs.name = "1760000000000"
    await bench.handle(LOG[0], LOG[2])
    bench.logs.name = ""  # the store has it no more
    bench.users.fields.clear()
    bench.restart()

    await bench.handle(LOG[2])

    assert total(bench.metrics.events, outcome="duplicate") == 0
    assert bench.users.profiles["u2"].applied == {"views-0@1760000000000": 4}


async def test_fields_in_another_form_are_counted_by_name(bench: Bench) -> None:
    await bench.handle(batch(event(1, item_id=2), event("b", item_id=3, price="4.50"), event("c", item_id=3, price=-1)))
    found = {name: total(bench.metrics.coerced, field=name) for name in ("event_id", "item_id", "price")}
    assert found == {"event_id": 1, "item_id": 2, "price": 1}


async def test_an_event_whose_record_has_no_time_is_judged_by_the_clock(bench: Bench) -> None:
    undated = batch(event("a", ts=NOW), event("b", ts=NOW + 365 * DAY))
    undated.times[:] = NOW / 1000
    await bench.handle(undated)
    assert [each["event_id"] for each in bench.emitted()] == ["a"]
    assert [each.reason for each in bench.outbox.quarantined] == [Reason.FROM_THE_FUTURE]
    assert (bench.metrics.freshness.quantile(0.5) or 0) < 1


async def test_stored_lists_are_scored_by_what_their_users_do_next(bench: Bench) -> None:
    await bench.handle(batch(event("a", item_id="i1"), event("b", user_id="u2", item_id="i2")))
    await bench.handle(batch(event("c", item_id="i2", ts=NOW + 1), first=2))
    await bench.handle(batch(event("d", item_id="i2", ts=NOW + 2), topic="orders"))
    quality = bench.process.metrics.quality
    await bench.handle(batch(event("e", item_id="i2", ts=NOW + 3), topic="carts"))
    assert [total(quality.scored, kind=kind) for kind in ("view", "click", "cart", "order")] == [1, 0, 1, 1]
    assert [total(quality.hits, kind=kind) for kind in ("view", "click", "cart", "order")] == [1, 0, 1, 1]
    assert total(quality.reciprocals) == 3


async def test_lists_that_another_worker_may_have_replaced_are_not_scored(bench: Bench) -> None:
    await bench.handle(LOG[0])
    bench.process.shown.forget()  # as after each assignment of partitions
    await bench.handle(LOG[1])
    assert total(bench.process.metrics.quality.scored) == 0
