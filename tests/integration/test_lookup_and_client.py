"""The look-ups and the shop's client on a real Redis: both get every question, and must agree."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from redis import Redis
from shops import NOW, Shop

from app.concerns import RedisSettings
from app.errors import HeadraceError
from app.store.keys import Keys
from app.store.lookup import Lookups
from headrace import AsyncHeadrace, Headrace
from headrace.answers import CatalogueEntry
from headrace.errors import StoreAway, UnreadableAnswer
from headrace.lists import ListedItem, listed_items

Listed = Callable[[str, int], Awaitable[list[ListedItem]]]


@pytest.fixture
async def lookups(redis_settings: RedisSettings) -> AsyncIterator[Lookups]:
    found = Lookups.connect(redis_settings, recall_seconds=0)
    yield found
    await found.close()


@pytest.fixture(params=["look-ups", "client", "asynchronous client"])
def listed(request: pytest.FixtureRequest, lookups: Lookups, redis_settings: RedisSettings) -> Listed:
    async def over_lookups(user_id: str, k: int) -> list[ListedItem]:
        return list((await lookups.recommendations(user_id, k)).items)

    async def over_client(user_id: str, k: int) -> list[ListedItem]:
        with Headrace(redis_settings.url, prefix=redis_settings.prefix, timeout_seconds=2) as headrace:
            return await asyncio.to_thread(headrace.recommendations, user_id, k=k)

    async def over_asynchronous_client(user_id: str, k: int) -> list[ListedItem]:
        async with AsyncHeadrace(redis_settings.url, prefix=redis_settings.prefix, timeout_seconds=2) as headrace:
            return await headrace.recommendations(user_id, k=k)

    ways = {"look-ups": over_lookups, "client": over_client, "asynchronous client": over_asynchronous_client}
    way: Listed = ways[request.param]
    return way


def ids(items: list[ListedItem]) -> list[str]:
    return [item.item_id for item in items]


async def test_a_user_gets_his_list_with_what_the_catalogue_says(shop: Shop, listed: Listed) -> None:
    shop.listed("u1", "kettle", "cup")
    shop.item("kettle", title="Kettle", category="home/kitchen", price="19.5", currency="EUR", available="1")
    first, second = await listed("u1", 20)
    assert first == ListedItem(
        "kettle", 1.0, "neighbours", "Kettle", "home/kitchen", brand=None, price=19.5, currency="EUR"
    )
    assert second == ListedItem("cup", 0.99, "neighbours")


async def test_no_more_than_k_items_are_listed(shop: Shop, listed: Listed) -> None:
    shop.listed("u1", "a", "b", "c")
    assert ids(await listed("u1", 2)) == ["a", "b"]


async def test_an_unknown_user_gets_the_trending_list(shop: Shop, listed: Listed) -> None:
    shop.trending("bestseller", "runner-up")
    assert [(item.item_id, item.source) for item in await listed("nobody", 20)] == [
        ("bestseller", "trending"),
        ("runner-up", "trending"),
    ]


async def test_a_sold_out_or_deleted_item_leaves_room_for_the_next(shop: Shop, listed: Listed) -> None:
    shop.listed("u1", "sold-out", "gone", "here", "there")
    shop.item("sold-out", title="Sold out", available="0")
    shop.delete_item("gone")
    assert ids(await listed("u1", 2)) == ["here", "there"]


async def test_sold_out_items_do_not_shorten_the_trending_list(shop: Shop, listed: Listed) -> None:
    shop.trending("sold-out", "a", "b", "c")
    shop.item("sold-out", available="0")
    assert ids(await listed("nobody", 2)) == ["a", "b"]


async def test_a_list_of_nothing_but_deleted_items_gives_way_to_trending(shop: Shop, listed: Listed) -> None:
    shop.listed("u1", "gone")
    shop.delete_item("gone")
    shop.trending("bestseller")
    assert ids(await listed("u1", 20)) == ["bestseller"]


async def test_trending_in_place_of_an_empty_list_leaves_out_what_the_user_just_bought(
    shop: Shop, listed: Listed
) -> None:
    shop.listed("u1")
    shop.history("u1", ("bought", 1.0, "order"))
    shop.trending("bought", "bestseller")
    assert ids(await listed("u1", 20)) == ["bestseller"]
    assert ids(await listed("nobody", 20)) == ["bought", "bestseller"]


async def test_unknown_items_are_left_out_once_lists_hold_known_ones_only(shop: Shop, listed: Listed) -> None:
    shop.listed("u1", "no-such-item", "kettle")
    shop.listed("u2", "no-such-item")
    shop.trending("no-such-item", "pot")
    for item_id in ("kettle", "pot"):
        shop.item(item_id, title="Title", available="1")
    assert ids(await listed("u1", 20)) == ["no-such-item", "kettle"]
    shop.lists_known_only()
    assert ids(await listed("u1", 20)) == ["kettle"]
    assert ids(await listed("u2", 20)) == ids(await listed("nobody", 20)) == ["pot"]


async def test_unknown_items_are_similar_to_nothing_once_lists_hold_known_ones_only(
    shop: Shop, lookups: Lookups, redis_settings: RedisSettings
) -> None:
    shop.similar("kettle", "no-such-item", "pot")
    shop.item("pot", title="Pot", available="1")
    shop.lists_known_only()
    assert [row["item_id"] for row in await lookups.similar("kettle", 20)] == ["pot"]
    with Headrace(redis_settings.url, prefix=redis_settings.prefix) as headrace:
        assert ids(headrace.similar("kettle")) == ["pot"]


async def test_history_tells_unknown_items_where_there_is_a_catalogue(shop: Shop, lookups: Lookups) -> None:
    shop.item("kettle", title="Kettle", available="1")
    shop.delete_item("gone")
    shop.history("u1", ("kettle", NOW, "click"), ("no-such-item", NOW - 60, "view"), ("gone", NOW - 90, "view"))
    for has_catalogue in (False, True):
        history = await lookups.profile("u1")
        assert history is not None
        assert [row.unknown for row in history.recent] == [False, has_catalogue, False]
        shop.lists_known_only()


async def test_an_empty_store_answers_an_empty_list(shop: Shop, listed: Listed) -> None:
    assert await listed("nobody", 20) == []


@pytest.mark.parametrize("k", [0, -1, 101])
async def test_a_senseless_k_is_refused(listed: Listed, k: int) -> None:
    with pytest.raises(ValueError, match="use 1 to 100"):
        await listed("u1", k)


@pytest.mark.parametrize(("user_id", "error"), [("", ValueError), (661, TypeError)])
async def test_what_is_no_id_is_refused(listed: Listed, user_id: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match="user_id is"):
        await listed(user_id, 20)


async def test_a_foreign_value_under_our_key_is_reported(shop: Shop, listed: Listed) -> None:
    shop.redis.set(shop.keys.recommendation("u1"), b"hello")
    with pytest.raises(UnreadableAnswer, match="not what Headrace writes"):
        await listed("u1", 20)


async def test_a_foreign_type_under_our_key_is_reported(shop: Shop, listed: Listed) -> None:
    shop.redis.rpush(shop.keys.recommendation("u1"), b"hello")
    with pytest.raises(UnreadableAnswer, match="HEADRACE_REDIS_PREFIX"):
        await listed("u1", 20)


async def test_one_list_that_cannot_be_read_does_not_fail_those_of_others(
    shop: Shop, lookups: Lookups, redis_settings: RedisSettings
) -> None:
    shop.listed("u1", "kettle")
    shop.redis.set(shop.keys.recommendation("text"), b"hello")
    shop.redis.rpush(shop.keys.recommendation("another-type"), b"hello")
    shop.redis.set(shop.keys.recommendation("newer"), b'{"format":2}')
    users = ["text", "another-type", "u1", "newer"]
    found = await lookups.recommendations_of(users, 20)
    assert [each.stored.model for each in found if not each.rows] == ["unreadable"] * 3
    wanted = {"text": [], "another-type": [], "u1": ["kettle"], "newer": []}
    with Headrace(redis_settings.url, prefix=redis_settings.prefix) as headrace:
        assert {user: ids(items) for user, items in headrace.recommendations_of(users).items()} == wanted
    async with AsyncHeadrace(redis_settings.url, prefix=redis_settings.prefix) as asynchronous:
        assert {user: ids(items) for user, items in (await asynchronous.recommendations_of(users)).items()} == wanted


async def test_the_asynchronous_client_reads_items_and_what_is_similar(
    shop: Shop, redis_settings: RedisSettings
) -> None:
    shop.item("kettle", title="Kettle", available="1")
    shop.similar("kettle", "pot")
    async with AsyncHeadrace(redis_settings.url, prefix=redis_settings.prefix) as headrace:
        entry = await headrace.item("kettle")
        assert entry is not None
        assert (entry.title, await headrace.item("unknown")) == ("Kettle", None)
        assert ids(await headrace.similar("kettle")) == ["pot"]


async def test_history_comes_newest_first_with_titles_even_of_deleted_items(shop: Shop, lookups: Lookups) -> None:
    shop.item("kettle", title="Kettle", available="0")
    shop.history("u1", ("kettle", NOW, "click"), ("cup", NOW - 60, "view"))
    history = await lookups.profile("u1")
    assert history is not None
    assert [(row.item_id, row.kind, row.title) for row in history.recent] == [
        ("kettle", "click", "Kettle"),
        ("cup", "view", None),
    ]
    assert history.counts["view"] == 2.0
    assert await lookups.profile("nobody") is None


async def test_a_deleted_item_is_as_unknown_as_one_that_never_was(
    shop: Shop, lookups: Lookups, redis_settings: RedisSettings
) -> None:
    shop.item("kettle", title="Kettle", available="0")
    shop.delete_item("gone")
    with Headrace(redis_settings.url, prefix=redis_settings.prefix) as headrace:
        for item_id in ("gone", "never-was"):
            assert await lookups.item(item_id) is None
            assert headrace.item(item_id) is None
        kettle = CatalogueEntry("kettle", title="Kettle", available=False, known=True)
        assert await lookups.item("kettle") == headrace.item("kettle") == kettle


async def test_similar_items_leave_out_the_deleted(shop: Shop, lookups: Lookups, redis_settings: RedisSettings) -> None:
    shop.similar("kettle", "gone", "cup")
    shop.delete_item("gone")
    with Headrace(redis_settings.url, prefix=redis_settings.prefix) as headrace:
        assert (
            ids(headrace.similar("kettle")) == ids(list(listed_items(await lookups.similar("kettle", 20)))) == ["cup"]
        )
        assert headrace.similar("unheard-of") == []


async def test_workers_add_up_and_silent_ones_do_not_count(shop: Shop, lookups: Lookups) -> None:
    shop.worker("w1", accepted=10, duplicates=1, events_per_second=5.0, freshness_p99=0.01, lag=3, ready=True)
    shop.worker("w2", accepted=20, quarantined=2, events_per_second=7.5, freshness_p99=0.04, ready=True)
    shop.worker("silent", accepted=1000)
    shop.redis.delete(shop.keys.worker("silent"))
    live = await lookups.live()
    assert (live.accepted, live.duplicates, live.quarantined) == (30, 1, 2)
    assert (live.events_per_second, live.freshness_p99, live.freshness_p50, live.lag) == (12.5, 0.04, None, 3)
    assert [worker.worker_id for worker in live.workers] == ["w1", "w2"]


async def test_recent_users_come_newest_first(shop: Shop, lookups: Lookups) -> None:
    shop.listed("early", "a", generated_at=NOW)
    shop.listed("late", "a", generated_at=NOW + 5)
    assert [user.user_id for user in await lookups.recent_users(8)] == ["late", "early"]


async def test_a_stalled_redis_ends_the_lookup_and_does_not_spoil_the_next(
    shop: Shop, redis_settings: RedisSettings
) -> None:
    shop.listed("u1", "a")
    shop.listed("u2", "b")
    impatient = Lookups.connect(
        RedisSettings(redis_settings.url, redis_settings.prefix, timeout_seconds=0.1), recall_seconds=0
    )
    shop.redis.client_pause(400)
    with pytest.raises(StoreAway, match="does not answer"):
        await impatient.recommendations("u1", 20)
    shop.redis.client_unpause()
    assert ids(list((await impatient.recommendations("u2", 20)).items)) == ["b"]
    await impatient.close()


async def test_a_killed_connection_is_replaced_without_the_caller_noticing(
    shop: Shop, listed: Listed, redis_settings: RedisSettings, lookups: Lookups
) -> None:
    shop.listed("u1", "a")
    assert ids(list((await lookups.recommendations("u1", 20)).items)) == ["a"]
    with Headrace(redis_settings.url, prefix=redis_settings.prefix) as headrace:
        assert ids(headrace.recommendations("u1")) == ["a"]
        with Redis.from_url(redis_settings.url) as other:
            other.client_kill_filter(_type="normal", skipme=True)
        assert ids(headrace.recommendations("u1")) == ["a"]
        assert ids(list((await lookups.recommendations("u1", 20)).items)) == ["a"]


def test_a_redis_that_is_away_is_an_error_that_keeps_the_password() -> None:
    with (
        Headrace("redis://:secret@127.0.0.1:1/0", timeout_seconds=0.5) as headrace,
        pytest.raises(StoreAway, match="argument, or HEADRACE_REDIS_URL") as raised,
    ):
        headrace.recommendations("u1")
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize("url", ["localhost:6379", "redis://localhost:port", ""])
def test_an_address_that_cannot_be_read_gets_advice(url: str) -> None:
    for connect in (Headrace, lambda url: Lookups.connect(RedisSettings(url), recall_seconds=0)):
        with pytest.raises(HeadraceError, match="redis://host:6379/0"):
            connect(url)


def test_keys_of_one_user_share_a_hash_tag() -> None:
    keys = Keys("hr:")
    assert (keys.recommendation("u/1 ü"), keys.profile("u/1 ü")) == ("hr:rec:{u/1 ü}", "hr:profile:{u/1 ü}")
    assert (keys.item("i"), keys.similar("i")) == ("hr:item:{i}", "hr:similar:{i}")
    assert (keys.trending(), keys.trending("home/kitchen")) == ("hr:trending", "hr:trending:home/kitchen")
