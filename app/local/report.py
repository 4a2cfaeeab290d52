"""Formats the results of `headrace run`: one JSON object for machines, text for people."""

import asyncio
import shlex
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import quote

import orjson

from app.datasets.record import Dataset
from app.filecheck.advice import ADVICE
from app.filecheck.rejected import RejectedRow, rejected_rows
from app.kafka.topics import SOURCES
from app.local.run import LocalRun, Processed
from app.local.scrape import Reading
from app.local.watch import get_json
from app.store.keys import Keys
from app.store.list_count import count_lists
from headrace.address import shown_address
from models.contract.cancelled import COUNTED
from models.contract.event_codec import EventSettings

USERS_SHOWN = 3
ITEMS_SHOWN = 5
TITLE_WIDTH = 44
FRESHNESS_DIGITS = 4
TRIES = 30
PAUSE_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Examples:
    """Some rejected rows of the events, and of the catalogue."""

    events: list[RejectedRow]
    items: list[RejectedRow]

    @classmethod
    async def find(cls, dataset: Dataset, processed: Processed, settings: EventSettings) -> Self:
        """Return up to three rejected rows of each reason.

        Reads the log again if rows were rejected.
        """
        now = time.time()
        return cls(
            await rejected_rows(dataset.events, processed.quarantined, settings, now),
            await rejected_rows(dataset.items, processed.items_quarantined, settings, now),
        )


async def as_json(running: LocalRun, processed: Processed, examples: Examples) -> str:
    """Return one object with every count of the run."""
    worker = processed.worker
    result = {
        "events_read": processed.events_read,
        "accepted": worker.outcomes["accepted"],
        "duplicates": worker.outcomes["duplicate"],
        "cancellations": {name: worker.cancellations[name] for name in COUNTED},
        "quarantined": dict(sorted(processed.quarantined.items())),
        "items_quarantined": dict(sorted(processed.items_quarantined.items())),
        "rejected_rows": [
            {"of": of, "row": each.row, "reason": each.reason, "detail": each.detail, "advice": each.advice}
            for of, rows in (("events", examples.events), ("items", examples.items))
            for each in rows
        ],
        "unknown_items": worker.unknown_items,
        "items_hidden": dict(sorted((await running.watch.read()).hidden.items())),
        "users": await count_lists(running.settings.redis),
        "items": worker.items_known,
        "recommendations_written": worker.recommendations,
        "seconds": round(processed.seconds, 3),
        "events_per_second": round(processed.events_read / processed.seconds, 1),
        "freshness_seconds": {"p50": _rounded(worker, 0.5), "p99": _rounded(worker, 0.99)},
    }
    return orjson.dumps(result).decode() + "\n"


async def as_text(running: LocalRun, name: str, processed: Processed, examples: Examples) -> str:
    """Return the counts, some rejected rows, and a few users' lists with titles."""
    worker = processed.worker
    quarantined = processed.quarantined
    lines = [
        "",
        f"{name}: {processed.events_read:,} events in {processed.seconds:.1f} s "
        f"({processed.events_read / processed.seconds:,.0f}/s): {worker.outcomes['accepted']:,} accepted, "
        f"{worker.outcomes['duplicate']:,} duplicates, {quarantined.total():,} quarantined",
        f"{worker.recommendations:,} lists written; readable {_milliseconds(worker, 0.5)} (median) and "
        f"{_milliseconds(worker, 0.99)} (99 %) after the event reached the broker",
    ]
    if worker.cancellations:
        lines.append(
            f"  {worker.cancellations['undone']:,} orders were undone by their cancellations; "
            f"{worker.cancellations['unmatched']:,} cancellations met no order that counted, and "
            f"{worker.cancellations['order_void']:,} orders came after theirs"
        )
    lines += _reasons("quarantined", quarantined, examples.events)
    lines += _reasons("quarantined of the catalogue", processed.items_quarantined, examples.items)
    if quarantined or processed.items_quarantined:
        lines.append("  they are in the topic quarantine, with their reasons as headers (docs/quarantine.md)")
    lines += _hidden((await running.watch.read()).hidden)
    if worker.unknown_items:
        lines.append(
            f"  {worker.unknown_items:,} events on items that the catalogue lacks; they are not listed "
            "(HEADRACE_CATALOGUE_LIST_UNKNOWN)"
        )
    users = [] if processed.nothing_accepted else await _recent_users(running)
    for user in users[:USERS_SHOWN]:
        lines += await _user(running, user)
    return "\n".join([*lines, ""])


