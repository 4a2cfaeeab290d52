"""The lists of `headrace run` when today's clicks follow a log of 1998.

One click names an item that does not exist.
"""

import re
import select
import signal
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
import redis
from workers import HEADRACE, PATIENCE_SECONDS, until

from app.concerns import EmbeddedSettings
from app.datasets.record import Dataset
from app.datasets.sample import sample_dataset
from app.errors import HeadraceError
from models.catalogue import Catalogue
from models.profile import ProfileSettings
from models.trending import Trending, TrendingSettings
from models.vocabulary import Vocabulary

START = 893_000_000  # in April 1998
FILMS = 60
# the order of the names says nothing
BY_POPULARITY = [f"f{number * 37 % FILMS:02}" for number in range(FILMS)]
NO_SUCH = "no-such-item"


@dataclass(frozen=True, slots=True)
class RunningShop:
    """Everything that `headrace run` started, used as a shop would."""

    page: str
    metrics: str
    store: "redis.Redis"

    def get(self, path: str) -> Any:
        with urllib.request.urlopen(f"{self.page}{path}") as answer:
            return orjson.loads(answer.read())

    def listed(self, user_id: str, k: int) -> list[str]:
        return [each["item_id"] for each in self.get(f"/recommendations/{user_id}?k={k}")["items"]]

    def click(self, user_id: str, item_id: str) -> None:
        body = orjson.dumps({"user_id": user_id, "item_id": item_id})
        headers = {"Content-Type": "application/json"}
        with urllib.request.urlopen(urllib.request.Request(f"{self.page}/events/click", body, headers)) as answer:
            assert answer.status == 202

    def metric(self, name: str) -> float:
        with urllib.request.urlopen(self.metrics) as answer:
            found = re.findall(rf"^{name} (\S+)$", answer.read().decode(), re.MULTILINE)
        return float(found[0])


@contextmanager
def running(*args: str, **environ: str) -> Iterator[RunningShop]:
    """`headrace run` with free ports, on the log that the arguments name, once it serves."""
    plain = {"PATH": "/usr/bin:/bin", "HOME": str(Path.home()), "HEADRACE_SERVE_PORT": "0", "HEADRACE_MODEL_DIR": ""}
    command = [HEADRACE, "run", "--no-browser", *args]
    with subprocess.Popen(command, env=plain | environ, stdout=subprocess.PIPE, bufsize=0) as process:
        try:
            shown = addresses(process)
            store = redis.Redis.from_url(shown["Redis"])
            yield RunningShop(shown["page"].rstrip("/"), shown["metrics"], store)
            store.close()
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(PATIENCE_SECONDS)


def addresses(process: "subprocess.Popen[bytes]") -> dict[str, str]:
    """Return the addresses that the process prints: page, Redis, metrics."""
    assert process.stdout is not None
    deadline, found = time.monotonic() + PATIENCE_SECONDS, dict[str, str]()
    while "metrics" not in found:
        ready, _, _ = select.select([process.stdout], [], [], max(0.0, deadline - time.monotonic()))
        line = process.stdout.readline().decode() if ready else ""
        assert line, found
        if match := re.match(r"(page|Redis|metrics) +(\S+)", line):
            found[match[1]] = match[2]
    return found


