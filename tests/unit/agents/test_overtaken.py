"""A worker whose users were written by another one meanwhile, or lost by the store, goes on from
what is stored.
"""

import orjson
import pytest
from builders import NOW, batch, event
from event_bench import Bench

from agents.metrics import total
from models.contract.events import RawBatch
from models.users.revision import REVISION

VIEWS = [batch(event(f"v{n}", item_id=f"i{n}", ts=NOW + n), first=n) for n in range(6)]
CLICKS = [batch(event(f"c{n}", item_id=f"k{n}", ts=NOW + n + 0.5), first=n, topic="clicks") for n in range(6)]


async def undisturbed(*raws: RawBatch) -> Bench:
    bench = Bench()
    await bench.handle(*raws)
    return bench


@pytest.fixture
def bench() -> Bench:
    return Bench()


async def test_a_worker_that_was_overtaken_does_not_take_back_what_the_other_one_wrote(bench: Bench) -> None:
    await bench.handle(VIEWS[0])
    await bench.beside().handle(VIEWS[1], VIEWS[2], CLICKS[0])

    await bench.handle(VIEWS[1])

    expected = await undisturbed(*VIEWS[:3], CLICKS[0])
    assert bench.users.profiles == expected.users.profiles
    assert total(bench.metrics.refused_writes, what="profile") == 1


async def test_what_only_the_overtaken_worker_has_is_added_to_what_the_other_one_wrote(bench: Bench) -> None:
    await bench.handle(VIEWS[0])
    await bench.beside().handle(CLICKS[0], CLICKS[1])

    await bench.handle(VIEWS[1])

    assert bench.users.profiles == (await undisturbed(VIEWS[0], *CLICKS[:2], VIEWS[1])).users.profiles
    assert bench.counts() == [2, 2, 0, 0]


async def test_the_list_follows_from_the_profile_that_is_stored_in_the_end(bench: Bench) -> None:
    await bench.handle(VIEWS[0])
    await bench.beside().handle(CLICKS[0], CLICKS[5])

    await bench.handle(VIEWS[1])

    newest = max(seen.ts for seen in bench.users.profiles["u1"].recent)
    assert orjson.loads(bench.users.lists["u1"])["event_ts"] == newest == NOW + 5.5
    assert bench.outbox.recommendations_log[0][-1] == ("u1", bench.users.lists["u1"])


async def test_users_who_were_not_overtaken_are_written_once(bench: Bench) -> None:
    both = batch(event("a", ts=NOW + 9), event("b", user_id="u2", ts=NOW + 9), event("c", ts=NOW + 9), first=9)
    await bench.handle(VIEWS[0])
    await bench.beside().handle(CLICKS[0])

    await bench.handle(both)

    assert bench.users.profiles == (await undisturbed(VIEWS[0], CLICKS[0], both)).users.profiles
    assert {user: bench.users.revision(user)[:4] for user in ("u1", "u2")} == {
        "u1": b"\0\0\0\3",
        "u2": b"\0\0\0\1",
    }
    emitted = [each["event_id"] for each in bench.emitted()]
    assert emitted == ["v0", "c0", "a", "b", "c"]
    assert total(bench.metrics.events, outcome="accepted") == 4


async def test_of_batches_that_are_handled_together_only_the_overtaken_user_is_done_again(bench: Bench) -> None:
    views = batch(event("a", ts=NOW + 9), event("b", user_id="u2", ts=NOW + 9), first=9)
    orders = batch(event("c", user_id="u2", ts=NOW + 10), event("d", ts=NOW + 10), topic="orders")
    await bench.handle(VIEWS[0])
    await bench.beside().handle(CLICKS[0])

    await bench.handle_together(views, orders)

    assert bench.users.profiles == (await undisturbed(VIEWS[0], CLICKS[0], views, orders)).users.profiles
    assert bench.users.revision("u2")[:4] == b"\0\0\0\1"
    assert [each["event_id"] for each in bench.emitted()] == ["v0", "c0", "a", "b", "c", "d"]
    assert dict(bench.outbox.recommendations_log[0]) == bench.users.lists


async def test_interactions_name_the_session_that_the_other_worker_opened(bench: Bench) -> None:
    await bench.handle(batch(event("v0", ts=NOW - 7200)))
    await bench.beside().handle(batch(event("x", ts=NOW), topic="clicks"))

    await bench.handle(batch(event("y", ts=NOW + 60), first=1))

    sessions = {each["event_id"]: each["session_id"] for each in bench.emitted()}
    assert sessions["y"] == sessions["x"] != sessions["v0"]


async def test_a_worker_goes_on_after_it_was_overtaken(bench: Bench) -> None:
    other = bench.beside()
    for n in range(6):
        await bench.handle(VIEWS[n])
        await other.handle(CLICKS[n])
    assert bench.counts() == [6, 6, 0, 0]


async def test_a_store_that_lost_everything_gets_back_what_the_worker_holds(bench: Bench) -> None:
    await bench.handle(*VIEWS[:3])
    bench.users.fields.clear()
    bench.users.lists.clear()

    await bench.handle(VIEWS[3])

    assert bench.users.profiles == (await undisturbed(*VIEWS[:4])).users.profiles


async def test_a_store_that_lost_its_last_writes_gets_them_back(bench: Bench) -> None:
    await bench.handle(VIEWS[0])
    earlier = dict(bench.users.fields)
    await bench.handle(VIEWS[1], VIEWS[2])
    bench.users.fields = earlier

    await bench.handle(VIEWS[3], VIEWS[4])

    assert bench.users.profiles == (await undisturbed(*VIEWS[:5])).users.profiles


async def test_what_another_worker_began_in_a_store_that_lost_everything_stays(bench: Bench) -> None:
    await bench.handle(*VIEWS[:3])
    bench.users.fields.clear()
    await bench.beside().handle(CLICKS[0])

    await bench.handle(VIEWS[3])

    assert bench.counts() == [1, 1, 0, 0]


async def test_a_profile_of_a_version_without_revisions_is_taken_over(bench: Bench) -> None:
    await bench.handle(VIEWS[0])
    bench.users.fields = {
        user: {name: value for name, value in fields.items() if name != REVISION}
        for user, fields in bench.users.fields.items()
    }
    bench.restart()
    await bench.handle(VIEWS[1])
    assert bench.users.profiles == (await undisturbed(*VIEWS[:2])).users.profiles
    assert total(bench.metrics.refused_writes) == 0
