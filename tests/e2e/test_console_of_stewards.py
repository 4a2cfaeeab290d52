"""The parts of the console for data stewards and shop owners: items, data quality, outcomes."""

from collections.abc import AsyncIterator
from pathlib import Path

import orjson
import pytest
from browser import Page, browser_page
from prometheus_client import CollectorRegistry
from quarantining import USER, file_row, free_order, quarantine
from shops import Shop, client_of

from app.concerns import KafkaSettings, RedisSettings

REPAIR = {"field": "title", "rule": "entities", "before": "T &amp;", "after": "T &", "confidence": 1.0}


def text_of(name: str) -> str:
    return f"document.getElementById('{name}').innerText"


@pytest.fixture
async def page(tmp_path: Path) -> AsyncIterator[Page]:
    async with browser_page(tmp_path) as found:
        await found.resize(1200, 900)
        yield found
        assert [each for each in found.complaints if "404" not in each] == []  # nothing similar is known


@pytest.fixture
def stocked(shop: Shop) -> Shop:
    """Three items, of which one is hidden for its text."""
    shop.item("c1", title="Tea cup", category="home", available="1", quality="0.93", recommendable="1")
    shop.item("k1", title="Kettle", category="home", price="19.5", available="1", quality="0.25", recommendable="1")
    shop.item(
        "bad", title="BUY NOW!!!", available="1", quality="0.07", recommendable="0", reasons='["spam"]',
        repairs=orjson.dumps([REPAIR]).decode(), url="javascript:alert(1)", image_url="https://a.example/b.png",
    )  # fmt: skip
    shop.similar("bad", "c1")
    return shop


@pytest.mark.usefixtures("stocked")
async def test_a_steward_finds_out_why_an_item_is_hidden(
    page: Page, redis_settings: RedisSettings, registry: CollectorRegistry
) -> None:
    async with client_of(redis_settings, registry) as http:
        await page.open(f"{http.make_url('/')}#items")
        await page.until("document.querySelectorAll('#item-rows tr').length === 3")
        await page.run("document.getElementById('hidden-only').click()")
        await page.until(f"{text_of('items-note')} === '1 found among 3 items'")
        await page.run("document.querySelector('#item-rows button').click()")
        await page.until("document.querySelectorAll('#similar li').length === 1")
        shown = await page.run(text_of("item"))
        for part in ("hidden: spam", "0.07 of 1", "title, entities", "before: T &amp;", "after: T &", "by users"):
            assert part in shown
        links = await page.run("[...document.querySelectorAll('#item a')].map(each => each.href)")
        assert links == ["https://a.example/b.png"]
        await page.run("document.querySelector('#similar button').click()")
        await page.until(f"{text_of('item-title')} === 'Tea cup'")
        assert await page.run("location.hash") == "#items/c1"


@pytest.mark.usefixtures("stocked")
async def test_a_steward_finds_the_field_at_fault_and_tries_a_threshold(
    page: Page, redis_settings: RedisSettings, registry: CollectorRegistry, kafka: KafkaSettings
) -> None:
    await quarantine(kafka, [])
    async with client_of(redis_settings, registry, kafka) as http:
        await page.open(f"{http.make_url('/')}#quality")
        await page.until(f"{text_of('quarantine-note')} === '0 records' && !quality.reading")
        assert await page.run("['by-topic', 'newest'].every(name => document.getElementById(name).hidden)")
        await quarantine(kafka, [free_order(kafka, 1), free_order(kafka, 2), file_row()])
        await page.run("quality.due = 0, void refreshQuality()")
        await page.until("document.querySelectorAll('#records li').length === 3")
        assert "zero_price" in await page.run(text_of("quarantine-reasons"))
        await page.run("document.querySelector('#quarantine-reasons button').click()")
        await page.until(f"{text_of('records-title')} === 'Newest records: zero price'")
        await page.until(
            f"{text_of('replay')}.endsWith('replay --reason zero_price --dry-run. Without --dry-run it is sent again.')"
        )
        marked = await page.run("[...document.querySelectorAll('#records mark')].map(each => each.textContent)")
        assert marked == ['"price":0', '"price":0']
        assert USER not in await page.run("document.body.innerText")
        await page.until("document.querySelectorAll('#histogram rect').length === 50")
        threshold = "document.getElementById('threshold')"
        await page.run(f"{threshold}.value = 0.3, {threshold}.dispatchEvent(new Event('input'))")
        said = await page.run(text_of("threshold-said"))
        assert "=0.30 would hide 2 of 3 judged items; the default, 0.20, hides 1." in said
        assert "title" in await page.run(text_of("completeness"))
        assert "before: T &amp;" in await page.run(text_of("repaired"))


async def test_an_owner_sees_how_often_lists_held_what_users_took(
    page: Page, redis_settings: RedisSettings, registry: CollectorRegistry, shop: Shop
) -> None:
    shop.worker(
        "w1", ready=True, scored={"click": 200, "order": 10}, hits={"click": 50, "order": 4},
        reciprocals={"click": 20.0}, hits_by_source={"neighbours": 45, "trending": 9},
        listed={"neighbours": 900, "trending": 100},
        ranker={
            "leads": "linear", "version": 3, "learned_lists": 1200,
            "hit_rate": {"formula": 0.2, "linear": 0.31}, "mrr": {"formula": 0.1, "linear": 0.15},
        },
    )  # fmt: skip
    async with client_of(redis_settings, registry) as http:
        await page.open(f"{http.make_url('/')}#outcomes")
        await page.until("document.querySelectorAll('#outcome-figures dd').length === 2")
        figures = await page.run(text_of("outcome-figures"))
        assert "25 %\n50 of 200 stood in the list that the user had; MRR 0.100" in figures
        assert "40 %" in figures
        assert "83 % · 45" in await page.run(text_of("hit-sources"))
        assert "90 % · 900" in await page.run(text_of("list-sources"))
        assert "linear ranks lists now; weights 3, learned from 1,200 lists" in await page.run(text_of("ranker"))
        assert "31 % \u00b7 MRR 0.150" in await page.run(text_of("ranker-rates"))
