"""Tokens of the processes, as an operator sets them."""

import json
import os
import socket
import subprocess
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from workers import HEADRACE, environment, running_worker

from app.concerns import KafkaSettings, RedisSettings

TOKEN, SCRAPER = "token-for-tests-0123456789", "scraper-for-tests-0123456789"


def status(url: str, token: str = "") -> int:
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"} if token else {})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            found: int = answer.status
    except urllib.error.HTTPError as error:
        found = error.code
    return found


@pytest.mark.parametrize("command", ["serve", "worker"])
def test_a_process_that_others_reach_does_not_start_without_a_token(command: str, kafka: KafkaSettings) -> None:
    settings = {f"HEADRACE_{command.upper()}_HOST": "0.0.0.0", "HEADRACE_KAFKA_BOOTSTRAP": kafka.bootstrap}
    done = subprocess.run(
        [HEADRACE, command], env={"PATH": os.environ["PATH"], **settings}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "anyone could read here: set HEADRACE_HTTP_TOKENS" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_worker_answers_probes_to_all_and_metrics_to_tokens(
    kafka: KafkaSettings, redis_settings: RedisSettings, tmp_path: Path
) -> None:
    settings = environment(
        kafka,
        redis_settings,
        HEADRACE_WORKER_HOST="0.0.0.0",
        HEADRACE_HTTP_TOKENS=TOKEN,
        HEADRACE_HTTP_METRICS_TOKENS=SCRAPER,
        HEADRACE_HTTP_REQUESTS_PER_SECOND="20",
    )
    with running_worker(settings, tmp_path / "log") as worker:
        url = worker.url.replace("0.0.0.0", "127.0.0.1")
        assert [status(f"{url}/{path}") for path in ("healthz", "readyz")] == [200, 200]
        for closed in ("metrics", "router/", "table/", "nowhere"):
            assert status(f"{url}/{closed}") == 401, closed
        assert [status(f"{url}/metrics", token) for token in (TOKEN, SCRAPER)] == [200, 200]
        assert [status(f"{url}/{path}", TOKEN) for path in ("router/", "table/")] == [404, 404]
        assert status(f"{url}/metrics", "wrong-token-0123456789") == 401
        with urllib.request.urlopen(f"{url}/readyz") as answer:
            assert answer.headers["Server"] == "headrace"
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert 429 in [status(f"{url}/metrics", TOKEN) for _ in range(60)]
        assert status(f"{url}/healthz") == 200
    log = (tmp_path / "log").read_text()
    assert TOKEN not in log
    assert SCRAPER not in log


def test_the_trial_works_with_tokens_too(tmp_path: Path) -> None:
    events = [{"event_id": f"e{n}", "user_id": "u1", "item_id": f"i{n}", "ts": 1_760_000_000 + n} for n in range(5)]
    (tmp_path / "events.jsonl").write_text("".join(json.dumps({"kind": "view", **each}) + "\n" for each in events))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = {name: value for name, value in os.environ.items() if not name.startswith("HEADRACE_")} | {
        "HEADRACE_HTTP_TOKENS": TOKEN,
        "HEADRACE_SERVE_PORT": str(port),
        "HEADRACE_MODEL_DIR": "",
    }
    command = [HEADRACE, "run", "--data", str(tmp_path), "--once"]
    done = subprocess.run(command, env=settings, capture_output=True, text=True, check=False, timeout=150)
    assert done.returncode == 0, done.stderr
    assert "user u1, who last saw i4" in done.stdout
    assert TOKEN not in done.stdout + done.stderr
