"""Every way to log in, on Apache Kafka itself, by every kind of client; and what is said when it
lets nobody in.
"""

import base64
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from uuid import uuid4

import orjson
import pytest
from apache_kafka import PASSWORD, TOKEN_SECONDS, USER, ApacheKafka
from certificates import KEY_PASSWORD

from app.checkup.doctor import Status, examine
from app.checkup.kafka_server import check_broker
from app.concerns import KafkaSettings
from app.errors import HeadraceError
from app.kafka.admin import describe_brokers
from app.kafka.clients import make_consumer, make_producer
from app.kafka.event_producer import EventProducer
from app.kafka.group_offsets import read_group_lag
from app.kafka.msk_tokens import LIBRARY
from app.kafka.replay import producer_for
from app.kafka.topics import create_topics
from app.kafka.whole_log import whole_log
from models.contract.events import Kind

Login = Callable[[ApacheKafka, Path], KafkaSettings]
WRONG = "sesame-wrong"
BASE = KafkaSettings(sasl_username=USER, sasl_password=PASSWORD, partitions=1)


def token(seconds: float) -> str:
    """An unsigned token, which the broker of the tests trusts."""

    def part(content: dict[str, object]) -> str:
        return base64.urlsafe_b64encode(orjson.dumps(content)).decode().rstrip("=")

    now = time.time()
    return f"{part({'alg': 'none'})}.{part({'sub': USER, 'iat': now, 'exp': now + seconds})}."


def login(mechanism: str) -> Login:
    return lambda apache, _: replace(
        BASE, bootstrap=apache.sasl, security_protocol="SASL_PLAINTEXT", sasl_mechanism=mechanism
    )


def login_over_tls(mechanism: str) -> Login:
    return lambda apache, _: replace(
        BASE,
        bootstrap=apache.sasl_tls,
        security_protocol="SASL_SSL",
        sasl_mechanism=mechanism,
        tls_ca_file=str(apache.certificates.ca),
    )


def by_token(apache: ApacheKafka, folder: Path) -> KafkaSettings:
    file = folder / "token"
    file.write_text(token(60))
    settings = login_over_tls("OAUTHBEARER")(apache, folder)
    return replace(settings, sasl_username="", sasl_password="", sasl_token_file=str(file))


def by_certificate(apache: ApacheKafka, folder: Path) -> KafkaSettings:
    made = apache.certificates
    return KafkaSettings(
        bootstrap=apache.mutual_tls,
        partitions=1,
        security_protocol="SSL",
        tls_ca_file=str(made.ca),
        tls_certificate_file=str(made.client),
        tls_key_file=str(made.client_locked_key),
        tls_key_password=KEY_PASSWORD,
    )


WAYS: dict[str, Login] = {
    "PLAIN": login("PLAIN"),
    "SCRAM-SHA-256": login("SCRAM-SHA-256"),
    "SCRAM-SHA-512 over TLS": login_over_tls("SCRAM-SHA-512"),
    "OAUTHBEARER over TLS": by_token,
    "certificate": by_certificate,
}


@pytest.mark.parametrize("way", WAYS)
async def test_every_client_gets_in(apache: ApacheKafka, tmp_path: Path, way: str) -> None:
    name = f"test-{uuid4().hex[:12]}"
    settings = replace(WAYS[way](apache, tmp_path), topic_prefix=f"{name}-", group=name, compression="lz4")
    assert set(await create_topics(settings)) >= {f"{name}-views", f"{name}-quarantine"}
    assert await describe_brokers(settings) == [settings.bootstrap]
    async with producer_for(settings) as producer:
        await producer.send_and_wait(f"{name}-views", b"{}")
    clicks = EventProducer(settings)
    await clicks.send(Kind.CLICK, "ada", b"{}")
    await clicks.close()
    lag = await read_group_lag(settings)
    assert lag is not None
    assert lag.records == 2
    async with whole_log(settings, "views", lambda _: None) as log:
        assert sum([len(batch.values) async for batch in log.read()]) == 1


