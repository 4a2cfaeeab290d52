"""The HTTP process on a real Redis."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import pytest
from aiohttp import ClientResponse
from prometheus_client import CollectorRegistry
from shops import NOW, Http, Shop, client_of
from yarl import URL

from app.concerns import RedisSettings


async def problem_of(response: ClientResponse) -> dict[str, Any]:
    assert response.content_type == "application/problem+json"
    body: dict[str, Any] = await response.json(content_type=None)
    assert sorted(body) == ["detail", "status", "title", "type"]
    assert body["status"] == response.status
    assert "Traceback" not in body["detail"]
    return body


async def test_a_list_is_answered_with_titles(http: Http, shop: Shop) -> None:
    shop.listed("u1", "kettle", "cup", event_ts=NOW, generated_at=NOW + 0.25)
    shop.item("kettle", title="Kettle", category="home", price="19.5")
    response = await http.get("/recommendations/u1?k=20")
    assert response.status == 200
    assert response.headers["Cache-Control"] == "no-store"
    assert await response.json() == {
        "user_id": "u1",
        "items": [
            {
                "item_id": "kettle",
                "score": 1.0,
                "source": "neighbours",
                "title": "Kettle",
                "category": "home",
                "price": 19.5,
            },
            {"item_id": "cup", "score": 0.99, "source": "neighbours"},
        ],
        "event_ts": NOW,
        "generated_at": NOW + 0.25,
        "model": "vmis-knn",
    }


async def test_an_unknown_user_is_answered_what_is_trending(http: Http, shop: Shop) -> None:
    shop.trending("bestseller")
    body = await (await http.get("/recommendations/nobody")).json()
    assert (body["model"], body["generated_at"]) == ("trending", None)
    assert body["items"] == [{"item_id": "bestseller", "score": 100.0, "source": "trending"}]
    metrics = await (await http.get("/metrics")).text()
    assert 'headrace_lookups_total{answer="trending"} 1.0' in metrics
    assert 'headrace_lookups_total{answer="own"} 0.0' in metrics


@pytest.mark.parametrize(
    "user_id",
    [
        "a/b",
        "a b",
        "{a}",
        "}{",
        "a%2Fb",
        "100%",
        "Jürgen 茶",
        "a+b",
        "a?b#c",
        "<script>",
        "session:1/2",
        "…",
        "a\nb",
        ".",
        "..",
    ],
)
async def test_an_id_may_hold_anything_when_it_is_encoded(http: Http, shop: Shop, user_id: str) -> None:
    shop.listed(user_id, user_id)
    shop.item(user_id, title="Found")
    shop.similar(user_id, user_id)
    shop.history(user_id, (user_id, NOW, "view"))
    encoded = quote(user_id, safe="").replace(".", "%2E")
    for path, name in (
        ("recommendations", "user_id"),
        ("similar", "item_id"),
        ("items", "item_id"),
        ("users", "user_id"),
    ):
        for asked in (f"/{path}/{encoded}", f"/{path}?{name}={encoded}"):
            response = await http.get(URL(asked, encoded=True))
            assert response.status == 200, asked
            assert user_id in (await response.json()).values(), asked


@pytest.mark.parametrize("path", ["recommendations", "similar", "items", "users?user_id="])
async def test_an_id_that_is_missing_is_a_problem(http: Http, path: str) -> None:
    response = await http.get(f"/{path}")
    assert response.status == 400
    assert "_id " in (await problem_of(response))["detail"]


async def test_k_limits_the_list(http: Http, shop: Shop) -> None:
    shop.listed("u1", *(f"i{number}" for number in range(50)))
    for query, expected in (("?k=3", 3), ("?k=100", 50), ("", 20)):
        body = await (await http.get(f"/recommendations/u1{query}")).json()
        assert len(body["items"]) == expected


@pytest.mark.parametrize("k", ["0", "101", "-1", "x", "", "1.5", "+5", "1_0", "٣", "9" * 5000])
async def test_a_bad_k_is_a_problem_that_names_what_is_allowed(http: Http, k: str) -> None:
    for path in ("recommendations", "similar"):
        response = await http.get(f"/{path}/u1", params={"k": k})
        assert response.status == 400
        assert "1 to 100" in (await problem_of(response))["detail"]


@pytest.mark.parametrize("path", ["recommendations", "similar", "items", "users"])
async def test_an_id_has_at_most_128_characters(http: Http, path: str) -> None:
    response = await http.get(f"/{path}/{'ü' * 129}")
    assert response.status == 400
    assert "129 characters" in (await problem_of(response))["detail"]


async def test_a_guests_prefix_does_not_count(http: Http) -> None:
    assert (await http.get(f"/recommendations/session:{'s' * 128}")).status == 200
    assert (await http.get(f"/recommendations/session:{'s' * 129}")).status == 400


@pytest.mark.parametrize("path", ["/similar/x", "/items/x", "/users/x", "/nowhere", "/recommendations/", "/users/a/b"])
async def test_what_is_not_there_is_a_404_problem(http: Http, path: str) -> None:
    response = await http.get(path)
    assert response.status == 404
    await problem_of(response)


async def test_an_unknown_path_is_told_which_ones_there_are(http: Http) -> None:
    detail = (await problem_of(await http.get("/nowhere")))["detail"]
    assert "/recommendations/{user_id}, " in detail
    for path in detail.partition("there is ")[2].removesuffix(".").split(", "):
        asked = await http.get(path.replace("{", "").replace("}", ""))
        assert asked.status != 404 or "There is nothing" not in (await problem_of(asked))["detail"], path


async def test_a_deleted_item_is_not_found(http: Http, shop: Shop) -> None:
    shop.item("kettle", title="Kettle")
    assert (await (await http.get("/items/kettle")).json()) == {
        "item_id": "kettle",
        "title": "Kettle",
        "available": True,
        "repairs": [],
    }
    shop.delete_item("kettle")
    assert (await http.get("/items/kettle")).status == 404


async def test_neighbours_that_are_all_deleted_are_not_found(http: Http, shop: Shop) -> None:
    shop.similar("kettle", "cup")
    assert [item["item_id"] for item in (await (await http.get("/similar/kettle")).json())["items"]] == ["cup"]
    shop.delete_item("cup")
    assert (await http.get("/similar/kettle")).status == 404


async def test_another_method_is_a_405_problem_with_allow(http: Http) -> None:
    response = await http.post("/recommendations/u1")
    assert response.status == 405
    assert response.headers["Allow"] == "GET, HEAD"
    assert "GET" in (await problem_of(response))["detail"]


async def test_clicks_are_refused_unless_they_are_allowed(http: Http) -> None:
    response = await http.post("/events/click", json={"user_id": "u1", "item_id": "a"})
    assert response.status == 403
    assert "HEADRACE_SERVE_ACCEPT_EVENTS" in (await problem_of(response))["detail"]


async def test_users_and_history_and_live_feed_the_console(http: Http, shop: Shop) -> None:
    shop.listed("u1", "a", generated_at=NOW)
    shop.history("u1", ("a", NOW, "click"))
    shop.worker("w1", accepted=3, events_per_second=1.5, ready=True)
    assert (await (await http.get("/users?sample=5")).json()) == {"users": [{"user_id": "u1", "generated_at": NOW}]}
    user = await (await http.get("/users/u1")).json()
    assert user["recent"] == [{"item_id": "a", "ts": NOW, "kind": "click", "unknown": False}]
    live = await (await http.get("/live")).json()
    assert (live["accepted"], live["events_per_second"], live["workers"][0]["ready"]) == (3, 1.5, True)


async def test_a_redis_that_is_away_is_a_503_problem_and_not_ready(registry: CollectorRegistry) -> None:
    async with client_of(RedisSettings("redis://127.0.0.1:1/0", timeout_seconds=0.5), registry) as http:
        paths = ("/recommendations/u1", "/similar/u1", "/items/u1", "/users/u1", "/users", "/live", "/readyz")
        for path in paths:
            response = await http.get(path)
            assert response.status == 503, path
            assert response.headers["Retry-After"] == "1"
            await problem_of(response)
        assert (await http.get("/healthz")).status == 200
        assert (await http.get("/")).status == 200


@pytest.fixture
def stalled(shop: Shop) -> Iterator[Shop]:
    shop.redis.client_pause(700)
    yield shop
    shop.redis.client_unpause()


async def test_a_redis_that_hangs_is_a_503_problem_within_the_timeout(
    stalled: Shop, redis_settings: RedisSettings, registry: CollectorRegistry
) -> None:
    async with client_of(replace(redis_settings, timeout_seconds=0.1), registry) as http:
        response = await http.get("/recommendations/u1")
        assert response.status == 503
        await problem_of(response)


async def test_a_foreign_value_is_a_500_problem(http: Http, shop: Shop) -> None:
    shop.redis.set(shop.keys.recommendation("u1"), b"hello")
    response = await http.get("/recommendations/u1")
    assert response.status == 500
    assert "not what Headrace writes" in (await problem_of(response))["detail"]


async def test_probes_answer(http: Http) -> None:
    assert await (await http.get("/healthz")).json() == {"status": "ok"}
    assert await (await http.get("/readyz")).json() == {"status": "ready"}


async def test_requests_are_measured_by_route_and_status_and_never_by_id(http: Http) -> None:
    await http.get("/recommendations/secret-id")
    await http.get("/items/secret-id")
    await http.get("/secret-path")
    text = await (await http.get("/metrics")).text()
    for labels in (
        'route="/recommendations/{user_id}",status="200"',
        'route="/items/{item_id}",status="404"',
        'route="none",status="404"',
    ):
        assert f"headrace_http_request_seconds_count{{{labels}}} 1.0" in text
    assert "secret" not in text


async def test_every_response_carries_security_headers(http: Http) -> None:
    for path in ("/", "/healthz", "/nowhere"):
        response = await http.get(path)
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.headers["Content-Security-Policy"].startswith("default-src 'none'")


async def test_the_page_runs_only_its_own_script(http: Http) -> None:
    response = await http.get("/")
    policy = response.headers["Content-Security-Policy"]
    assert response.content_type == "text/html"
    assert "unsafe" not in policy
    assert "script-src 'sha256-" in policy
    text = await response.text()
    assert "innerHTML" not in text
    assert "http://" not in text.replace("http://www.w3.org/2000/svg", "")
    assert "https://" not in text


async def test_the_lists_of_several_users_come_in_one_answer(http: Http, shop: Shop) -> None:
    shop.listed("u1", "kettle", "cup")
    shop.listed("u2", "cup")
    shop.item("cup", title="Cup")
    shop.trending("bestseller")
    body = await (await http.get("/recommendations?user_id=u2&user_id=nobody&user_id=u1&user_id=u2&k=1")).json()
    found = [(each["user_id"], [item["item_id"] for item in each["items"]]) for each in body["lists"]]
    assert found == [("u2", ["cup"]), ("nobody", ["bestseller"]), ("u1", ["kettle"])]
    alone = await (await http.get("/recommendations?user_id=u2&k=1")).json()
    assert body["lists"][0] == alone
    metrics = await (await http.get("/metrics")).text()
    assert 'headrace_lookups_total{answer="own"} 3.0' in metrics


async def test_at_most_100_users_are_looked_up_at_once_and_each_id_is_checked(http: Http) -> None:
    many = "&".join(f"user_id=u{number}" for number in range(101))
    for query, words in ((many, "at most 100"), ("user_id=a&user_id=", "0 characters")):
        response = await http.get(f"/recommendations?{query}")
        assert response.status == 400
        assert words in (await problem_of(response))["detail"]
