"""An audit finds profiles that are not what the log gives, and takes no other for one."""

from dataclasses import replace

import pytest
from asking import stored
from auditing import DAY, AuditedShop
from builders import NOW

from agents.audit import ProfileFault, Report
from models.users.share import ALL_USERS
from models.users.stored import StoredFields


def problems(report: Report) -> dict[str, tuple[str, tuple[str, ...]]]:
    return {each.user_id: (each.problem, each.fields) for each in report.differences}


@pytest.fixture
def shop() -> AuditedShop:
    """Three users, all of whose events are in the log."""
    shop = AuditedShop()
    shop.logged("ada", "i1", "i2")
    shop.logged("bob", "i1", topic="orders")
    shop.logged("cleo", "i3", topic="clicks")
    shop.logged("ada", "i4", "i5", topic="clicks", at=NOW + 60)
    return shop


async def test_profiles_that_are_what_the_log_gives_are_the_same(shop: AuditedShop) -> None:
    for report in (await shop.audit().all(), await shop.audit().sample(100)):
        assert (report.users, report.same, report.differing, report.interactions) == (3, 3, 0, 6)
        assert report.is_whole


async def test_only_the_users_that_are_asked_for_are_looked_at(shop: AuditedShop) -> None:
    shop.store.fields.clear()
    report = await shop.audit().users(["bob", "nobody"])
    assert problems(report) == {"bob": (ProfileFault.MISSING, ())}
    assert (report.users, report.same) == (1, 0)
    assert (await shop.audit().users(["nobody"])).users == 0


async def test_an_event_that_counted_twice_is_found(shop: AuditedShop) -> None:
    profile = shop.worker.profile("bob")
    shop.store.fields |= stored({"bob": replace(profile, counts=(0.0, 0.0, 0.0, 2.0))})
    assert problems(await shop.audit().all()) == {"bob": (ProfileFault.DIFFERS, ("counts",))}


async def test_an_event_that_is_missing_in_the_profile_is_found(shop: AuditedShop) -> None:
    before = shop.store.fields["bob"]
    shop.logged("bob", "i7", at=NOW + 1)
    shop.store.fields["bob"] = before
    report = await shop.audit().all()
    [found] = report.differences
    assert (found.user_id, found.problem) == ("bob", ProfileFault.DIFFERS)
    assert "applied" in found.fields
    assert found.rebuilt.recent[0].item_id == "i7"
    assert found.stored.recent[0].item_id == "i1"


async def test_a_missing_profile_is_found_unless_it_expired(shop: AuditedShop) -> None:
    del shop.store.fields["bob"], shop.store.fields["ada"]
    shop.clock.now = NOW + 30 * DAY + 30
    report = await shop.audit().all()
    assert problems(report) == {"ada": (ProfileFault.MISSING, ())}
    assert report.expired == 1


async def test_a_profile_that_the_log_does_not_know_is_found_when_all_are_looked_at(shop: AuditedShop) -> None:
    shop.happens("dan", "i1")
    assert (await shop.audit().sample(100)).differing == 0
    found = problems(await shop.audit().all())
    assert found.keys() == {"dan"}
    assert found["dan"][0] == ProfileFault.AHEAD


async def test_a_profile_that_another_program_wrote_is_found(shop: AuditedShop) -> None:
    odd: StoredFields = {"recent": b"[]", "state": b"\xff\x00"}
    shop.store.fields["bob"] = odd
    assert problems(await shop.audit().all()) == {"bob": (ProfileFault.UNREADABLE, ())}


async def test_a_profile_that_is_ahead_of_the_log_is_compared_again(shop: AuditedShop) -> None:
    shop.log.appended = [shop.happens("ada", "i6", at=NOW + 90), shop.happens("dan", "i6")]
    said: list[str] = []
    report = await shop.audit(tell=said.append).all()
    assert (report.users, report.same, report.differing) == (4, 4, 0)
    assert "waiting for the log" in said


async def test_a_profile_that_stays_ahead_of_the_log_is_reported_after_a_while(shop: AuditedShop) -> None:
    shop.happens("ada", "i6", at=NOW + 90)
    started = shop.clock.now
    assert problems(await shop.audit().all())["ada"][0] == ProfileFault.AHEAD
    assert shop.clock.now - started == pytest.approx(1.5)


async def test_more_users_than_fit_into_memory_are_compared_in_several_readings(shop: AuditedShop) -> None:
    for number in range(40):
        shop.logged(f"user{number}", "i1")
    shop.happens("unlogged", "i1")
    del shop.store.fields["user7"]
    report = await shop.audit(at_once=5).all()
    assert report.users == 44
    assert problems(report).keys() == {"user7", "unlogged"}
    assert report.interactions == 46
    assert shop.log.passes > 5


async def test_a_sample_takes_one_reading_and_no_more_users_than_asked_for(shop: AuditedShop) -> None:
    for number in range(40):
        shop.logged(f"user{number}", "i1")
    report = await shop.audit().sample(10)
    assert 0 < report.users <= 10
    assert shop.log.passes == 1


async def test_where_the_log_lost_its_beginning_all_that_is_left_must_be_stored(shop: AuditedShop) -> None:
    shop.log.is_whole = False
    del shop.log.batches[:2]
    report = await shop.audit().all()
    assert (report.same, report.older, report.differing) == (2, 1, 0)  # nothing is left of bob
    before = shop.store.fields["ada"]
    shop.logged("ada", "i9", at=NOW + 90)
    shop.store.fields["ada"] = before
    assert problems(await shop.audit().all()).keys() == {"ada"}


async def test_a_profile_may_have_expired_while_its_user_was_away_or_stayed_in_memory(shop: AuditedShop) -> None:
    expired = shop.worker
    shop.logged("bob", "i2", at=NOW + 31 * DAY)  # the worker still had bob in memory
    expired.maker.table.discard(expired.maker.table.find(["cleo"]))
    del expired.stored["cleo"]
    shop.logged("cleo", "i2", at=NOW + 31 * DAY)
    shop.clock.now = NOW + 31 * DAY
    report = await shop.audit().users(["bob", "cleo"])
    assert (report.same, report.differing) == (2, 0)
    shop.store.fields["bob"] = shop.store.fields["cleo"]
    assert problems(await shop.audit().users(["bob", "cleo"])).keys() == {"bob"}


def test_all_users_are_in_the_share_of_all() -> None:
    assert ALL_USERS.holds("ada")