@pytest.fixture(scope="module")
def old_log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three days of 1998.

    Each film is seen a little less often than its predecessor in BY_POPULARITY.
    """
    folder = tmp_path_factory.mktemp("shop")
    seen = [name for place, name in enumerate(BY_POPULARITY) for _ in range(FILMS - place)]
    rows = [
        f"e{day}-{row},{START + 86_400 * day + row},u{row % 97},{name},view"
        for day in range(3)
        for row, name in enumerate(seen)
    ]
    (folder / "events.csv").write_text("\n".join(["event_id,ts,user_id,item_id,kind", *rows]) + "\n")
    items = [f"{name},Film {name},{'Drama' if place % 2 else 'Comedy'}" for place, name in enumerate(BY_POPULARITY)]
    (folder / "items.csv").write_text("\n".join(["item_id,title,category", *items]) + "\n")
    return folder


@pytest.fixture(scope="module")
def shop(old_log: Path) -> Iterator[RunningShop]:
    with running("--data", str(old_log)) as shop:
        yield shop


def trending_after(shop: RunningShop, before: list[str]) -> list[str]:
    """Return the list of an unknown user once it has changed."""
    until(lambda: shop.listed("stranger", len(before)) != before)
    return shop.listed("stranger", len(before))


def test_a_click_of_today_moves_its_film_and_leaves_all_others_in_their_order(shop: RunningShop) -> None:
    until(lambda: shop.listed("stranger", FILMS) == BY_POPULARITY)
    for place in (40, 3, 58):
        before = shop.listed("stranger", FILMS)
        film = before[place]
        shop.click("clicker", film)
        assert trending_after(shop, before) == [film, *(each for each in before if each != film)]
        scores = [each["score"] for each in shop.get(f"/recommendations/stranger?k={FILMS}")["items"]]
        assert scores == sorted(set(scores), reverse=True)
        assert scores[-1] > 0


def test_a_click_on_an_item_that_is_not_there_is_counted_and_listed_nowhere(shop: RunningShop) -> None:
    before = shop.listed("stranger", FILMS)
    assert shop.metric("headrace_events_unknown_item_total") == 0
    shop.click("curious", before[20])
    shop.click("curious", NO_SUCH)
    shop.click("other", NO_SUCH)
    shop.click("other", before[20])
    until(lambda: shop.metric("headrace_events_unknown_item_total") == 2)
    # The last click is kept out of the user's own list, so both orders are tried.
    until(lambda: [each["item_id"] for each in history(shop, "other")] == [before[20], NO_SUCH])
    until(lambda: shop.listed("stranger", FILMS)[0] == before[20])
    for user_id in ("curious", "other", "clicker", "stranger", "u1", "u2"):
        assert NO_SUCH not in shop.listed(user_id, FILMS)
    assert [each["unknown"] for each in history(shop, "curious")] == [True, False]

    lists = [shop.store.get(key) for pattern in ("hr:rec:*", "hr:similar:*") for key in shop.store.keys(pattern)]
    popular = [item for key in shop.store.keys("hr:trending*") for item in shop.store.zrange(key, 0, -1)]
    assert len(lists) > 90
    assert len(popular) == 2 * FILMS  # overall, and in its category
    assert NO_SUCH not in repr(lists + popular)


def history(shop: RunningShop, user_id: str) -> list[dict[str, Any]]:
    recent: list[dict[str, Any]] = shop.get(f"/users/{user_id}")["recent"]
    return recent


def test_a_click_after_the_sample_log_moves_its_film_only() -> None:
    try:
        sample = sample_dataset(EmbeddedSettings())
    except HeadraceError as error:
        pytest.skip(f"the sample log cannot be fetched: {error}")
    with running(HEADRACE_RANKING_SIZE="100") as shop:
        before = popular_in(sample, 100)
        until(lambda: shop.listed("stranger", 100) == before)
        for film in (before[70], "1600"):
            shop.click("clicker", film)
            after = trending_after(shop, before)
            assert after == [film, *(each for each in before if each != film)][:100]
            before = after


def popular_in(sample: Dataset, n: int) -> list[str]:
    """Return what is trending at the end of the log, by the code that the worker runs."""
    items, weight = Vocabulary(), {"views": ProfileSettings().view_weight, "orders": ProfileSettings().order_weight}
    events = [(orjson.loads(record.value or b""), weight[record.topic]) for record in sample.events()]
    trending = Trending(TrendingSettings())
    numbers = items.numbers(event["item_id"] for event, _ in events)
    trending.update(numbers, np.array([event["ts"] for event, _ in events]), np.array([each for _, each in events]))
    return [each.item_id for each in trending.lists(Catalogue(items), items.names, n).overall]
