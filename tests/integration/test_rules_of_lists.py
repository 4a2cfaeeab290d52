"""Rules of lists on a real Redis, over HTTP and by both clients, which must agree."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer
from prometheus_client import CollectorRegistry
from shops import NOW, Http, Shop

from app.concerns import KafkaSettings, RedisSettings, ServeSettings
from app.errors import UnusableSetting
from app.web.rules import RuleSettings, rules_of
from app.web.server import ServeConcerns, Surroundings, build_application
from headrace import AsyncHeadrace, BadPage, BadRule, Boost, Headrace, Pin, Rules

GOODS = {
    "kettle": ("Kettle", "Home/Kitchen", "Acme", "30"),
    "pot": ("Pot", "Home/Kitchen", "Moss", "12"),
    "lamp": ("Lamp", "Home/Light", "Acme", "25"),
    "spade": ("Spade", "Garden", "Moss", "18"),
    "hat": ("Hat", "Clothes", "", ""),
}


@pytest.fixture
def stocked(shop: Shop) -> Shop:
    for item_id, (title, category, brand, price) in GOODS.items():
        shop.item(item_id, title=title, category=category, brand=brand, price=price, available="1")
    shop.listed("u1", *GOODS)
    shop.history("u1", ("kettle", NOW, "view"), ("bestseller", NOW - 9, "order"))
    return shop


async def asked(http: Http, path: str) -> Any:
    response = await http.get(path)
    body = await response.json(content_type=None)
    assert response.status == 200, body
    return body


async def listed(http: Http, query: str) -> list[str]:
    return [row["item_id"] for row in (await asked(http, f"/recommendations/u1?{query}"))["items"]]


@pytest.mark.parametrize(
    ("query", "rules", "ids"),
    [
        ("category=Home", Rules(categories=["Home"]), ["kettle", "pot", "lamp"]),
        ("category=Garden&category=Clothes", Rules(categories=["Garden", "Clothes"]), ["spade", "hat"]),
        ("brand=Acme&category=Home", Rules(brands=["Acme"], categories=["Home"]), ["kettle", "lamp"]),
        ("price_from=18&price_to=25", Rules(price_from=18, price_to=25), ["lamp", "spade"]),
        ("block=pot&block_brand=Acme", Rules(blocked=["pot"], blocked_brands=["Acme"]), ["spade", "hat"]),
        ("block_category=Home", Rules(blocked_categories=["Home"]), ["spade", "hat"]),
        ("boost=3:brand:Moss", Rules(boosts=[Boost(3, "brand", "Moss")]), ["pot", "spade", "kettle", "lamp", "hat"]),
        ("pin=2:hat", Rules(pins=[Pin(2, "hat")]), ["kettle", "hat", "pot", "lamp", "spade"]),
        ("pin=1:hat&block=hat", Rules(pins=[Pin(1, "hat")], blocked=["hat"]), ["kettle", "pot", "lamp", "spade"]),
        ("diversity=1", Rules(diversity=1), ["kettle", "spade", "hat", "lamp", "pot"]),
        ("diversity=0", Rules(diversity=0), ["kettle", "pot", "lamp", "spade", "hat"]),
    ],
)
async def test_a_rule_of_a_query_and_of_a_client_chooses_the_same(
    stocked: Shop, http: Http, redis_settings: RedisSettings, query: str, rules: Rules, ids: list[str]
) -> None:
    assert await listed(http, query) == ids
    with Headrace(redis_settings.url, prefix=redis_settings.prefix) as headrace:
        assert [item.item_id for item in headrace.recommendations("u1", rules=rules)] == ids
    async with AsyncHeadrace(redis_settings.url, prefix=redis_settings.prefix, rules=rules) as asynchronous:
        assert [item.item_id for item in await asynchronous.recommendations("u1")] == ids
        found = await asynchronous.recommendations_of(["u1"])
        assert [item.item_id for item in found["u1"]] == ids


async def test_what_is_trending_follows_a_short_list_without_the_user_s_recent_items(stocked: Shop, http: Http) -> None:
    stocked.redis.zadd(stocked.keys.trending("Garden"), {"rake": 1.0, "spade": 0.5})
    stocked.trending("bestseller", "kettle", "cup", "hat")
    stocked.item("rake", title="Rake", category="Garden", available="1")
    stocked.item("cup", title="Cup", category="Home/Kitchen", available="1")
    body = await asked(http, "/recommendations/u1?category=Garden&category=Home/Kitchen&explain=true")
    assert [(row["item_id"], row["source"]) for row in body["items"]] == [
        ("kettle", "neighbours"), ("pot", "neighbours"), ("spade", "neighbours"), ("rake", "category"),
        ("cup", "trending"),
    ]  # fmt: skip
    scores = [row["score"] for row in body["items"]]
    assert scores == sorted(scores, reverse=True)
    assert body["left_out"] == [
        {"item_id": "lamp", "rule": "filter by category"},
        {"item_id": "hat", "rule": "filter by category"},
    ]


async def test_the_explanation_tells_which_rules_moved_an_item(stocked: Shop, http: Http) -> None:
    query = "pin=1:hat&pin=4:new&boost=3:brand:Moss&diversity=1&block=lamp&explain=true"
    stocked.item("new", title="New", available="1")
    body = await asked(http, f"/recommendations/u1?{query}")
    moved = {row["item_id"]: row["reason"].get("rules") for row in body["items"]}
    assert moved == {
        "hat": ["pinned to 1"],
        "pot": ["boost brand Moss by 3"],
        "spade": ["boost brand Moss by 3"],
        "new": ["pinned to 4"],
        "kettle": None,
    }
    assert body["items"][3]["source"] == "pin"
    assert body["left_out"] == [{"item_id": "lamp", "rule": "blocked item"}]


async def test_pages_of_a_list_that_changes_repeat_nothing(
    stocked: Shop, http: Http, redis_settings: RedisSettings
) -> None:
    stocked.trending("cup", "pot", "rake")
    first = await asked(http, "/recommendations/u1?k=2&page=first")
    stocked.listed("u1", "spade", "pot", "kettle", "lamp")
    second = await asked(http, f"/recommendations/u1?k=2&page={first['next']}")
    third = await asked(http, f"/recommendations/u1?k=2&page={second['next']}")
    shown = [[row["item_id"] for row in each["items"]] for each in (first, second, third)]
    assert shown == [["kettle", "pot"], ["spade", "lamp"], ["cup", "rake"]]
    assert third["next"] is None
    many = await asked(http, "/recommendations?user_id=u1&user_id=nobody&k=2&page=first")
    assert [[row["item_id"] for row in each["items"]] for each in many["lists"]] == [["spade", "pot"], ["cup", "pot"]]
    assert all(each["next"] for each in many["lists"])
    with Headrace(redis_settings.url, prefix=redis_settings.prefix) as headrace:
        page = headrace.page("u1", k=3)
        assert page.next is not None
        rest = headrace.page("u1", k=9, page=page.next)
        assert [item.item_id for item in (*page.items, *rest.items)] == [
            "spade",
            "pot",
            "kettle",
            "lamp",
            "cup",
            "rake",
        ]
        assert rest.next is None
        with pytest.raises(BadPage, match="use 'first'"):
            headrace.page("u1", page="2")


@pytest.fixture
async def strict(redis_settings: RedisSettings) -> AsyncIterator[Http]:
    """Yield a client of a process whose settings have rules."""
    rules = RuleSettings(block="pot, cup%2C red", boost="9:brand:Moss", pin="1:lamp", diversity="0")
    concerns = ServeConcerns(ServeSettings(recall_seconds=0), redis_settings, KafkaSettings(), rules=rules)
    async with TestClient(TestServer(build_application(concerns, Surroundings(CollectorRegistry())))) as client:
        yield client


async def test_rules_of_settings_hold_for_every_list_beside_those_of_the_query(stocked: Shop, strict: Http) -> None:
    stocked.similar("hat", "pot", "spade")
    assert await listed(strict, "") == ["lamp", "spade", "kettle", "hat"]
    assert await listed(strict, "block=spade&pin=1:hat&pin=1:pot") == ["lamp", "hat", "kettle"]
    body = await asked(strict, "/recommendations?user_id=u1&user_id=u1&user_id=nobody&category=Garden")
    assert [row["item_id"] for row in body["lists"][0]["items"]] == ["spade"]
    similar = await asked(strict, "/similar/hat")
    assert [row["item_id"] for row in similar["items"]] == ["spade"]


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("price_from=cheap", "price_from is 'cheap'; use a number"),
        ("price_from=-1", "price_from is -1; use a number from 0 to"),
        ("price_to=1&price_to=2", "price_to is there 2 times; at most 1"),
        ("diversity=1.5", "diversity is 1.5; use a number from 0 to 1"),
        ("diversity=nan", "use a number"),
        ("boost=2:colour:red", "'2:colour:red' is no rule; write 2:brand:Acme"),
        ("boost=1001:brand:Acme", "is no rule"),
        ("pin=0:hat", "'0:hat' is no rule; write 1:50"),
        ("block=", "block has 0 characters; use 1 to 128"),
        ("page=2", "page is '2'; use 'first'"),
    ],
)
async def test_a_rule_that_cannot_be_used_is_refused_with_advice(http: Http, query: str, said: str) -> None:
    response = await http.get(f"/recommendations?user_id=u1&{query}")
    assert response.status == 400
    assert said in (await response.json(content_type=None))["detail"]


def test_a_setting_that_cannot_be_used_is_named() -> None:
    with pytest.raises(UnusableSetting, match="HEADRACE_RULES_PIN cannot be used: 'hat' is no rule"):
        rules_of(RuleSettings(pin="hat"))


def test_a_rule_of_a_client_that_cannot_be_used_is_refused() -> None:
    for wrong in ({"brands": "Acme"}, {"diversity": -0.1}, {"price_to": float("nan")}):
        with pytest.raises(BadRule):
            Rules(**wrong)
    with pytest.raises(BadRule, match="place 0"):
        Pin(0, "hat")
    with pytest.raises(BadRule, match="item, category or brand"):
        Boost(2, "colour", "red")
