"""The catalogue summed up while one Redis takes over from another: nothing is missed in silence."""

from collections.abc import AsyncIterator
from pathlib import Path

import orjson
import pytest
from aiohttp.test_utils import make_mocked_request
from redis_pair import Pair, two_servers
from typing_extensions import override
from workers import until

from app.concerns import RedisSettings
from app.store import catalogue_pages
from app.store.catalogue_pages import CatalogueChoice, CataloguePage
from app.store.clustered import START, Place
from app.store.lookup import Lookups
from app.web.summary import SummaryResource
from headrace.keys import Keys

ITEMS = 3000
KEYS = Keys("hr:")


class Interrupted(Lookups):
    """Look-ups that lose their server after the first page of a reading."""

    pair: Pair
    failovers: int

    @override
    async def catalogue(self, choice: CatalogueChoice, place: Place, k: int) -> CataloguePage:
        page = await super().catalogue(choice, place, k)
        if self.failovers and place == START:
            self.failovers -= 1
            self.pair.fail_over()
            self.pair = Pair(self.pair.line, self.pair.second, self.pair.first)
            # Ends the connections to the old server, and finds the new one.
            self.pair.second.client_kill_filter(_type="normal", skipme=True)
            await self.ping()
        return page


@pytest.fixture
async def lookups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Interrupted]:
    # A page is 200 keys, so there are about 15.
    monkeypatch.setattr(catalogue_pages, "MOST_STEPS", 1)
    with two_servers(tmp_path) as pair:
        pipeline = pair.first.pipeline(transaction=False)
        for number in range(ITEMS):
            pipeline.hset(KEYS.item(f"i{number}"), "title", f"Item {number}")
        pipeline.execute()
        until(lambda: pair.second.dbsize() == ITEMS)
        found = Interrupted.connect(RedisSettings(url=pair.url), 0.0)
        found.pair = pair
        yield found
        await found.close()


async def counted(lookups: Lookups) -> tuple[int, bool]:
    answer = await SummaryResource(lookups, lambda: 0.0).show(make_mocked_request("GET", "/catalogue/summary"))
    assert isinstance(answer.body, bytes)
    counts = orjson.loads(answer.body)
    return counts["items"], counts["is_whole"]


@pytest.mark.parametrize("failovers", [0, 1])
async def test_all_items_are_counted_though_a_server_fails_meanwhile(lookups: Interrupted, failovers: int) -> None:
    lookups.failovers = failovers
    assert await counted(lookups) == (ITEMS, True)
    assert lookups.failovers == 0


async def test_counts_that_may_lack_items_say_so(lookups: Interrupted) -> None:
    lookups.failovers = 2
    items, is_whole = await counted(lookups)
    assert items <= ITEMS
    assert not is_whole
