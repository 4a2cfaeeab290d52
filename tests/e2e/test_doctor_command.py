"""`headrace doctor` as a command: a report or one object, and an exit status."""

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from app.concerns import KafkaSettings
from app.kafka.topics import create_topics

HEADRACE = str(Path(sys.executable).with_name("headrace"))
QUIET = {"HEADRACE_WORKER_PORT": "0", "HEADRACE_SERVE_PORT": "0"}


def doctor(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [HEADRACE, "doctor", *arguments],
        env={"PATH": os.environ["PATH"], "PYTHONWARNINGS": "error", **QUIET, **settings},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def results(process: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(process.stdout)
    return {each["check"]: each["status"] for each in found["findings"]}


def test_with_everything_there_nothing_fails(kafka: KafkaSettings, redis_url: str) -> None:
    asyncio.run(create_topics(kafka))
    process = doctor(
        "--json",
        HEADRACE_KAFKA_BOOTSTRAP=kafka.bootstrap,
        HEADRACE_KAFKA_TOPIC_PREFIX=kafka.topic_prefix,
        HEADRACE_REDIS_URL=redis_url,
    )
    assert process.returncode == 0, process.stdout + process.stderr
    assert json.loads(process.stdout)["passed"] is True
    assert process.stdout.count("\n") == 1
    assert process.stderr == ""
    found = results(process)
    assert {found[check] for check in ("kafka", "topics", "partitions", "lag", "redis", "redis clock")} == {"ok"}


def test_with_nothing_there_all_checks_are_made_and_the_exit_status_says_so() -> None:
    process = doctor(HEADRACE_KAFKA_BOOTSTRAP="127.0.0.1:1", HEADRACE_REDIS_URL="redis://:sesame@127.0.0.1:1/0")
    assert process.returncode == 1
    assert "Traceback" not in process.stdout + process.stderr
    assert "sesame" not in process.stdout + process.stderr
    assert process.stderr == ""
    for text in ("failed   kafka", "failed   topics", "failed   redis", "→ start Redis", "HEADRACE_KAFKA_BOOTSTRAP"):
        assert text in process.stdout
    assert process.stdout.splitlines()[-1].endswith("5 failed")


def test_json_says_what_failed_too() -> None:
    process = doctor("--json", HEADRACE_KAFKA_BOOTSTRAP="127.0.0.1:1", HEADRACE_REDIS_URL="nonsense")
    assert process.returncode == 1
    found = results(process)
    failed = {check for check, status in found.items() if status == "failed"}
    assert failed == {"kafka", "topics", "lag", "keys", "redis"}
    assert found["python"] == "ok"


def test_an_invalid_setting_is_named() -> None:
    process = doctor(HEADRACE_KAFKA_PARTITIONS="many")
    assert process.returncode == 2
    assert "HEADRACE_KAFKA_PARTITIONS='many'" in process.stderr


def test_help_has_examples() -> None:
    process = doctor("--help")
    assert process.returncode == 0
    assert "headrace doctor --json" in process.stdout
