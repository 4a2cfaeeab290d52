"""`headrace replay` as a user meets it: the installed script, a real broker, real signals."""

import gzip
import os
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import orjson
import pytest
from aiokafka import ConsumerRecord  # type: ignore[import-untyped]  # ships no types

from app.concerns import KafkaSettings
from app.kafka.topics import create_topics, topics

ReadTopic = Callable[[str], Awaitable[list[ConsumerRecord]]]

HEADRACE = Path(sys.executable).parent / "headrace"
TIMEOUT_SECONDS = 60


def environment(kafka: KafkaSettings) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HEADRACE_")}
    return kept | {
        "HEADRACE_KAFKA_BOOTSTRAP": kafka.bootstrap,
        "HEADRACE_KAFKA_TOPIC_PREFIX": kafka.topic_prefix,
        "HEADRACE_KAFKA_PARTITIONS": str(kafka.partitions),
    }


def headrace(kafka: KafkaSettings, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [HEADRACE, "replay", *arguments],
        env=environment(kafka),
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
        check=False,
    )


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    rows = [
        "event_id,ts,user_id,session_id,item_id,kind,price,quantity",
        "1,1590884413,u1,,i1,view,,",
        "2,1590884414,u1,,i1,order,2.50,1",
        "3,1590884415,,s1,i2,poke,,",
    ]
    (tmp_path / "events.csv.gz").write_bytes(gzip.compress("\n".join(rows).encode()))
    (tmp_path / "items.csv").write_text("item_id,title\ni1,Pen\ni2,Ink\n")
    return tmp_path


async def test_a_log_arrives_and_its_counts_are_printed(
    kafka: KafkaSettings, read_topic: ReadTopic, shop: Path
) -> None:
    done = headrace(kafka, shop, "--json")
    assert done.returncode == 0, done.stderr
    printed = orjson.loads(done.stdout)
    assert printed["topics"] == {"items": 2, "orders": 1, "quarantine": 1, "views": 1}
    assert printed["records"] == 5
    assert "events.csv.gz, row 3 goes to quarantine: kind 'poke' is none of view, click, cart, order" in done.stderr
    assert printed["records_per_second"] > 0
    names = topics(kafka)
    [order] = await read_topic(names.orders)
    assert order.key == b"u1"
    assert [each.value for each in await read_topic(names.quarantine)] == [b"3,1590884415,,s1,i2,poke,,"]
    assert len(await read_topic(names.items)) == 2


def test_without_json_nothing_is_printed_but_progress(kafka: KafkaSettings, shop: Path) -> None:
    done = headrace(kafka, shop / "events.csv.gz")
    assert (done.returncode, done.stdout) == (0, "")
    assert "events.csv.gz: 1 orders, 1 quarantine, 1 views acknowledged" in done.stderr


def test_a_path_that_is_not_there_is_an_error_with_advice(kafka: KafkaSettings, tmp_path: Path) -> None:
    done = headrace(kafka, tmp_path / "nowhere", "--json")
    assert (done.returncode, done.stdout) == (1, "")
    assert "nowhere does not exist; give a folder with events.csv" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("speed", ["0", "-1", "nan", "inf", "fast"])
def test_a_speed_that_makes_no_sense_is_refused(kafka: KafkaSettings, shop: Path, speed: str) -> None:
    done = headrace(kafka, shop, f"--speed={speed}")
    assert done.returncode == 2
    assert "use a number above 0, or max" in done.stderr


def test_no_broker_is_an_error_with_advice(kafka: KafkaSettings, shop: Path) -> None:
    done = headrace(KafkaSettings(bootstrap="127.0.0.1:1"), shop)
    assert done.returncode == 1
    assert "no Kafka answers at 127.0.0.1:1" in done.stderr
    assert "Traceback" not in done.stderr


async def test_ctrl_c_stops_a_slow_replay_cleanly(kafka: KafkaSettings, read_topic: ReadTopic, shop: Path) -> None:
    await create_topics(kafka)
    process = subprocess.Popen(
        [HEADRACE, "replay", shop, "--speed", "0.001"], env=environment(kafka), stderr=subprocess.PIPE, text=True
    )
    with process:
        while not await read_topic(topics(kafka).views):
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=TIMEOUT_SECONDS)
    assert process.returncode == 130
    assert "2 items, 1 views acknowledged" in errors
    assert "Traceback" not in errors
