"""How far the workers are: the group's lag, the newest event, and what the processes say of themselves."""

import time
from collections.abc import Callable

import aiohttp
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition  # type: ignore[import-untyped]  # ships no types
from aiokafka.errors import KafkaError  # type: ignore[import-untyped]  # ships no types

from app.checkup.doctor import Finding, Findings, ok, warn
from app.checkup.kafka_server import unchecked
from app.concerns import KafkaSettings
from app.kafka.topics import SOURCES

ITEMS = "items"
POLL_MILLISECONDS = 1_000
REQUEST_MILLISECONDS = 5_000
PROBE_SECONDS = 3.0
LARGEST_SKEW_SECONDS = 1.0
ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}


async def check_lag(settings: KafkaSettings, clock: Callable[[], float] = time.time) -> Findings:
    """Events that the group has not processed yet, and how old the newest one is by this machine's clock."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=settings.bootstrap,
        group_id=settings.group,
        enable_auto_commit=False,
        request_timeout_ms=REQUEST_MILLISECONDS,
        max_partition_fetch_bytes=settings.max_message_bytes,
    )
    try:
        await consumer.start()
        places = await _places(consumer, settings)
        if not places:
            return [ok("lag", "no topics yet")]
        consumer.assign(places)
        return await _look(consumer, places, clock)
    except (KafkaError, OSError, ValueError) as error:
        return [unchecked("lag", error)]
    finally:
        await consumer.stop()


async def check_process(name: str, host: str, port: int) -> Findings:
    """What a worker or look-up process on this machine answers to `/readyz`; not running is no fault."""
    if port == 0:
        return [ok(name, "takes a free port, so it cannot be asked here")]
    host = ANYWHERE.get(host, host)
    url = f"http://{f'[{host}]' if ':' in host else host}:{port}/readyz"
    try:
        timeout = aiohttp.ClientTimeout(total=PROBE_SECONDS)
        async with aiohttp.ClientSession(timeout=timeout) as session, session.get(url) as response:
            status, text = response.status, await response.text()
    except aiohttp.ClientConnectorError:
        return [ok(name, f"does not run here: nothing listens on {host} port {port}")]
    except (aiohttp.ClientError, TimeoutError, OSError, UnicodeDecodeError) as error:
        advice = f"see whether another program uses the port; HEADRACE_{name.upper()}_PORT chooses another"
        return [warn(name, f"{url} gives no answer: {str(error) or type(error).__name__}", advice)]
    if status == 200:
        return [ok(name, f"ready at {url}")]
    return [warn(name, f"not ready at {url}: {status} {text[:300]}", "see its log; it says what it waits for")]


async def _places(consumer: AIOKafkaConsumer, settings: KafkaSettings) -> list[TopicPartition]:
    names = {settings.topic_prefix + name for name in (*SOURCES, ITEMS)} & await consumer.topics()
    return [
        TopicPartition(name, number) for name in sorted(names) for number in consumer.partitions_for_topic(name) or ()
    ]


async def _look(consumer: AIOKafkaConsumer, places: list[TopicPartition], clock: Callable[[], float]) -> list[Finding]:
    begins, ends = await consumer.beginning_offsets(places), await consumer.end_offsets(places)
    for place in places:
        consumer.seek(place, max(begins[place], ends[place] - 1))
    found = await _last(consumer, ends)
    # The time of an item's record may be its producer's.
    records = [record for place, last in found.items() if not place.topic.endswith(ITEMS) for record in last]
    lag = started = 0
    for place in places:
        done = await consumer.committed(place)
        started += done is not None
        # The embedded broker puts the end just behind the first record of the last batch; a fetch tells the true one.
        end = max(ends[place], consumer.highwater(place) or 0)
        lag += max(0, end - max(done or 0, begins[place]))
    said = f"{lag:,} records of events and items wait" if lag or started else "events and items: nothing to do yet"
    if lag and not started:
        said += "; no worker of this group has finished any yet"
    newest = max((record.timestamp for record in records), default=None)
    return [ok("lag", said), *([] if newest is None else [_age(newest / 1000 - clock())])]


async def _last(
    consumer: AIOKafkaConsumer, ends: dict[TopicPartition, int]
) -> dict[TopicPartition, list[ConsumerRecord]]:
    """The last records of each partition that has some, as far as Kafka gives them at once."""
    missing = {place for place, end in ends.items() if end > 0}
    found: dict[TopicPartition, list[ConsumerRecord]] = {}
    while missing and (fetched := await consumer.getmany(*missing, timeout_ms=POLL_MILLISECONDS)):
        found |= fetched
        missing -= fetched.keys()
    return found


def _age(ahead: float) -> Finding:
    if ahead <= LARGEST_SKEW_SECONDS:
        return ok("kafka clock", f"the newest event came {max(0.0, -ahead):,.1f} s ago")
    advice = (
        "synchronise both with NTP: freshness is wrong by this much, and so is what counts as an event of the future"
    )
    return warn(
        "kafka clock", f"the newest event came {ahead:,.1f} s after now: Kafka's clock is ahead of ours", advice
    )
