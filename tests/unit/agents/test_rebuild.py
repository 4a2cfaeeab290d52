"""A rebuild writes what is missing or wrong, gives way to workers, and takes nothing away."""

from dataclasses import replace

import pytest
from asking import stored
from auditing import DAY, SMALL, AuditedShop, MemoryRebuilt
from builders import NOW

from agents.rebuild import Rebuild
from models.contract.forgetting import forgotten_headers
from models.users.revision import REVISION
from models.users.share import ALL_USERS, Chosen
from models.users.stored import StoredFields


class RebuiltShop(AuditedShop):
    """A worker, what is stored of it, and a rebuild."""

    def __init__(self) -> None:
        super().__init__()
        self.rebuilt = MemoryRebuilt()
        self.store = self.rebuilt

    def content(self) -> dict[str, StoredFields]:
        return {
            user: {name: value for name, value in fields.items() if name != REVISION}
            for user, fields in self.rebuilt.fields.items()
        }

    def rebuild(self, at_once: int = 100) -> Rebuild:
        async def sleep(seconds: float) -> None:
            self.clock.now += seconds

        return Rebuild(self.log, self.rebuilt, SMALL, 30 * DAY, self.clock, 7, 1.2, at_once=at_once, sleep=sleep)


@pytest.fixture
def shop() -> RebuiltShop:
    """Three users, all of whose events are in the log."""
    shop = RebuiltShop()
    shop.logged("ada", "i1", "i2")
    shop.logged("bob", "i1", topic="orders")
    shop.logged("cleo", "i3", topic="clicks")
    shop.logged("ada", "i4", "i5", topic="clicks", at=NOW + 60)
    return shop


async def test_what_was_lost_comes_back_to_the_byte(shop: RebuiltShop) -> None:
    before = shop.content()
    shop.rebuilt.fields.clear()
    done = await shop.rebuild().run(ALL_USERS)
    assert shop.content() == before
    assert (done.users, done.written, done.same, done.interactions) == (3, 3, 0, 6)
    assert shop.rebuilt.expire_seconds["bob"] == 30 * DAY
    assert (await shop.rebuild().run(ALL_USERS)).same == 3


async def test_only_what_is_wrong_is_written_and_supersedes_what_was_there(shop: RebuiltShop) -> None:
    before, good = shop.content(), dict(shop.rebuilt.fields)
    wrong = stored({"bob": replace(shop.worker.profile("bob"), counts=(0.0, 0.0, 0.0, 9.0))})["bob"]
    shop.rebuilt.fields["bob"] = {**wrong, REVISION: (5 << 32 | 1).to_bytes(8, "big"), "vector": b"old"}
    done = await shop.rebuild().run(ALL_USERS)
    assert (done.written, done.same) == (1, 2)
    assert shop.content() == before
    revision = int.from_bytes(shop.rebuilt.fields["bob"][REVISION] or b"", "big")
    assert revision >> 32 == 6
    assert {user: shop.rebuilt.fields[user] for user in ("ada", "cleo")} == {
        user: good[user] for user in ("ada", "cleo")
    }


@pytest.mark.parametrize("odd", [{"recent": b"[]", "state": b"\xff\x00"}, {"recent": b"?", REVISION: b"short"}])
async def test_what_another_program_wrote_is_replaced(shop: RebuiltShop, odd: StoredFields) -> None:
    before = shop.content()
    shop.rebuilt.fields["bob"] = odd
    assert (await shop.rebuild().run(ALL_USERS)).written == 1
    assert shop.content() == before


async def test_only_the_users_that_are_asked_for_are_written(shop: RebuiltShop) -> None:
    shop.rebuilt.fields.clear()
    done = await shop.rebuild().run(Chosen(frozenset(["bob", "nobody"])))
    assert (done.users, list(shop.rebuilt.fields)) == (1, ["bob"])


