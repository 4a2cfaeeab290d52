"""The stream of live figures, on a real Redis."""

import asyncio
from typing import Any

import orjson
import pytest
from aiohttp import ClientResponse
from shops import NOW, Http, Shop

from app.web import live

DEADLINE_SECONDS = 10


async def next_update(response: ClientResponse) -> dict[str, Any]:
    """Return the next server-sent event."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        line = await response.content.readuntil(b"\n\n")
    assert line.startswith(b"data: ")
    update: dict[str, Any] = orjson.loads(line.removeprefix(b"data: "))
    return update


async def put_in_feed(http: Http, shop: Shop, user_id: str) -> None:
    """List the user and wait for the feed to tell it: a stream looks its users up as it begins."""
    shop.history(user_id, ("cup", NOW, "view"))
    shop.listed(user_id, "cup")
    async with asyncio.timeout(DEADLINE_SECONDS):
        while not (await (await http.get("/live/history")).json())["feed"]:
            pass


async def test_figures_come_one_after_the_other_and_the_stream_ends_with_the_process(http: Http, shop: Shop) -> None:
    shop.worker("w1", accepted=3, ready=True)
    response = await http.get("/live/stream")
    assert response.content_type == "text/event-stream"
    first = await next_update(response)
    assert first["live"]["accepted"] == 3
    shop.worker("w1", accepted=4, ready=True)
    while (second := await next_update(response))["live"]["accepted"] != 4:
        pass
    assert second["at"] > first["at"]
    closing = asyncio.create_task(http.server.close())
    async with asyncio.timeout(DEADLINE_SECONDS):
        while not response.content.at_eof():
            await response.content.readany()
        await closing


async def test_a_new_list_is_told_with_the_event_before_it_until_its_user_is_forgotten(http: Http, shop: Shop) -> None:
    shop.item("cup", title="Cup")
    shop.history("ann", ("cup", NOW, "view"))
    shop.listed("ann", "cup")
    shop.listed("nobody", "cup")  # no profile: forgotten meanwhile
    update = await next_update(await http.get("/live/stream"))
    (entry,) = update["feed"]
    assert (entry["user_id"], entry["event"]["title"], entry["items"][0]["title"]) == ("ann", "Cup", "Cup")
    shop.redis.delete(shop.keys.profile("ann"))
    assert (await (await http.get("/live/history")).json())["feed"] == []


@pytest.mark.parametrize("since", ["x", "nan", "inf", ""])
async def test_a_time_that_is_none_is_a_problem(http: Http, since: str) -> None:
    for path in ("/live/history", "/live/stream"):
        response = await http.get(path, params={"since": since})
        assert response.status == 400
        assert "seconds since 1970" in (await response.json(content_type=None))["detail"]


async def test_more_listeners_than_allowed_are_told_to_ask_instead(http: Http, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "MOST_STREAMS", 1)
    listening = await http.get("/live/stream")
    await next_update(listening)
    refused = await http.get("/live/stream")
    assert refused.status == 503
    assert "/live/history" in (await refused.json(content_type=None))["detail"]
    assert (await http.get("/live/history")).status == 200


async def test_of_two_listeners_that_come_at_once_the_last_place_takes_one(
    http: Http, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    await put_in_feed(http, shop, "ann")
    monkeypatch.setattr(live, "MOST_STREAMS", 1)
    both = await asyncio.gather(http.get("/live/stream"), http.get("/live/stream"))
    assert sorted(each.status for each in both) == [200, 503]


async def test_a_stream_that_could_not_begin_leaves_its_place(
    http: Http, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "MOST_STREAMS", 1)
    await put_in_feed(http, shop, "ann")
    shop.redis.delete(shop.keys.profile("ann"))
    shop.redis.set(shop.keys.profile("ann"), "not a profile")
    assert (await http.get("/live/stream")).status >= 500
    shop.redis.delete(shop.keys.profile("ann"))
    assert (await http.get("/live/stream")).status == 200


async def test_a_stream_does_not_count_as_a_slow_answer(http: Http) -> None:
    await next_update(await http.get("/live/stream"))
    metrics = await (await http.get("/metrics")).text()
    assert "/live/stream" not in metrics
