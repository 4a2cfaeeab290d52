"""Reads events without Headrace: with aiokafka alone (the ceiling), and with a plain Faust app.

`headrace bench` measures the worker against these two.
"""

import asyncio
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic, perf_counter, process_time
from typing import NamedTuple

import faust
import orjson
from aiokafka import AIOKafkaConsumer  # type: ignore[import-untyped]  # ships no types
from faust.types import TopicT

from app.concerns import KafkaSettings
from app.errors import HeadraceError
from app.kafka.clients import faust_credentials, make_consumer
from app.kafka.group_offsets import partitions_of
from app.kafka.topics import SOURCES

POLL_MILLISECONDS = 1000
STALL_SECONDS = 60.0
WATCH_SECONDS = 0.2
# The broker admits a new group's first member after half of this time. It has no other effect.
SESSION_SECONDS = 6.0


class TimedRead(NamedTuple):
    """How many events were read, in how many seconds and processor seconds."""

    events: int
    seconds: float
    cpu_seconds: float


async def ceiling(kafka: KafkaSettings, events: int) -> TimedRead:
    """Fetch and parse all events with aiokafka alone, outside any group.

    Raises HeadraceError when events do not arrive.
    """
    places = await partitions_of(kafka)
    consumer = make_consumer(kafka, auto_offset_reset="earliest")
    await consumer.start()
    try:
        consumer.assign(places)
        return await _read(consumer, events)
    finally:
        await consumer.stop()


async def plain_faust(kafka: KafkaSettings, events: int) -> TimedRead:
    """Parse all events in an ordinary Faust agent, one by one.

    Raises HeadraceError when events do not arrive.
    """
    if find_spec("faust._cython.streams") is None:
        raise HeadraceError("Faust runs without its Cython parts here: install its wheel again")
    with TemporaryDirectory(prefix="headrace-bench-") as folder:
        app = _stock_app(kafka, Path(folder))
        done = 0
        first = last = cpu = 0.0

        async def parse(stream: faust.StreamT[bytes]) -> None:
            nonlocal done, first, last, cpu
            async for value in stream:
                if not done:
                    first, cpu = perf_counter(), process_time()
                try:  # noqa: SIM105 - the time of `suppress` would count as Faust's
                    orjson.loads(value)
                except orjson.JSONDecodeError:
                    pass  # an unreadable event counts as read
                done += 1
                if done == events:
                    last, cpu = perf_counter(), process_time() - cpu

        app.agent(_topics(app, kafka), name="parse")(parse)
        app.finalize()
        await _run(app, lambda: done, events)
    return TimedRead(done, last - first, cpu)


async def _read(consumer: AIOKafkaConsumer, events: int) -> TimedRead:
    done = 0
    # aiokafka fetches ahead, so a clock that starts at the first event starts after many have
    # arrived.
    started, cpu, idle_since = perf_counter(), process_time(), monotonic()
    while done < events:
        fetched = await consumer.getmany(timeout_ms=POLL_MILLISECONDS)
        if fetched:
            idle_since = monotonic()
        elif monotonic() - idle_since > STALL_SECONDS:
            raise _missing(done, events)
        for records in fetched.values():
            for record in records:
                try:  # noqa: SIM105 - as above
                    orjson.loads(record.value)
                except orjson.JSONDecodeError:
                    pass
            done += len(records)
    return TimedRead(done, perf_counter() - started, process_time() - cpu)


def _stock_app(kafka: KafkaSettings, folder: Path) -> faust.App:
    return faust.App(
        f"{kafka.group}-plain-faust",
        broker=";".join(f"kafka://{address.strip()}" for address in kafka.bootstrap.split(",")),
        broker_credentials=faust_credentials(kafka),
        store="memory://",
        datadir=folder,
        web_enabled=False,
        broker_session_timeout=SESSION_SECONDS,
        broker_heartbeat_interval=SESSION_SECONDS / 3,
    )


def _topics(app: faust.App, kafka: KafkaSettings) -> TopicT:
    names = [kafka.topic_prefix + source for source in SOURCES]
    return app.topic(*names, value_type=bytes, value_serializer="raw")


async def _run(app: faust.App, done: Callable[[], int], events: int) -> None:
    await app.start()
    try:
        before, since = 0, monotonic()
        while done() < events:
            await asyncio.sleep(WATCH_SECONDS)
            if done() > before:
                before, since = done(), monotonic()
            elif monotonic() - since > STALL_SECONDS:
                raise _missing(done(), events)
    finally:
        await app.stop()


def _missing(done: int, events: int) -> HeadraceError:
    return HeadraceError(
        f"only {done:,} of {events:,} events arrived, and no more for {STALL_SECONDS:g} s; see the log above"
    )
