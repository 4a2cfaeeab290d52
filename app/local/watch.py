"""Reads from outside how far the worker has come."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Self

import aiohttp
import numpy as np
from numpy.typing import NDArray
from prometheus_client.parser import text_string_to_metric_families
from yarl import URL

from agents.metrics import FRESHNESS_BUCKETS, quantile
from app.errors import HeadraceError

POLL_SECONDS = 0.1
STALLED_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Reading:
    """The worker's counters at one moment, or the difference of two; `freshness` counts per bucket."""

    outcomes: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    items: int = 0
    item_reasons: Counter[str] = field(default_factory=Counter)
    recommendations: int = 0
    items_known: int = 0
    lag: int = 0
    partitions: int = 0
    freshness: NDArray[np.int64] = field(default_factory=lambda: np.zeros(len(FRESHNESS_BUCKETS) + 1, np.int64))

    @property
    def events(self) -> int:
        """Events that are done with, whatever became of them."""
        return self.outcomes.total()

    def since(self, earlier: "Reading") -> "Reading":
        """What happened between two readings."""
        return Reading(
            outcomes=self.outcomes - earlier.outcomes,
            reasons=self.reasons - earlier.reasons,
            items=self.items - earlier.items,
            item_reasons=self.item_reasons - earlier.item_reasons,
            recommendations=self.recommendations - earlier.recommendations,
            items_known=self.items_known,
            lag=self.lag,
            partitions=self.partitions,
            freshness=self.freshness - earlier.freshness,
        )

    def freshness_quantile(self, q: float) -> float | None:
        """Seconds from the broker's append to the list being readable."""
        return quantile(np.array(FRESHNESS_BUCKETS), self.freshness, q)

    @classmethod
    def parse(cls, text: str) -> Self:
        """From the worker's `/metrics`."""
        samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]

        def by(name: str, label: str, **labels: str) -> Counter[str]:
            found: Counter[str] = Counter()
            for sample in samples:
                if sample.name == name and labels.items() <= sample.labels.items():
                    found[sample.labels.get(label, "")] += int(sample.value)
            return found

        events = ("view", "click", "order")
        cumulative = [int(sample.value) for sample in samples if sample.name == "headrace_freshness_seconds_bucket"]
        return cls(
            outcomes=by("headrace_events_total", "outcome"),
            reasons=sum((by("headrace_rejected_total", "reason", kind=kind) for kind in events), Counter()),
            items=by("headrace_items_total", "outcome").total(),
            item_reasons=by("headrace_rejected_total", "reason", kind="item"),
            recommendations=by("headrace_recommendations_total", "").total(),
            items_known=by("headrace_items_known", "").total(),
            lag=by("headrace_lag_offsets", "").total(),
            partitions=sum(sample.name == "headrace_lag_offsets" for sample in samples),
            freshness=np.diff(cumulative, prepend=0).astype(np.int64),
        )


@dataclass(frozen=True, slots=True)
class Watch:
    """One worker, watched over HTTP."""

    http: aiohttp.ClientSession
    url: str

    async def ready(self) -> None:
        """Return once the worker writes fresh lists."""
        while not await self._is_ready():
            await asyncio.sleep(POLL_SECONDS)

    async def read(self) -> Reading:
        """The counters now. Raises HeadraceError when the worker does not tell them."""
        with _explained("worker"):
            async with self.http.get(f"{self.url}/metrics") as answer:
                answer.raise_for_status()
                return Reading.parse(await answer.text())

    async def until(self, done: Callable[[Reading], bool], show: Callable[[Reading], None]) -> Reading:
        """Read until `done`, showing each reading. Raises HeadraceError when nothing moves for a minute."""
        reading, moved_at = await self.read(), asyncio.get_running_loop().time()
        while not done(reading):
            await asyncio.sleep(POLL_SECONDS)
            before, reading = reading, await self.read()
            show(reading)
            now = asyncio.get_running_loop().time()
            if (reading.events, reading.items) != (before.events, before.items):
                moved_at = now
            elif now - moved_at > STALLED_SECONDS:
                raise HeadraceError(
                    f"the worker has not moved for {STALLED_SECONDS:g} s; does another worker of the group "
                    "(HEADRACE_KAFKA_GROUP) take the events? `headrace doctor` looks closer"
                )
        return reading

    async def _is_ready(self) -> bool:
        try:
            async with self.http.get(f"{self.url}/readyz") as answer:
                return answer.status == 200
        except (aiohttp.ClientError, TimeoutError):
            return False


async def get_json(http: aiohttp.ClientSession, url: str) -> Any:
    """An answer of the look-up process to a URL in its encoded form. Raises HeadraceError for anything but success."""
    with _explained("look-up process"):
        async with http.get(URL(url, encoded=True)) as answer:
            answer.raise_for_status()
            return await answer.json()


@contextmanager
def _explained(who: str) -> Iterator[None]:
    try:
        yield
    except (aiohttp.ClientError, TimeoutError) as error:
        raise HeadraceError(
            f"the {who} gives no answer ({error or type(error).__name__}); its log is above, "
            "`headrace doctor` looks closer"
        ) from error
