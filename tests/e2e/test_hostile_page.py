"""The console page shows hostile titles, ids and categories as text, and runs none of them."""

from pathlib import Path

import pytest
from browser import browser_page
from prometheus_client import CollectorRegistry
from shops import NOW, Shop, client_of

from app.concerns import KafkaSettings, RedisSettings

HOSTILE = (
    "<script>window.hit = 1</script>",
    '"><img src=x onerror="window.hit = 1">',
    "<svg/onload=window.hit=1>",
    "</script><script>window.hit = 1</script>",
    "';window.hit=1;'",
    "${window.hit = 1}`",
    "javascript:window.hit=1",
    "<iframe srcdoc='<script>parent.hit=1</script>'></iframe>",
    "<style>*{display:none}</style>",
    "<base href='//evil.example/'>",
    "<meta http-equiv=refresh content='0;url=//evil.example/'>",
    "&lt;script&gt;window.hit=1&lt;/script&gt;",
    "__proto__",
    "constructor",
    "\u202egnp.exe",
    "%3Cscript%3Ewindow.hit=1%3C/script%3E",
)
TEXTS = "[...document.querySelectorAll('#rows tr')].map(row => row.cells[1].firstChild.nodeValue)"
ELEMENTS = (
    "document.querySelectorAll('main script, main img, main iframe, base, main style, main a,"
    " main :not(figure):not(figcaption span) > svg').length"
)


@pytest.mark.parametrize("click", [False, True])
async def test_hostile_texts_are_shown_as_they_are(
    click: bool,
    tmp_path: Path,
    redis_settings: RedisSettings,
    registry: CollectorRegistry,
    kafka: KafkaSettings,
    shop: Shop,
) -> None:
    user = HOSTILE[0]
    for number, text in enumerate(HOSTILE):
        shop.item(f"i{number}", title=text, category=text, brand=text)
    shop.listed(user, *(f"i{number}" for number in range(len(HOSTILE))), *HOSTILE[:4])  # 20: as many as the page shows
    shop.history(user, *((text, NOW, text) for text in HOSTILE), *((f"i{n}", NOW, "view") for n in range(len(HOSTILE))))
    shop.worker(HOSTILE[1], accepted=1, ready=True)
    for text in HOSTILE[1:5]:
        shop.listed(text, "i0")
    async with client_of(redis_settings, registry, kafka) as http, browser_page(tmp_path) as page:
        await page.open(f"{http.make_url('/')}#users")
        await page.until("document.querySelectorAll('#recent button').length === 5")
        await page.run("document.getElementById('user').value = " + repr(user))
        await page.run("document.getElementById('lookup').requestSubmit()")
        await page.until(f"document.querySelectorAll('#rows tr').length === {len(HOSTILE) + 4}")
        await page.until(f"document.querySelectorAll('#history li').length === {2 * len(HOSTILE)}")
        assert await page.run(TEXTS) == [*HOSTILE, *HOSTILE[:4]]
        assert await page.run("document.getElementById('list-title').textContent") == f"List of {user}"
        if click:
            await page.run("document.querySelector('#rows button').click()")
            await page.until("document.getElementById('status').innerText.includes('<script>window.hit')")
        assert await page.run("window.hit === undefined && location.host !== 'evil.example'")
        assert await page.run(ELEMENTS) == 0
        await page.run("document.getElementById('tab-overview').click()")
        await page.until("document.getElementById('workers').innerText.includes('onerror')")
        await page.until("document.getElementById('feed').innerText.includes('<script>window.hit')")
        assert await page.run("window.hit === undefined")
        assert await page.run(ELEMENTS) == 0
        await page.run("document.getElementById('tab-items').click()")
        await page.until(f"document.querySelectorAll('#item-rows tr').length === {len(HOSTILE)}")
        await page.run("document.querySelector('#item-rows button').click()")
        await page.until("document.querySelectorAll('#item-facts dd').length > 4")
        assert await page.run("window.hit === undefined")
        assert await page.run(ELEMENTS) == 0
        # A fragment may come from a hostile link.
        await page.open(f"{http.make_url('/')}#users/%22%3E%3Cimg%20src%3Dx%20onerror%3Dwindow.hit%3D1%3E")
        await page.until("document.getElementById('list-title').textContent.includes('<img')")
        assert await page.run("window.hit === undefined")
        assert await page.run(ELEMENTS) == 0
        assert [each for each in page.complaints if "404" not in each] == []


async def test_the_policy_stops_markup_that_would_get_in_nevertheless(
    tmp_path: Path, redis_settings: RedisSettings, registry: CollectorRegistry
) -> None:
    async with client_of(redis_settings, registry) as http, browser_page(tmp_path) as page:
        await page.open(f"{http.make_url('/')}")
        await page.run("document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=\"window.hit = 1\">')")
        await page.run(
            "document.body.append(Object.assign(document.createElement('script'), {textContent: 'window.hit = 1'}))"
        )
        await page.until("true")
        assert await page.run("new Promise(done => setTimeout(() => done(window.hit === undefined), 200))")
        assert any("Content Security Policy" in each for each in page.complaints)
