"""The HTTP process with tokens and limits, on a real Redis."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from browser import browser_page
from prometheus_client import CollectorRegistry
from shops import Http, Shop, client_of

from app.concerns import KafkaSettings, RedisSettings

TOKEN, SCRAPER = "token-for-tests-0123456789", "scraper-for-tests-0123456789"
OPEN = ("/", "/api", "/healthz", "/readyz")
CLOSED = (
    "/recommendations/u1",
    "/recommendations?user_id=u1",
    "/similar/a",
    "/items/a",
    "/users",
    "/users/u1",
    "/catalogue",
    "/catalogue/summary",
    "/catalogue/map",
    "/live",
    "/quarantine",
    "/quarantine/stats",
    "/live/history",
    "/live/stream",
    "/metrics",
    "/openapi.json",
    "/nowhere",
    "/events/click",
)


ANSWERED = (200, 404, 405, 503)  # there is no Kafka here


@pytest.fixture
async def guarded(redis_settings: RedisSettings, registry: CollectorRegistry) -> AsyncIterator[Http]:
    kafka = KafkaSettings(bootstrap="127.0.0.1:1")
    async with client_of(redis_settings, registry, kafka, tokens=TOKEN, metrics_tokens=SCRAPER) as http:
        yield http


@pytest.mark.parametrize("path", CLOSED)
async def test_every_path_but_probes_and_the_empty_page_needs_a_token(guarded: Http, path: str) -> None:
    for headers in ({}, {"Authorization": "Bearer wrong-token-0123456789"}):
        response = await guarded.get(path, headers=headers)
        assert response.status == 401
        assert response.content_type == "application/problem+json"
        assert response.headers["WWW-Authenticate"] == 'Bearer realm="headrace"'
        assert "HEADRACE_HTTP_TOKENS" in (await response.json(content_type=None))["detail"]
    assert (await guarded.get(path, headers={"Authorization": f"Bearer {TOKEN}"})).status in ANSWERED


async def test_every_route_is_either_open_or_tested_to_be_closed(guarded: Http) -> None:
    routes = {resource.canonical for resource in guarded.app.router.resources()}
    closed = {path.partition("?")[0].replace("/u1", "/{user_id}").replace("/a", "/{item_id}") for path in CLOSED}
    assert routes - {"/similar", "/items"} == (closed | set(OPEN)) - {"/nowhere"}


@pytest.mark.parametrize("path", OPEN)
async def test_probes_and_the_empty_page_answer_without_a_token(guarded: Http, path: str) -> None:
    assert (await guarded.get(path)).status == 200


async def test_a_scrapers_token_reads_metrics_and_no_user(guarded: Http) -> None:
    headers = {"Authorization": f"Bearer {SCRAPER}"}
    assert (await guarded.get("/metrics", headers=headers)).status == 200
    assert (await guarded.get("/recommendations/u1", headers=headers)).status == 401


async def test_a_client_that_asks_too_often_is_told_when_to_come_back_and_probes_still_answer(
    redis_settings: RedisSettings, registry: CollectorRegistry
) -> None:
    async with client_of(redis_settings, registry, requests_per_second=2.0) as http:
        statuses = [(await http.get("/items/a")).status for _ in range(6)]
        assert statuses[:2] == [404, 404]
        assert statuses.count(429) >= 3
        refused = await http.get("/items/a")
        assert refused.headers["Retry-After"] == "1"
        assert (await refused.json(content_type=None))["title"] == "Too Many Requests"
        assert [(await http.get("/healthz")).status for _ in range(6)] == [200] * 6


async def test_wrong_tokens_count_towards_the_limit(redis_settings: RedisSettings, registry: CollectorRegistry) -> None:
    async with client_of(redis_settings, registry, tokens=TOKEN, requests_per_second=2.0) as http:
        statuses = [(await http.get("/users", headers={"Authorization": f"Bearer {n}"})).status for n in range(6)]
        assert statuses[:2] == [401, 401]
        assert 429 in statuses


@pytest.mark.parametrize("path", ["/healthz", "/recommendations/u1", "/events/click"])
async def test_a_large_body_is_refused_on_every_path(http: Http, path: str) -> None:
    response = await http.request("GET" if path != "/events/click" else "POST", path, data=b"x" * 4097)
    assert response.status == 413
    assert "4096 bytes" in (await response.json(content_type=None))["detail"]


async def test_a_large_body_of_unknown_length_is_refused_where_it_is_read(
    redis_settings: RedisSettings, registry: CollectorRegistry
) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        yield b'{"user_id":"u1","item_id":"'
        yield b"x" * 5000
        yield b'"}'

    async with client_of(redis_settings, registry, KafkaSettings(bootstrap="127.0.0.1:1"), tokens=TOKEN) as http:
        headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
        response = await http.post("/events/click", data=chunks(), headers=headers)
        assert response.status == 413


async def test_no_response_tells_versions_or_may_be_framed_or_sniffed(guarded: Http) -> None:
    for path in (*OPEN, *CLOSED):
        headers = (await guarded.get(path)).headers
        assert headers["Server"] == "headrace"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert "Set-Cookie" not in headers
        assert "Access-Control-Allow-Origin" not in headers


async def test_the_page_asks_for_the_token_and_keeps_it_in_its_tab_alone(
    tmp_path: Path, guarded: Http, shop: Shop
) -> None:
    shop.item("kettle", title="Kettle")
    shop.listed("u1", "kettle")
    shop.worker("w1", accepted=7, ready=True)
    url = str(guarded.make_url("/"))
    async with browser_page(tmp_path) as page:
        await page.open(f"{url}#users/u1")
        await page.until("!document.getElementById('access').hidden")
        assert not await page.run("document.body.innerText.includes('Kettle')")
        for given, shown in (("wrong-token-0123456789", "does not know this token"), (TOKEN, "Kettle")):
            await page.run("document.getElementById('token').focus()")
            await page.type(given)
            await page.press("Enter", 13, "\r")
            await page.until(f"document.body.innerText.includes('{shown}')")
        await page.until("document.querySelector('#accepted span')?.textContent === '7'")
        assert await page.run("document.getElementById('access').hidden")
        assert await page.run("document.cookie") == ""
        assert await page.run("Object.keys(localStorage).length") == 0
        assert TOKEN not in await page.run("document.documentElement.outerHTML")
        # A new visit in the same tab needs no second question.
        await page.open(f"{url}#users/u1")
        await page.until("document.body.innerText.includes('Kettle')")
        assert await page.run("document.getElementById('access').hidden")
        assert [each for each in page.complaints if not ("401" in each or "404" in each)] == []
