"""What /openapi.json says holds for a real `headrace serve`, for requests that Schemathesis makes.

Schemathesis sends valid and invalid requests of every operation, and looks for failures of the
server, for statuses, contents and forms of answers that the description does not have, and for
valid requests that are refused and invalid ones that are not.
"""

import asyncio
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from made_topics import make_topics
from shops import NOW, Shop

from app.concerns import KafkaSettings, RedisSettings

HERE = Path(__file__).parent
SCRIPTS = Path(sys.executable).parent
TOKEN = "token-for-tests-0123456789"


@pytest.fixture
def serving(redis_settings: RedisSettings, kafka: KafkaSettings, shop: Shop) -> Iterator[str]:
    """Start `headrace serve` with a token, clicks and a small shop. Yields its address."""
    shop.listed("0", "kettle", "cup")
    shop.item("0", title="Kettle", price="19.5", url="https://a.example/k")
    shop.item("cup", title="Cup", quality="0.75", reasons='["spam"]', recommendable="1", deleted="0")
    shop.trending("0", "cup")
    shop.hide("cup")
    shop.similar("0", "cup")
    shop.history("0", ("0", NOW, "view"))
    shop.worker("w1", accepted=3)
    asyncio.run(make_topics(kafka, {"quarantine": 1, "clicks": 1}))
    settings = {
        "HEADRACE_REDIS_URL": redis_settings.url,
        "HEADRACE_REDIS_PREFIX": redis_settings.prefix,
        "HEADRACE_KAFKA_BOOTSTRAP": kafka.bootstrap,
        "HEADRACE_KAFKA_TOPIC_PREFIX": kafka.topic_prefix,
        "HEADRACE_HTTP_TOKENS": TOKEN,
        "HEADRACE_HTTP_REQUESTS_PER_SECOND": "0",
        "HEADRACE_SERVE_ACCEPT_EVENTS": "true",
    }
    process = subprocess.Popen(
        [SCRIPTS / "headrace", "serve", "--port", "0", "--json"],
        env={"PATH": os.environ["PATH"], **settings},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    with process:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())["url"]
        process.terminate()


@pytest.mark.timeout(400)
def test_every_answer_is_as_the_description_says(serving: str, tmp_path: Path) -> None:
    options = ["--phases=examples,coverage,fuzzing", "--max-examples=15", "--seed=1"]
    asked = subprocess.run(
        [
            *(SCRIPTS / "st", f"--config-file={HERE / 'schemathesis.toml'}", "--no-color", "run"),
            *(f"{serving}/openapi.json", f"--header=Authorization: Bearer {TOKEN}", *options, "--warnings=off"),
        ],
        cwd=tmp_path,  # where it keeps what it found
        capture_output=True,
        text=True,
        check=False,
    )
    assert asked.returncode == 0, asked.stdout[-8000:] + asked.stderr
    tested = re.search(r"Selected: (\d+)/(\d+)\s+Tested: (\d+)", asked.stdout)
    assert tested is not None, asked.stdout
    selected, known, done = map(int, tested.groups())
    assert (done, selected) == (selected, known - 1)  # all but the stream
