"""Where a measurement takes place: servers of its own, the settings of what it starts, and the
machine.
"""

import os
import platform
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from app.concerns import KafkaSettings
from app.datasets.record import Dataset
from app.kafka.replay import Pace, producer_for, replay
from app.kafka.topics import create_topics

CPU_INFO = Path("/proc/cpuinfo")


@dataclass(frozen=True, slots=True)
class Place:
    """The servers, the settings and the folder of one measurement; the worker answers on `port`."""

    kafka: KafkaSettings
    redis_url: str
    environment: Mapping[str, str]
    port: int
    folder: Path


def place_of(environ: Mapping[str, str], kafka: KafkaSettings, redis_url: str, folder: Path) -> Place:
    """The place; `environ` is what `bench_kafka` gave, and may hold further settings for what is
    started.
    """
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    environment = {name: value for name, value in environ.items() if name != "NO_CYTHON"}
    environment |= {
        "PYTHONSAFEPATH": "1",
        "HEADRACE_REDIS_URL": redis_url,
        "HEADRACE_HTTP_TOKENS": "",
        "HEADRACE_HTTP_METRICS_TOKENS": "",
        "HEADRACE_HTTP_REQUESTS_PER_SECOND": "0",
        "HEADRACE_WORKER_HOST": "127.0.0.1",
        "HEADRACE_WORKER_PORT": str(port),
        "HEADRACE_WORKER_STATE_DIR": "",
        # A log that is sent many times faster than it came makes robots of its users.
        "HEADRACE_PLAUSIBILITY_ROBOTS": "accept",
    }
    return Place(kafka, redis_url, environment, port, folder)


async def produce_catalogue(dataset: Dataset, kafka: KafkaSettings) -> int:
    """Make the topics, and send the log's catalogue; gives how many of its records went to
    `items`.
    """
    await create_topics(kafka)
    async with producer_for(kafka) as producer:
        sent = await replay(dataset.items(), producer, Pace(), prefix=kafka.topic_prefix)
    return sent["items"]  # some rows may have gone to quarantine


def machine() -> dict[str, object]:
    """The machine that the figures belong to."""
    return {
        "cores": len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count(),
        "processor": _processor(),
        "python": platform.python_version(),
    }


def _processor() -> str:
    """The processor's name as Linux has it, else what Python knows."""
    lines = CPU_INFO.read_text().splitlines() if CPU_INFO.exists() else []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or platform.machine())
