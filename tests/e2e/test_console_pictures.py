"""Pictures of items on the console page, in a real browser: from the origins that the settings
allow.
"""

from base64 import b64decode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from browser import Page, browser_page
from prometheus_client import CollectorRegistry
from shops import Shop, client_of

from app.concerns import RedisSettings

# One pixel.
PNG = b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGP4z8DwHwAFAAH/iZk9HQAAAABJRU5ErkJggg==")
LISTED = "document.querySelectorAll('#item-rows tr').length === 3"


class Pictures:
    """A server of pictures, and what it was asked for."""

    def __init__(self) -> None:
        self.asked: list[web.Request] = []
        application = web.Application()
        application.router.add_get("/{name}", self.show)
        self.server = TestServer(application)

    async def show(self, request: web.Request) -> web.Response:
        self.asked.append(request)
        if request.match_info["name"] == "gone.png":
            raise web.HTTPNotFound
        return web.Response(body=PNG, content_type="image/png")

    @property
    def origin(self) -> str:
        return f"http://{self.server.host}:{self.server.port}"


@pytest.fixture
async def pictures() -> AsyncIterator[Pictures]:
    found = Pictures()
    async with found.server:
        yield found


@pytest.fixture
def stocked(shop: Shop, pictures: Pictures) -> Shop:
    shop.item("k1", title="Kettle", available="1", image_url=f"{pictures.origin}/kettle.png")
    shop.item("g1", title="Gone", available="1", image_url=f"{pictures.origin}/gone.png")
    shop.item("o1", title="Elsewhere", available="1", image_url="https://elsewhere.example/o1.png")
    shop.similar("k1", "g1")
    return shop


@asynccontextmanager
async def opened(
    page: Page, redis: RedisSettings, registry: CollectorRegistry, pictures_from: str
) -> AsyncIterator[None]:
    """Open the table of items, and the kettle beside it."""
    async with client_of(redis, registry, pictures_from=pictures_from) as client:
        await page.open(f"{client.make_url('/')}#items/k1")
        await page.until(LISTED)
        await page.until("document.querySelectorAll('#similar li').length === 1")
        yield


@pytest.fixture
async def page(tmp_path: Path) -> AsyncIterator[Page]:
    async with browser_page(tmp_path) as found:
        await found.resize(1200, 900)
        yield found


async def test_pictures_of_allowed_origins_are_shown_and_a_broken_one_is_not(
    page: Page, stocked: Shop, redis_settings: RedisSettings, registry: CollectorRegistry, pictures: Pictures
) -> None:
    async with opened(page, redis_settings, registry, f"https://other.example {pictures.origin}"):
        await page.until("document.querySelector('#item-facts img')?.naturalWidth === 1")
        await page.until("document.querySelectorAll('#item-rows img').length === 1")
        assert await page.run("document.querySelector('#item-rows img').naturalWidth") == 1
    assert {each.path for each in pictures.asked} == {"/kettle.png", "/gone.png"}
    assert all("Referer" not in each.headers for each in pictures.asked)
    assert [each for each in page.complaints if "gone.png" not in each] == []


async def test_without_the_setting_nothing_is_fetched_and_the_picture_is_a_link(
    page: Page, stocked: Shop, redis_settings: RedisSettings, registry: CollectorRegistry, pictures: Pictures
) -> None:
    async with opened(page, redis_settings, registry, ""):
        assert await page.run("document.querySelector('#item-facts a').href") == f"{pictures.origin}/kettle.png"
        assert await page.run("document.querySelectorAll('img').length") == 0
    assert pictures.asked == []
    assert page.complaints == []