FAULTS: dict[str, tuple[Login, str, str]] = {
    "PLAIN": (
        lambda apache, folder: replace(login("PLAIN")(apache, folder), sasl_password=WRONG),
        "refuses user shop by PLAIN",
        "HEADRACE_KAFKA_SASL_PASSWORD",
    ),
    "SCRAM": (
        lambda apache, folder: replace(login_over_tls("SCRAM-SHA-512")(apache, folder), sasl_password=WRONG),
        "refuses user shop by SCRAM-SHA-512",
        "HEADRACE_KAFKA_SASL_PASSWORD",
    ),
    "token": (
        lambda apache, folder: replace(
            by_token(apache, folder), sasl_token_file="", sasl_token_command=f"echo {WRONG}"
        ),
        "refuses the token",
        "get a token that it trusts",
    ),
    "no token": (
        lambda apache, folder: replace(by_token(apache, folder), sasl_token_file="/no/such"),
        "no token to log in to Kafka with",
        "HEADRACE_KAFKA_SASL_TOKEN_FILE",
    ),
    "authority": (
        lambda apache, folder: replace(
            login_over_tls("PLAIN")(apache, folder), tls_ca_file=str(apache.certificates.other_ca)
        ),
        "cannot be trusted: unable to get local issuer certificate",
        "HEADRACE_KAFKA_TLS_CA_FILE",
    ),
    "no certificate": (
        lambda apache, folder: replace(
            by_certificate(apache, folder), tls_certificate_file="", tls_key_file="", tls_key_password=""
        ),
        "",
        "HEADRACE_KAFKA_TLS_CERTIFICATE_FILE",
    ),
    "no login": (
        lambda apache, _: KafkaSettings(bootstrap=apache.sasl),
        "closes the connection before it answers",
        "HEADRACE_KAFKA_SECURITY_PROTOCOL to SSL, SASL_PLAINTEXT or SASL_SSL",
    ),
    "no TLS": (
        lambda apache, _: KafkaSettings(bootstrap=apache.sasl_tls),
        "closes the connection before it answers",
        "HEADRACE_KAFKA_SECURITY_PROTOCOL to SSL, SASL_PLAINTEXT or SASL_SSL",
    ),
    "login to an open broker": (
        lambda apache, folder: replace(login("PLAIN")(apache, folder), bootstrap=apache.open),
        "IllegalSaslStateError",
        "HEADRACE_KAFKA_SECURITY_PROTOCOL",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
async def test_what_is_wrong_is_named_with_what_to_set_and_without_a_secret(
    apache: ApacheKafka, tmp_path: Path, caplog: pytest.LogCaptureFixture, fault: str
) -> None:
    make, detail, advice = FAULTS[fault]
    settings = make(apache, tmp_path)
    [finding] = await check_broker(settings)
    assert finding.status is Status.FAILED
    assert detail in finding.detail
    assert advice in finding.advice
    with pytest.raises(HeadraceError) as raised:
        await create_topics(settings)
    assert advice in str(raised.value)
    assert "sesame" not in f"{finding} {raised.value} {caplog.text}"


async def test_a_replay_says_who_was_refused(apache: ApacheKafka, tmp_path: Path) -> None:
    settings = replace(login("SCRAM-SHA-256")(apache, tmp_path), sasl_password=WRONG)
    with pytest.raises(HeadraceError, match="refuses user shop by SCRAM-SHA-256; check HEADRACE_KAFKA_SASL_USERNAME"):
        async with producer_for(settings):
            pass


async def test_settings_that_cannot_work_are_a_finding() -> None:
    settings = KafkaSettings(security_protocol="SASL_SSL")
    [finding] = await examine([("kafka", lambda: check_broker(settings))])
    assert finding.status is Status.FAILED
    assert "needs HEADRACE_KAFKA_SASL_USERNAME" in finding.detail


async def test_a_connection_that_ends_with_its_token_is_made_again_with_the_next_one(
    apache: ApacheKafka, tmp_path: Path
) -> None:
    name = f"test-{uuid4().hex[:12]}"
    settings = replace(by_token(apache, tmp_path), topic_prefix=f"{name}-", group=name)
    await create_topics(settings)
    file, place = Path(settings.sasl_token_file), f"{name}-views"
    # Each client gets a token of its own: one start may take as long as a token lasts.
    async with AsyncExitStack() as stack:
        file.write_text(token(2))
        producer = await stack.enter_async_context(make_producer(settings))
        file.write_text(token(2))
        consumer = await stack.enter_async_context(make_consumer(settings, auto_offset_reset="earliest"))
        consumer.subscribe([place])
        ends = time.monotonic() + 3
        sent = read = 0
        while time.monotonic() < ends:
            file.write_text(token(TOKEN_SECONDS))
            await producer.send_and_wait(place, b"{}")
            sent += 1
            read += sum(len(each) for each in (await consumer.getmany(timeout_ms=100)).values())
        while read < sent and time.monotonic() < ends + 20:
            read += sum(len(each) for each in (await consumer.getmany(timeout_ms=100)).values())
    assert read == sent


@pytest.mark.skipif(find_spec(LIBRARY) is None, reason="needs the extra msk")
async def test_a_token_that_aws_credentials_signed_reaches_the_broker_which_is_no_msk(
    apache: ApacheKafka, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIASHOP")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", WRONG)
    scram = login_over_tls("SCRAM-SHA-512")(apache, tmp_path)
    settings = replace(scram, sasl_mechanism="AWS_MSK_IAM", aws_region="eu-central-1")
    [finding] = await check_broker(settings)
    assert finding.status is Status.FAILED
    assert "refuses the token that AWS credentials signed" in finding.detail
    assert "HEADRACE_KAFKA_AWS_REGION" in finding.advice
    assert WRONG not in str(finding)
