"""A worker on Apache Kafka and Redis that let in only whom they know: it works, and its commands do
too.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import orjson
import pytest
import redis_secured
from apache_kafka import PASSWORD, TOKEN_SECONDS, USER, ApacheKafka
from forgetting import run
from redis_secured import SecuredRedis, redis_over_tls, server_with_tls
from workers import doctor, environment, running_worker, until

from app.concerns import KafkaSettings, RedisSettings
from app.kafka.clients import make_producer
from app.kafka.topics import create_topics

# Prints a token that the broker of the tests trusts for 8 s, and counts them.
MAKE_TOKEN = f"""
import base64, json, sys, time
part = lambda content: base64.urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")
claims = {{"sub": "shop", "iat": time.time(), "exp": time.time() + {TOKEN_SECONDS}}}
print(part({{"alg": "none"}}) + "." + part(claims) + ".")
open(sys.argv[1], "a").write(".")
"""


def login(apache: ApacheKafka, kind: str, folder: Path) -> dict[str, str]:
    """The variables of a login over TLS."""
    variables = {
        "HEADRACE_KAFKA_BOOTSTRAP": apache.sasl_tls,
        "HEADRACE_KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
        "HEADRACE_KAFKA_TLS_CA_FILE": str(apache.certificates.ca),
        "HEADRACE_KAFKA_COMPRESSION": "zstd",
    }
    if kind == "password":
        return variables | {"HEADRACE_KAFKA_SASL_USERNAME": USER, "HEADRACE_KAFKA_SASL_PASSWORD": PASSWORD}
    script = folder / "token.py"
    script.write_text(MAKE_TOKEN)
    return variables | {
        "HEADRACE_KAFKA_SASL_MECHANISM": "OAUTHBEARER",
        "HEADRACE_KAFKA_SASL_TOKEN_COMMAND": f"{sys.executable} {script} {folder / 'made'}",
    }


@pytest.fixture
def secured(apache: ApacheKafka, tmp_path: Path) -> Iterator[SecuredRedis]:
    if not server_with_tls():
        pytest.skip("no redis-server on this machine speaks TLS")
    with redis_over_tls(tmp_path, "shop:", apache.certificates) as server:
        yield server


def tokens_made(folder: Path) -> int:
    return len((folder / "made").read_text())


async def view(kafka: KafkaSettings, number: int) -> None:
    async with make_producer(kafka) as producer:
        event = {"event_id": f"e{number}", "user_id": "ada", "item_id": f"i{number}", "ts": 1_760_000_000 + number}
        await producer.send_and_wait(f"{kafka.topic_prefix}views", orjson.dumps(event), key=b"ada")


@pytest.mark.parametrize("kind", ["password", "token"])
async def test_a_worker_over_tls_learns_and_commits(
    apache: ApacheKafka, redis_settings: RedisSettings, tmp_path: Path, kind: str
) -> None:
    name = f"test-{uuid4().hex[:12]}"
    kafka = KafkaSettings(bootstrap=apache.open, topic_prefix=f"{name}-", group=name, partitions=2)
    await create_topics(kafka)
    environ = environment(kafka, redis_settings) | login(apache, kind, tmp_path)
    with running_worker(environ, tmp_path / "worker.log") as worker:
        await view(kafka, 1)
        worker.until_events(1)
        if kind == "token":  # the broker closes a connection whose token has ended
            before = tokens_made(tmp_path)
            until(lambda: tokens_made(tmp_path) > before, worker.log)
        await view(kafka, 2)
        worker.until_events(2)
        until(lambda: doctor(environ)["lag"].startswith("0 records"), worker.log)
    assert PASSWORD not in worker.log.read_text()


async def test_with_kafka_by_scram_over_tls_and_redis_over_tls_with_few_rights_nothing_else_is_needed(
    apache: ApacheKafka, secured: SecuredRedis, tmp_path: Path
) -> None:
    name = f"test-{uuid4().hex[:12]}"
    kafka = KafkaSettings(bootstrap=apache.open, topic_prefix=f"{name}-", group=name, partitions=2)
    redis = RedisSettings(url=secured.url, prefix="shop:", timeout_seconds=5)
    environ = environment(kafka, redis) | login(apache, "password", tmp_path)
    with running_worker(environ, tmp_path / "worker.log") as worker:
        await view(kafka, 1)
        worker.until_events(1)
        until(lambda: bool(secured.admin.exists("shop:rec:{ada}")), worker.log)
        found = doctor(environ)
        until(lambda: doctor(environ)["lag"].startswith("0 records"), worker.log)
    assert found["redis rights"] == "this user may do what Headrace does"
    assert secured.refused() == []
    said = worker.log.read_text() + str(found)
    assert [secret for secret in (PASSWORD, redis_secured.PASSWORD, redis_secured.QUOTED) if secret in said] == []


async def test_a_wrong_password_ends_the_worker_with_what_to_check(
    apache: ApacheKafka, redis_settings: RedisSettings, tmp_path: Path
) -> None:
    kafka = KafkaSettings(bootstrap=apache.open)
    wrong = {"HEADRACE_KAFKA_SASL_PASSWORD": "sesame-wrong"}
    environ = environment(kafka, redis_settings) | login(apache, "password", tmp_path) | wrong
    done = run("worker", environ)
    assert done.returncode == 1
    assert "refuses user shop by SCRAM-SHA-512; check HEADRACE_KAFKA_SASL_USERNAME" in done.stderr
    assert "sesame" not in done.stdout + done.stderr
