"""No output of any command holds the value of a secret setting."""

import os
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path

import orjson
import pytest
import redis
from workers import HEADRACE, environment, running_worker, until

from app.concerns import KafkaSettings, RedisSettings
from app.local.servers import embedded_redis
from app.settings import variables

CANARY = "canary-0123456789"
SHORT = "canary-01234"  # too short for a key
PASSWORD = f"{CANARY}-redis-password"
# For each secret setting a value that works, given the address of a Redis with this password.
WORKING = {
    "HEADRACE_REDIS_URL": "redis://:{password}@{redis}",
    "HEADRACE_HTTP_TOKENS": f"{CANARY}-new-token,{CANARY}-old-token",
    "HEADRACE_HTTP_METRICS_TOKENS": f"{CANARY}-scraper",
    "HEADRACE_LOG_PSEUDONYM_KEY": f"{CANARY}-pseudonyms",
}
# Values that are refused.
BROKEN = {
    "HEADRACE_REDIS_URL": f"redis//:{CANARY}@h",
    "HEADRACE_HTTP_TOKENS": f"{CANARY}; {CANARY}-2",
    "HEADRACE_HTTP_METRICS_TOKENS": f"{CANARY} {CANARY}-2",
    "HEADRACE_LOG_PSEUDONYM_KEY": SHORT,
}
# Those for a Kafka that asks for them: tests/integration/test_kafka_login.py tries them on one.
FOR_KAFKA = ("HEADRACE_KAFKA_SASL_PASSWORD", "HEADRACE_KAFKA_SASL_TOKEN_COMMAND", "HEADRACE_KAFKA_TLS_KEY_PASSWORD")
PATHS = ("", "healthz", "readyz", "metrics", "live", "users", "recommendations/u1", "items/a", "nowhere")


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Redis that asks for the password."""
    with embedded_redis(tmp_path_factory.mktemp("redis")) as url:
        with redis.Redis.from_url(url) as client:
            client.config_set("requirepass", PASSWORD)
        yield url.removeprefix("redis://")


def secrets(address: str, password: str = PASSWORD) -> dict[str, str]:
    return {name: value.format(password=password, redis=address) for name, value in WORKING.items()}


def output(command: list[str], environ: Mapping[str, str]) -> tuple[int, str]:
    done = subprocess.run([HEADRACE, *command], env=environ, capture_output=True, check=False, text=True, timeout=150)
    return done.returncode, done.stdout + done.stderr


def answers(url: str) -> Iterator[str]:
    """What the process says at every path, with each kind of token: headers and body."""
    for path in PATHS:
        for token in ("", "wrong-token-0123456789", f"{CANARY}-scraper", f"{CANARY}-old-token"):
            request = urllib.request.Request(f"{url}/{path}", headers={"Authorization": f"Bearer {token}"})
            try:
                with urllib.request.urlopen(request, timeout=10) as answer:
                    yield str(answer.headers) + answer.read().decode()
            except urllib.error.HTTPError as refused:
                yield str(refused.headers) + refused.read().decode()


def test_every_secret_setting_has_a_canary() -> None:
    secret = {each.name for each in variables() if each.secret}
    assert secret - {*FOR_KAFKA} == set(WORKING) == set(BROKEN)
    assert secret >= {*FOR_KAFKA}
    telling = [
        each.name for each in variables() if any(word in each.name for word in ("PASSWORD", "SECRET", "TOKEN", "KEY"))
    ]
    shown = {name for name in telling if name.endswith("_FILE")} | {"HEADRACE_INFERENCE_BATCH_TOKENS"}
    assert set(telling) - secret == shown


@pytest.mark.parametrize("name", sorted(BROKEN))
@pytest.mark.parametrize(
    "command", [["serve", "--port", "0"], ["worker"], ["doctor"], ["doctor", "--json"], ["run", "--once"]]
)
def test_a_secret_that_is_refused_is_not_shown(name: str, command: list[str], kafka: KafkaSettings) -> None:
    environ = {"PATH": os.environ["PATH"], name: BROKEN[name], "HEADRACE_KAFKA_BOOTSTRAP": kafka.bootstrap}
    status, shown = output(command, environ)
    assert status in (1, 2)
    assert name in shown
    assert CANARY not in shown
    assert SHORT not in shown


@pytest.mark.parametrize("command", [["doctor"], ["doctor", "--json"], ["audit"]])
def test_secrets_for_a_kafka_that_asks_for_none_are_not_shown(command: list[str], kafka: KafkaSettings) -> None:
    environ = {"PATH": os.environ["PATH"], "HEADRACE_KAFKA_BOOTSTRAP": kafka.bootstrap, "HEADRACE_LOG_LEVEL": "debug"}
    _, shown = output(command, environ | dict.fromkeys(FOR_KAFKA, CANARY))
    assert FOR_KAFKA[0] in shown
    assert CANARY not in shown


@pytest.mark.parametrize("level", ["info", "debug"])
@pytest.mark.parametrize("password", [PASSWORD, f"{CANARY}-wrong"])
def test_doctor_and_audit_show_no_secret(address: str, password: str, level: str, kafka: KafkaSettings) -> None:
    environ = {
        "PATH": os.environ["PATH"],
        "HEADRACE_KAFKA_BOOTSTRAP": kafka.bootstrap,
        "HEADRACE_KAFKA_TOPIC_PREFIX": kafka.topic_prefix,
        "HEADRACE_LOG_LEVEL": level,
        **secrets(address, password),
    }
    for command in (["doctor"], ["doctor", "--json"], ["audit"]):
        _, shown = output(command, environ)
        assert CANARY not in shown
        assert command == ["audit"] or "redis://:***@" in shown


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_worker_at_level_debug_logs_no_secret_and_answers_none(
    address: str, form: str, kafka: KafkaSettings, redis_settings: RedisSettings, tmp_path: Path
) -> None:
    more = {
        "HEADRACE_LOG_LEVEL": "debug",
        "HEADRACE_LOG_FORMAT": form,
        "HEADRACE_WORKER_STATE_DIR": str(tmp_path / "state"),
    }
    with running_worker(environment(kafka, redis_settings, **secrets(address), **more), tmp_path / "log") as worker:
        said = list(answers(worker.url))
        assert any("headrace_events_total" in text for text in said)  # the tokens do open it
        with redis.Redis.from_url(secrets(address)["HEADRACE_REDIS_URL"]) as client:
            client.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        until(lambda: "DEBUG" in worker.log.read_text() or "debug" in worker.log.read_text(), worker.log)
    kept = b"".join(path.read_bytes() for path in (tmp_path / "state").rglob("*") if path.is_file())
    assert CANARY not in worker.log.read_text()
    assert CANARY.encode() not in kept
    assert not any(CANARY in text for text in said)


@pytest.mark.parametrize("password", [PASSWORD, f"{CANARY}-wrong"])
def test_the_look_up_process_logs_no_secret_and_answers_none(address: str, password: str) -> None:
    environ = {"PATH": os.environ["PATH"], "HEADRACE_LOG_LEVEL": "debug", **secrets(address, password)}
    with subprocess.Popen(
        [HEADRACE, "serve", "--port", "0", "--json"],
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        said = list(answers(orjson.loads(process.stdout.readline())["url"]))
        process.terminate()
        rest, log = process.communicate(timeout=30)
    assert any("process_cpu_seconds" in text for text in said)
    assert any("Redis does not answer" in text for text in said) is (password != PASSWORD)
    assert not any(CANARY in text for text in (*said, rest, log))
