"""The map of the catalogue by meaning, over HTTP and on the console page in a real browser."""

from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest
from browser import Page, browser_page
from prometheus_client import CollectorRegistry
from shops import Shop, client_of

from app.concerns import RedisSettings
from models.quality.assessment import pack_vector

TITLES = {"tea": ("Green tea", "Drinks/Tea", (1, 0, 0)), "chai": ("Chai", "Drinks/Tea", (0.9, 0.1, 0))}
OTHERS = {"saw": ("Hand saw", "Tools", (0, 1, 0)), "axe": ("Axe <b>", "Tools", (0.1, 0.9, 0.1))}
DOTS = "[...document.querySelectorAll('#map circle, #map rect')]"


@pytest.fixture
def stocked(shop: Shop) -> Shop:
    for item_id, (title, category, direction) in {**TITLES, **OTHERS}.items():
        shop.item(item_id, title=title, category=category, available="1")
        vector = pack_vector(np.array(direction, np.float32))
        shop.redis.hset(shop.keys.item(item_id), mapping={"vector": vector, "vector_model": "m1"})
    shop.item("axe", available="0")
    shop.item("plain", title="Without a vector", available="1")
    older = pack_vector(np.array((1, 0), np.float32))
    shop.item("older", title="Of another model", available="1")
    shop.redis.hset(shop.keys.item("older"), mapping={"vector": older, "vector_model": "m0"})
    return shop


@pytest.fixture
async def page(tmp_path: Path) -> AsyncIterator[Page]:
    async with browser_page(tmp_path) as found:
        await found.resize(1200, 900)
        yield found


@pytest.mark.usefixtures("stocked")
async def test_items_of_a_similar_meaning_are_near_each_other(
    redis_settings: RedisSettings, registry: CollectorRegistry
) -> None:
    async with client_of(redis_settings, registry) as http:
        found = await (await http.get("/catalogue/map")).json()
    places = {each["item_id"]: np.array((each["x"], each["y"])) for each in found["items"]}
    assert (set(places), found["left_out"]) == ({"tea", "chai", "saw", "axe"}, 2)
    apart = {name: float(np.linalg.norm(places["tea"] - place)) for name, place in places.items()}
    assert apart["chai"] < min(apart["saw"], apart["axe"]) / 3
    assert {each["item_id"] for each in found["items"] if not each["shown"]} == {"axe"}


@pytest.mark.usefixtures("stocked")
async def test_the_map_shows_items_with_their_categories_and_opens_one(
    page: Page, redis_settings: RedisSettings, registry: CollectorRegistry
) -> None:
    async with client_of(redis_settings, registry) as http:
        await page.open(f"{http.make_url('/')}#quality")
        await page.until(f"{DOTS}.length === 4")
        titles = await page.run(f"{DOTS}.map(each => each.textContent)")
        assert sorted(titles) == [
            "Axe <b>, Tools, hidden", "Chai, Drinks/Tea", "Green tea, Drinks/Tea", "Hand saw, Tools",
        ]  # fmt: skip
        note = await page.run("document.getElementById('map-note').innerText")
        assert "4 items, without 2 that have no vector" in note
        assert "Squares: 1 that no list holds" in note
        legend = await page.run("[...document.querySelectorAll('#map span')].map(each => each.textContent.trim())")
        assert sorted(legend) == ["Drinks", "Tools"]
        await page.run(f"{DOTS}.find(each => each.textContent.startsWith('Chai')).dispatchEvent(new Event('click'))")
        await page.until("document.getElementById('item-title').innerText === 'Chai'")


async def test_a_catalogue_without_vectors_has_no_map(
    page: Page, shop: Shop, redis_settings: RedisSettings, registry: CollectorRegistry
) -> None:
    shop.item("tea", title="Green tea", available="1")
    async with client_of(redis_settings, registry) as http:
        await page.open(f"{http.make_url('/')}#quality")
        await page.until("document.getElementById('summary-note').innerText.startsWith('1 items') && !quality.reading")
        assert await page.run("document.getElementById('map-part').hidden")
