"""The catalogue in pages, on a real Redis among keys of other kinds."""

from typing import Any

import pytest
from shops import Http, Shop

from app.store import catalogue_pages
from app.web import summary


async def all_of(http: Http, **query: str) -> list[dict[str, Any]]:
    """Return the items of all pages."""
    found: list[dict[str, Any]] = []
    cursor: str | None = "0-0"
    while cursor is not None:
        page = await (await http.get("/catalogue", params={**query, "cursor": cursor})).json()
        found += page["items"]
        cursor = page["cursor"]
    return found


def ids(items: list[dict[str, Any]]) -> list[str]:
    return sorted(item["item_id"] for item in items)


@pytest.fixture
def stocked(shop: Shop) -> Shop:
    shop.item("k1", title="Steel KETTLE", category="home/kitchen", price="19.5", available="1")
    shop.item("c1", title="Tea cup", brand="Kettler", available="1", quality="0.9", recommendable="1")
    shop.item("sold", title="Tea pot", available="0")
    shop.item("bad", title="!!! buy now", available="1", quality="0.1", recommendable="0", reasons='["spam"]')
    shop.item("a{b}/c", title="Braces", available="1")
    shop.delete_item("gone")
    shop.listed("u1", "k1")
    return shop


async def test_every_item_is_there_once_and_a_deleted_one_is_not(http: Http, stocked: Shop) -> None:
    assert ids(await all_of(http)) == ["a{b}/c", "bad", "c1", "k1", "sold"]
    (kettle,) = await all_of(http, search="k1")
    assert (kettle["title"], kettle["price"], kettle["available"]) == ("Steel KETTLE", 19.5, True)


async def test_pages_follow_each_other_to_the_end(http: Http, stocked: Shop) -> None:
    for number in range(1000):
        stocked.item(f"n{number}", title=f"Number {number}", available="1")
    first = await (await http.get("/catalogue", params={"search": "number", "k": "10"})).json()
    assert 10 <= len(first["items"]) < 500
    assert first["cursor"] is not None
    assert len(set(ids(await all_of(http, search="number", k="10")))) == 1000


@pytest.mark.parametrize(
    ("text", "found"), [("kettle", ["c1", "k1"]), ("HOME/", ["k1"]), ("}/c", ["a{b}/c"]), ("*", [])]
)
async def test_text_is_looked_for_in_ids_titles_categories_and_brands(
    http: Http, stocked: Shop, text: str, found: list[str]
) -> None:
    assert ids(await all_of(http, search=text)) == found


async def test_hidden_items_come_with_their_reasons(http: Http, stocked: Shop) -> None:
    items = {item["item_id"]: item for item in await all_of(http, hidden="true")}
    assert sorted(items) == ["bad", "sold"]
    assert (items["bad"]["reasons"], items["bad"]["quality"]) == (["spam"], 0.1)


@pytest.mark.parametrize(
    "query", ["cursor=x", "cursor=7", f"cursor=0-{1 << 64}", "hidden=maybe", f"search={'x' * 129}"]
)
async def test_a_query_that_cannot_be_is_a_problem(http: Http, query: str) -> None:
    response = await http.get(f"/catalogue?{query}")
    assert response.status == 400
    assert "use" in (await response.json(content_type=None))["detail"]


async def test_a_summary_ends_after_so_many_keys_of_any_kind_and_says_that_it_is_not_whole(
    http: Http, stocked: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catalogue_pages, "STEP_KEYS", 10)
    monkeypatch.setattr(catalogue_pages, "MOST_STEPS", 1)
    monkeypatch.setattr(summary, "MOST_PAGES", 3)
    for number in range(500):
        stocked.listed(f"u{number}", "k1")
    counts = await (await http.get("/catalogue/summary")).json()
    assert not counts["is_whole"]
    assert counts["items"] < 5


async def test_a_summary_of_few_keys_is_whole(http: Http, stocked: Shop) -> None:
    counts = await (await http.get("/catalogue/summary")).json()
    assert (counts["items"], counts["is_whole"]) == (5, True)