async def test_a_worker_that_writes_meanwhile_goes_first_and_its_events_count(shop: RebuiltShop) -> None:
    shop.rebuilt.fields.clear()

    def worker_writes() -> None:
        shop.rebuilt.meanwhile = lambda: None
        shop.log.appended.append(shop.happens("bob", "i9", topic="orders", at=NOW + 5))
        fields = stored({"bob": shop.worker.profile("bob")})["bob"]
        shop.rebuilt.fields["bob"] = {**fields, REVISION: (1 << 32).to_bytes(8, "big")}

    shop.rebuilt.meanwhile = worker_writes
    done = await shop.rebuild().run(ALL_USERS)
    assert (done.written, done.same) == (2, 1)
    assert [seen.item_id for seen in shop.worker.profile("bob").recent] == ["i9", "i1"]
    assert shop.content()["bob"] == shop.worker.stored["bob"]


async def test_a_user_who_came_back_before_the_profile_did_gets_all_of_it(shop: RebuiltShop) -> None:
    shop.logged("bob", "i2", at=NOW + 5)
    whole = shop.content()
    other = RebuiltShop()
    other.offsets = {"views": 2}
    other.happens("bob", "i2", at=NOW + 5)  # by a worker that found nothing in Redis
    shop.rebuilt.fields["bob"] = {**other.content()["bob"], REVISION: (1 << 32).to_bytes(8, "big")}
    done = await shop.rebuild().run(ALL_USERS)
    assert (done.written, done.same) == (1, 2)
    assert shop.content() == whole


async def test_a_profile_that_holds_what_the_log_does_not_is_left_alone(shop: RebuiltShop) -> None:
    shop.happens("ada", "i6", at=NOW + 90)
    before = shop.content()
    done = await shop.rebuild().run(ALL_USERS)
    assert (done.ahead, done.same, done.written) == (1, 2, 0)
    assert shop.content() == before


async def test_where_the_log_lost_its_beginning_older_events_are_kept(shop: RebuiltShop) -> None:
    before = shop.content()
    shop.log.is_whole = False
    del shop.log.batches[0]
    wrong = stored({"bob": replace(shop.worker.profile("bob"), counts=(0.0, 0.0, 0.0, 0.5))})["bob"]
    shop.rebuilt.fields["bob"] = wrong
    old = stored({"ada": replace(shop.worker.profile("ada"), applied={"views-0": 1})})["ada"]
    shop.rebuilt.fields["ada"] = old
    del shop.rebuilt.fields["cleo"]
    done = await shop.rebuild().run(ALL_USERS)
    assert (done.written, done.kept, done.same) == (2, 1, 0)
    assert shop.content()["ada"] == old  # holds views that the log has no more
    assert {user: shop.content()[user] for user in ("bob", "cleo")} == {user: before[user] for user in ("bob", "cleo")}


async def test_what_expired_is_not_brought_back(shop: RebuiltShop) -> None:
    shop.rebuilt.fields.clear()
    shop.clock.now = NOW + 30 * DAY + 30
    done = await shop.rebuild().run(ALL_USERS)
    assert (done.expired, done.written, list(shop.rebuilt.fields)) == (2, 1, ["ada"])
    assert shop.rebuilt.expire_seconds["ada"] == 30


async def test_a_user_who_is_forgotten_meanwhile_stays_forgotten(shop: RebuiltShop) -> None:
    shop.rebuilt.fields.clear()
    said = shop.log.batches[1].part(0, 1)
    keys: list[bytes | None] = [b"bob"]
    shop.log.appended.append(replace(said, keys=keys, values=[None], headers=[forgotten_headers([1])]))
    await shop.rebuild().run(ALL_USERS)
    assert shop.rebuilt.fields.keys() == {"ada", "cleo"}


async def test_more_users_than_fit_into_memory_are_made_in_several_readings(shop: RebuiltShop) -> None:
    for number in range(40):
        shop.logged(f"user{number}", "i1")
    before = shop.content()
    shop.rebuilt.fields.clear()
    done = await shop.rebuild(at_once=5).run(ALL_USERS)
    assert (done.written, shop.content()) == (43, before)
    assert shop.log.passes > 5
