"""10,000 malformed messages of 30 kinds among clean ones, through a real worker.

The test prints what they cost (`pytest -s`); docs/benchmarks.md has the figures. It asserts none of
them: the time that a shared machine takes tells of its other work, too.
"""

import random
import signal
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import orjson
from aiokafka import AIOKafkaProducer  # type: ignore[import-untyped]  # ships no types
from conftest import ReadTopic
from malformed import KINDS, Malformed, malformed
from prometheus_client.parser import text_string_to_metric_families
from workers import RunningWorker, environment, running_worker

from app.concerns import KafkaSettings, RedisSettings

CLEAN, MALFORMED = 20_000, 10_000
TURNS = 4
NOW = time.time()

Record = tuple[str, bytes | None]


def clean(count: int, seed: int) -> list[Record]:
    """Views of 500 users on 500 items."""
    chosen = random.Random(seed)
    users = [f"u{chosen.randrange(500)}" for _ in range(count)]
    return [
        (
            user,
            orjson.dumps(
                {
                    "event_id": f"good-{seed}-{n}",
                    "user_id": user,
                    "item_id": f"i{int(chosen.paretovariate(1)) % 500}",
                    "ts": NOW - 86_400 + seed * 1000 + n / 100,
                }
            ),
        )
        for n, user in enumerate(users)
    ]


def mixed(good: list[Record], bad: list[Malformed]) -> list[Record]:
    """The malformed messages among the others, under keys of the same users."""
    chosen = random.Random(5)
    records: list[Record] = [*good, *((f"u{chosen.randrange(500)}", each.value) for each in bad)]
    chosen.shuffle(records)
    return records


def cpu_seconds(worker: RunningWorker) -> float:
    with urllib.request.urlopen(f"{worker.url}/metrics") as answer:
        families = text_string_to_metric_families(answer.read().decode())
    return next(
        each.value for family in families for each in family.samples if each.name == "process_cpu_seconds_total"
    )


async def run(
    worker: RunningWorker, kafka: KafkaSettings, records: Iterable[Record], until: int
) -> tuple[float, float]:
    """Let the worker process a backlog. Returns seconds, and processor seconds of the worker.

    It stands still while the records are sent. Otherwise its batches would be as small as it is
    quick, and a small batch costs more an event.
    """
    cpu = cpu_seconds(worker)
    worker.process.send_signal(signal.SIGSTOP)
    try:
        await send(kafka, records)
    finally:
        worker.process.send_signal(signal.SIGCONT)
    started = time.monotonic()
    worker.until_events(until)
    return time.monotonic() - started, cpu_seconds(worker) - cpu


async def send(kafka: KafkaSettings, records: Iterable[Record]) -> None:
    """Send all, each user's to one partition."""
    by_partition: dict[int, list[Record]] = {}
    for user, value in records:
        by_partition.setdefault(int(user[1:]) % kafka.partitions, []).append((user, value))
    async with AIOKafkaProducer(
        bootstrap_servers=kafka.bootstrap, max_request_size=4_000_000, max_batch_size=2_000_000
    ) as producer:
        for partition, mine in by_partition.items():
            batch = producer.create_batch()
            for user, value in mine:
                if batch.append(key=user.encode(), value=value, timestamp=None) is None:
                    await producer.send_batch(batch, kafka.topic_prefix + "views", partition=partition)
                    batch = producer.create_batch()
                    batch.append(key=user.encode(), value=value, timestamp=None)
            await producer.send_batch(batch, kafka.topic_prefix + "views", partition=partition)
        await producer.flush()


async def test_each_has_its_reason_in_quarantine_and_no_clean_event_is_lost(
    kafka: KafkaSettings, redis_settings: RedisSettings, read_topic: ReadTopic, tmp_path: Path
) -> None:
    # The largest come once: a hundred of them would be a tenth of a gigabyte.
    bad = [*malformed(30, NOW), *malformed(MALFORMED - 30, NOW, seed=2, skip=("too large",))]
    # The worker is stopped while records are sent, and must not lose its partitions meanwhile.
    patient = {"HEADRACE_KAFKA_SESSION_TIMEOUT_SECONDS": "60"}
    environ = environment(kafka, redis_settings, HEADRACE_KAFKA_PARTITIONER="trust", **patient)
    done, clean_runs, broken_runs = 5_000, [], []
    with running_worker(environ, tmp_path / "log") as worker:
        await run(worker, kafka, clean(done, 1), done)
        for turn in range(TURNS):
            done += CLEAN
            clean_runs.append(await run(worker, kafka, clean(CLEAN, 2 + 2 * turn), done))
            done += CLEAN + MALFORMED
            broken_runs.append(await run(worker, kafka, mixed(clean(CLEAN, 3 + 2 * turn), bad), done))
        counted = worker.read()
    assert counted.reasons == Counter(TURNS * [each.reason.value for each in bad])
    assert counted.outcomes["accepted"] == 5_000 + 2 * TURNS * CLEAN

    quarantined = await read_topic(kafka.topic_prefix + "quarantine")
    found = Counter((dict(each.headers)["reason"].decode(), each.value) for each in quarantined)
    assert found == Counter(TURNS * [(each.reason.value, each.value) for each in bad])
    assert all(dict(each.headers)["detail"] for each in quarantined)
    assert len({each.what for each in bad}) == len(KINDS) == 30

    # The least of several runs: whatever else the machine does only adds to it.
    clean_log = [1e6 * min(each[n] for each in clean_runs) / CLEAN for n in (0, 1)]
    broken_log = [1e6 * min(each[n] for each in broken_runs) / (CLEAN + MALFORMED) for n in (0, 1)]
    sys.stdout.write(
        f"\nµs a message, clean and with a third malformed: wall {clean_log[0]:.1f}, {broken_log[0]:.1f}; "
        f"processor {clean_log[1]:.1f}, {broken_log[1]:.1f}; "
        f"throughput by processor time {clean_log[1] / broken_log[1]:.2f} of the clean log's\n"
    )
