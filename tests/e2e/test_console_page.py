"""The console page in a real browser, on a real Redis and broker. The test plays the worker."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pytest
from aiokafka import AIOKafkaConsumer  # type: ignore[import-untyped]  # aiokafka ships no types
from browser import Page, browser_page
from prometheus_client import CollectorRegistry
from shops import NOW, Shop, client_of

from app.concerns import KafkaSettings, RedisSettings

ROWS = "[...document.querySelectorAll('#rows tr')].map(row => [...row.cells].map(cell => cell.innerText.trim()))"
HISTORY = "[...document.querySelectorAll('#history li')].map(entry => entry.innerText)"
LISTED = "document.querySelectorAll('#rows tr').length > 0"


@dataclass(frozen=True, slots=True)
class Console:
    """The page, its address, and the Kafka that takes its clicks."""

    page: Page
    url: str
    kafka: KafkaSettings


@pytest.fixture
async def page(tmp_path: Path) -> AsyncIterator[Page]:
    async with browser_page(tmp_path) as found:
        await found.resize(1200, 900)
        yield found
        assert found.complaints == []


@pytest.fixture
async def console(
    page: Page, redis_settings: RedisSettings, registry: CollectorRegistry, kafka: KafkaSettings
) -> AsyncIterator[Console]:
    async with client_of(redis_settings, registry, kafka) as http:
        yield Console(page, str(http.make_url("/")), kafka)


@pytest.fixture
def stocked(shop: Shop) -> Shop:
    """A user with a list and a history, and a catalogue."""
    for item_id, title, category in (
        ("k1", "Kettle <b>steel</b>", "home/kitchen"),
        ("c1", "Tea cup", "home/kitchen"),
        ("p1", "Tea pot", "home/kitchen"),
        ("s1", "Spoon", ""),
    ):
        shop.item(item_id, title=title, category=category, available="1")
    shop.listed("anna/1", "k1", "c1", "unknown-item")
    shop.history("anna/1", ("p1", NOW, "view"))
    shop.similar("p1", "k1", sessions=14)
    shop.worker(
        "w1", accepted=1234567, duplicates=12, foreign_key=5, quarantined=3, items_quarantined=1110,
        events_per_second=842.0, freshness_p50=0.0123, freshness_p99=1.5, lag=7, ready=True,
    )  # fmt: skip
    return shop


async def play_worker(kafka: KafkaSettings, shop: Shop, *item_ids: str) -> dict[str, Any]:
    """Take the first click from the topic, and write the new list and history.

    Returns the record of the click.
    """
    consumer = AIOKafkaConsumer(
        kafka.topic_prefix + "clicks", bootstrap_servers=kafka.bootstrap, auto_offset_reset="earliest"
    )
    await consumer.start()
    try:
        async with asyncio.timeout(30):
            record = await consumer.getone()
    finally:
        await consumer.stop()
    event: dict[str, Any] = orjson.loads(record.value)
    shop.history("anna/1", (event["item_id"], event["ts"], "click"), ("p1", NOW, "view"))
    shop.listed("anna/1", *item_ids, event_ts=event["ts"], generated_at=event["ts"] + 0.005)
    return {"key": record.key.decode(), **event}


async def look_up(console: Console, user_id: str) -> None:
    """Type the id and press Enter, as a person would."""
    await console.page.run("document.getElementById('user').focus()")
    await console.page.run("document.getElementById('user').value = ''")
    await console.page.type(user_id)
    await console.page.press("Enter", 13, "\r")


async def test_a_user_is_looked_up_with_the_keyboard(console: Console, stocked: Shop) -> None:
    page = console.page
    await page.open(console.url)
    await page.run("document.getElementById('tab-overview').focus()")
    await page.press("ArrowRight", 39)
    await page.until("document.activeElement.id === 'tab-users'")
    await look_up(console, "anna/1")
    await page.until(LISTED)
    assert await page.run("location.hash") == "#users/anna%2F1"
    assert await page.run(ROWS) == [
        [
            "1",
            "Kettle <b>steel</b>\nk1\nbecause of Tea pot: 14 sessions have both",
            "home/kitchen",
            "1.000",
            "neighbours",
            "Click",
        ],
        ["2", "Tea cup\nc1\nin sessions like this one", "home/kitchen", "0.990", "neighbours", "Click"],
        ["3", "unknown-item\nin sessions like this one", "\u2013", "0.980", "neighbours", "Click"],
    ]
    (entry,) = await page.run(HISTORY)
    assert entry.startswith("Tea pot\nview ")
    assert await page.run("document.getElementById('list-note').textContent.startsWith('vmis-knn, made ')")


@pytest.mark.parametrize("user_id", [".", "..", "a/b?c#d"])
async def test_any_user_id_can_be_looked_up(console: Console, stocked: Shop, user_id: str) -> None:
    stocked.listed(user_id, "k1")
    stocked.history(user_id, ("c1", NOW, "view"))
    await console.page.open(f"{console.url}#users")
    await look_up(console, user_id)
    await console.page.until(LISTED)
    assert [row[1] for row in await console.page.run(ROWS)] == ["Kettle <b>steel</b>\nk1\nin sessions like this one"]
    assert (await console.page.run(HISTORY))[0].startswith("Tea cup")


async def test_live_figures_are_shown_with_what_they_mean_and_how_they_are(console: Console, stocked: Shop) -> None:
    for _ in range(8):  # a browser opens six connections to a server: each visit must let its own go
        await console.page.open(console.url)
        await console.page.until("document.querySelector('#accepted') !== null")
    await console.page.until("document.querySelector('#accepted span')?.textContent === '1,234,567'")
    shown = await console.page.run(
        "['rate', 'p50', 'p99', 'foreign_key', 'quarantined', 'items_quarantined', 'lag', 'ready']"
        ".map(id => [...document.getElementById(id).children].slice(0, 2).map(part => part.textContent).join(' '))"
    )
    assert shown == [
        "842 flowing",
        "12.3 ms good",
        "1.5 s slow",
        "5 mend the producer",
        "3 few",
        "1,110 look",
        "7 good",
        "1 of 1 all",
    ]
    assert await console.page.run("[...document.querySelectorAll('dd small')].every(each => each.textContent)")
    assert "842 events a second" in await console.page.run("document.getElementById('workers').innerText")


async def test_figures_of_the_last_minutes_are_there_after_a_reload_and_a_chart_is_read_by_keys(
    console: Console, stocked: Shop
) -> None:
    page = console.page
    await page.open(console.url)
    for step in range(7):  # a point comes every 5 s
        stocked.worker("w1", accepted=step, kinds={"view": 50 * step}, lag_by_topic={"views": step}, ready=True)
        await page.until(f"document.querySelector('#accepted span')?.textContent === '{step}'")
    await page.until("document.querySelectorAll('#rates path.s0').length > 0")
    await page.open(console.url)
    await page.until("document.querySelectorAll('#rates path.s0').length > 0", 1.0)
    await page.run("document.querySelector('#rates svg').focus()")
    await page.press("ArrowLeft", 37)
    label = "document.querySelector('#rates svg').getAttribute('aria-label')"
    await page.until(f"/^Accepted events a second, [0-9:]+( [AP]M)?: view [0-9]/.test({label})")


async def test_a_click_changes_the_list(console: Console, stocked: Shop) -> None:
    page = console.page
    await page.open(f"{console.url}#users/anna%2F1")
    await page.until(LISTED)
    worker = asyncio.create_task(play_worker(console.kafka, stocked, "c1", "p1", "s1"))
    await page.run("document.querySelector('#rows button').click()")
    click = await worker
    assert (click["key"], click["user_id"], click["item_id"]) == ("anna/1", "anna/1", "k1")
    await page.until(
        "document.getElementById('status').innerText.includes(' ms from the click on Kettle <b>steel</b>')"
    )
    assert "2 new, 2 gone" in await page.run("document.getElementById('status').innerText")
    assert [row[:2] for row in await page.run(ROWS)] == [
        ["1▲1", "Tea cup\nc1\nin sessions like this one"],
        ["2new", "Tea pot\np1\nbecause of Kettle <b>steel</b>: 14 sessions have both"],
        ["3new", "Spoon\ns1\nin sessions like this one"],
    ]
    await page.until(f"{HISTORY}.length === 2")
    assert (await page.run(HISTORY))[0].startswith("Kettle <b>steel</b>\nclick ")


async def test_the_page_says_which_item_of_the_history_is_unknown(console: Console, stocked: Shop) -> None:
    stocked.history("anna/1", ("no-such-item", NOW, "click"), ("p1", NOW, "view"))
    stocked.lists_known_only()
    await console.page.open(f"{console.url}#users/anna%2F1")
    await console.page.until(LISTED)
    unknown, known = await console.page.run(HISTORY)
    assert unknown.startswith("no-such-item\nclick ")
    assert unknown.endswith(" · unknown item")
    assert "unknown" not in known
    assert [row[1] for row in await console.page.run(ROWS)] == [
        "Kettle <b>steel</b>\nk1\nbecause of Tea pot: 14 sessions have both",
        "Tea cup\nc1\nin sessions like this one",
    ]


async def test_the_scores_of_a_long_trending_list_differ_on_the_page_too(console: Console, stocked: Shop) -> None:
    stocked.history("stranger", ("p1", NOW, "view"))
    stocked.redis.zadd(stocked.keys.trending(), {"k1": 1.0, "c1": 0.0004, "p1": 0.00000012})
    await console.page.open(f"{console.url}#users/stranger")
    await console.page.until(LISTED)
    assert [row[3] for row in await console.page.run(ROWS)] == ["1.000", "0.00040", "1.2e-7"]


async def test_any_item_can_be_clicked_by_its_id(console: Console, stocked: Shop) -> None:
    stocked.listed("bob", "c1")
    stocked.history("bob", ("p1", NOW, "view"))
    page = console.page
    await page.open(f"{console.url}#users/anna%2F1")
    await page.until(LISTED)
    worker = asyncio.create_task(play_worker(console.kafka, stocked, "c1"))
    await page.run("document.getElementById('clicked').focus()")
    await page.type("s1 & <i>")
    await page.press("Enter", 13, "\r")
    assert (await worker)["item_id"] == "s1 & <i>"
    await page.until("document.getElementById('status').innerText.includes(' ms ')")
    await page.run("location.hash = '#users/bob'")
    await page.until("document.getElementById('clicked').value === ''")


async def test_a_user_is_there_from_the_start_and_an_unknown_one_gets_what_is_trending(
    console: Console, stocked: Shop
) -> None:
    page = console.page
    stocked.trending("c1")
    await page.open(f"{console.url}#users")
    await page.until("document.getElementById('list-title').textContent === 'List of anna/1'")
    await page.until("document.querySelectorAll('#recent button').length === 1")
    await look_up(console, "stranger")
    await page.until("document.getElementById('list-title').textContent === 'List of stranger'")
    assert "trending" in await page.run("document.getElementById('list-note').textContent")
    assert not await page.run("document.getElementById('history-empty').hidden")
    # the history does not exist
    page.complaints = [each for each in page.complaints if "404" not in each]


async def test_the_open_user_changes_by_itself_and_the_feed_tells_of_it(console: Console, stocked: Shop) -> None:
    page = console.page
    await page.open(f"{console.url}#users/anna%2F1")
    await page.until(LISTED)
    stocked.history("anna/1", ("s1", NOW + 1, "order"), ("p1", NOW, "view"))
    stocked.listed("anna/1", "c1", "s1", event_ts=NOW + 1, generated_at=NOW + 1.25)
    await page.until("document.getElementById('status').innerText === 'A new list came: 1 new, 2 gone.'")
    assert [row[:2] for row in await page.run(ROWS)] == [
        ["1▲1", "Tea cup\nc1\nin sessions like this one"],
        ["2new", "Spoon\ns1\nin sessions like this one"],
    ]
    await page.run("document.getElementById('tab-overview').click()")
    await page.until("document.querySelector('#feed li')?.innerText.startsWith('anna/1 order · Spoon')")
    assert "Tea cup · Spoon" in await page.run("document.querySelector('#feed li').innerText")
    await page.run("history.back()")
    await page.until("!document.getElementById('panel-users').hidden")


async def test_an_empty_store_is_shown_as_empty(console: Console, shop: Shop) -> None:
    page = console.page
    await page.open(f"{console.url}#users")
    await page.until("document.getElementById('recent-note').textContent === 'No user has a list yet.'")
    await page.until("document.getElementById('alarm').innerText.startsWith('No worker is running')")
    await look_up(console, "u1")
    await page.until("!document.getElementById('list-empty').hidden")
    # the history does not exist
    page.complaints = [each for each in page.complaints if "404" not in each]


async def test_a_narrow_screen_needs_no_sideways_scrolling(console: Console, stocked: Shop) -> None:
    page = console.page
    await page.resize(360, 800)
    for part, ready in (
        ("users/anna%2F1", LISTED),
        ("overview", "document.querySelector('#workers h3') !== null"),
        ("items", "document.querySelectorAll('#item-rows tr').length === 4"),
        ("quality", "document.querySelectorAll('#completeness li').length === 6"),
    ):
        await page.open(f"{console.url}#{part}")
        await page.until(ready)
        assert await page.run("document.documentElement.scrollWidth <= 360")
    page.complaints = [each for each in page.complaints if "503" not in each]  # there is no quarantine


async def test_a_store_that_is_away_is_shown_as_away(page: Page, registry: CollectorRegistry) -> None:
    async with client_of(RedisSettings("redis://127.0.0.1:1/0", timeout_seconds=0.5), registry) as http:
        await page.open(f"{http.make_url('/')}#users/u1")
        for place in ("alarm", "status"):
            await page.until(f"document.getElementById('{place}').innerText.includes('Redis does not answer')")
        assert await page.run("document.getElementById('click').hidden")
        page.complaints = [each for each in page.complaints if "503" not in each]
