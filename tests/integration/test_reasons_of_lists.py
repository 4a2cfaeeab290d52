"""Why items are listed, from a real Redis: the look-ups and both clients agree."""

from collections.abc import AsyncIterator

import pytest
from shops import NOW, Shop

from app.concerns import RedisSettings
from app.store.lookup import Lookups
from headrace import AsyncHeadrace, Headrace, Reason
from headrace.options import EXPLAINED


@pytest.fixture
async def lookups(redis_settings: RedisSettings) -> AsyncIterator[Lookups]:
    found = Lookups.connect(redis_settings, recall_seconds=0)
    yield found
    await found.close()


async def test_each_item_of_a_list_tells_why_it_is_there(
    shop: Shop, lookups: Lookups, redis_settings: RedisSettings
) -> None:
    shop.listed("u1", "cup", "hat", event_ts=NOW)
    shop.history("u1", ("later", NOW + 1, "view"), ("pot", NOW, "click"), ("kettle", NOW - 60, "view"))
    for item_id in ("cup", "hat", "pot", "kettle", "later"):
        shop.item(item_id, title=item_id.title(), available="1")
    shop.similar("kettle", "cup", sessions=14)
    shop.similar("later", "hat", sessions=3)  # it came after the list was made
    cup, hat = (await lookups.recommendations("u1", 20, EXPLAINED)).items
    assert cup.reason == Reason("because of Kettle: 14 sessions have both", "kettle", "Kettle", 14)
    assert hat.reason == Reason("in sessions like this one")
    with Headrace(redis_settings.url, prefix=redis_settings.prefix) as headrace:
        assert headrace.recommendations("u1", explain=True) == [cup, hat]
        assert headrace.recommendations_of(["u1"], explain=True) == {"u1": [cup, hat]}
        assert [each.reason for each in headrace.recommendations("u1")] == [None, None]
        (near,) = headrace.similar("kettle", explain=True)
        assert near.reason == cup.reason
    async with AsyncHeadrace(redis_settings.url, prefix=redis_settings.prefix) as asynchronous:
        assert await asynchronous.recommendations("u1", explain=True) == [cup, hat]
        assert await asynchronous.similar("kettle", explain=True) == [near]


async def test_the_trending_list_tells_why_it_is_there(shop: Shop, lookups: Lookups) -> None:
    shop.trending("cup")
    shop.history("nobody", ("kettle", NOW, "view"))
    (cup,) = (await lookups.recommendations("nobody", 20, EXPLAINED)).items
    assert cup.reason == Reason("trending in the whole shop")