def _reasons(what: str, reasons: Counter[str], rows: list[RejectedRow]) -> Iterator[str]:
    """Yield each reason with its number of rows, some of the rows, and what to do if known."""
    for reason, count in reasons.most_common():
        yield f"  {what}: {count:,} {reason}"
        yield from (f"    row {each.row:,}: {each.detail}" for each in rows if each.reason == reason)
        if advice := ADVICE.get(reason):
            yield f"    → {advice}"


def _hidden(causes: Counter[str]) -> Iterator[str]:
    """Yield how many items no list holds, by cause, and where to look."""
    if causes:
        by_cause = ", ".join(f"{count:,} {cause}" for cause, count in causes.most_common())
        yield f"  hidden: {causes.total():,} items ({by_cause}); no list holds them, and GET /items/ITEM_ID tells why"


async def _user(running: LocalRun, user_id: str) -> list[str]:
    base, user = running.serve.url, _segment(user_id)
    history = await get_json(running.http, f"{base}/users/{user}")
    listed = await get_json(running.http, f"{base}/recommendations/{user}?k={ITEMS_SHOWN}")
    # Titles hold commas.
    looked = " · ".join(_title(each) for each in history["recent"][:ITEMS_SHOWN])
    return [
        "",
        f"user {user_id}, who last saw {looked}",
        *(
            f"  {place}. {_title(item):{TITLE_WIDTH}.{TITLE_WIDTH}}  {item['score']:8.4f}  {item['source']}"
            for place, item in enumerate(listed["items"], start=1)
        ),
    ]


async def addresses(running: LocalRun) -> str:
    """Return the addresses of everything that runs, as text."""
    user = next(iter(await _recent_users(running)), "anybody")
    settings = running.settings
    lines = [
        "",
        f"page      {running.serve.url}/",
        f"look-up   curl '{running.serve.url}/recommendations/{_segment(user)}?k=5'",
        f"Redis     {shown_address(settings.redis.url)}   GET '{Keys(settings.redis.prefix).recommendation(user)}'",
        f"Kafka     {settings.kafka.bootstrap}   topics {', '.join((*SOURCES, 'items'))}",
        f"metrics   {running.worker.url}/metrics",
        *_exports(settings.kafka.bootstrap, settings.redis.url),
    ]
    return "\n".join([*lines, ""])


def _exports(kafka: str, redis: str) -> Iterator[str]:
    """Yield the line that leads other commands to these servers, if no password is in it."""
    if shown_address(redis) == redis:
        yield f"shell     export HEADRACE_KAFKA_BOOTSTRAP={shlex.quote(kafka)} HEADRACE_REDIS_URL={shlex.quote(redis)}"


def _segment(user_id: str) -> str:
    """Return the id as a segment of a path. The ids `.` and `..` need their own encoding."""
    return user_id.replace(".", "%2E") if user_id in (".", "..") else quote(user_id, safe="")


def _title(entry: dict[str, Any]) -> str:
    return str(entry.get("title") or entry["item_id"])


async def _recent_users(running: LocalRun) -> list[str]:
    """Return users with new lists.

    The worker publishes them once a second, so the first may not be there yet.
    """
    for _ in range(TRIES):
        answer = await get_json(running.http, f"{running.serve.url}/users")
        if answer["users"]:
            break
        await asyncio.sleep(PAUSE_SECONDS)
    return [str(each["user_id"]) for each in answer["users"]]


def _rounded(worker: Reading, q: float) -> float | None:
    seconds = worker.freshness_quantile(q)
    return None if seconds is None else round(seconds, FRESHNESS_DIGITS)


def _milliseconds(worker: Reading, q: float) -> str:
    seconds = worker.freshness_quantile(q)
    return "?" if seconds is None else f"{1000 * seconds:,.0f} ms"
