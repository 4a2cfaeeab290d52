"""Runs Apache Kafka itself, one broker in KRaft mode, where `make test-kafka` has fetched it.

It listens four times: for anybody, with SASL, with SASL over TLS, and for clients with a
certificate.
"""

import os
import shutil
import subprocess
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from aiokafka.protocol.admin import CreateAclsRequest  # type: ignore[import-untyped]  # ships no types
from certificates import Certificates, make_certificates
from workers import free_port

from app.concerns import KafkaSettings
from app.kafka.clients import make_admin
from app.local.children import start

# The folder of the files of Apache Kafka; not set: tests run on the embedded broker.
JARS = os.environ.get("HEADRACE_TEST_KAFKA_JARS", "")
# A broker that runs already, in place of both.
GIVEN = os.environ.get("HEADRACE_TEST_KAFKA", "")
ON_APACHE_KAFKA = bool(JARS or GIVEN)

embedded_only = pytest.mark.skipif(ON_APACHE_KAFKA, reason="Apache Kafka does not take or do what this test needs")

apache_only = pytest.mark.skipif(not ON_APACHE_KAFKA, reason="needs Apache Kafka: make test-kafka")

# USER may do everything, as who comes without a login or with a certificate; those of ROLES what
# they are granted.
USER, PASSWORD = "shop", "sesame-open"
ROLES = ("worker", "serve", "replay", "doctor")
START_SECONDS = 60.0
# Numbers of Kafka's protocol.
TOPIC, GROUP = 2, 3
LITERAL, ALLOW = 3, 3
OPERATIONS_BY_NAME = {"Read": 3, "Write": 4, "Describe": 8, "DescribeConfigs": 10}
STOP_SECONDS = 20.0
SASL_MECHANISMS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER")
LISTENERS = {"OPEN": "PLAINTEXT", "SASL": "SASL_PLAINTEXT", "SASLTLS": "SASL_SSL", "TLS": "SSL"}
TOKEN_SECONDS = 8  # a connection ends when its token does


@dataclass(frozen=True, slots=True)
class ApacheKafka:
    """Addresses of one broker; `mutual_tls` asks clients for a certificate."""

    open: str
    sasl: str
    sasl_tls: str
    mutual_tls: str
    certificates: Certificates


async def allow(bootstrap: str, rights: Iterable[tuple[str, int, str, str]]) -> None:
    """Grant rights, each a user, TOPIC or GROUP, its name and the operation."""
    admin = make_admin(KafkaSettings(bootstrap=bootstrap))
    await admin.start()
    try:
        for user, kind, resource, operation in rights:
            number = OPERATIONS_BY_NAME[operation]
            request = CreateAclsRequest(kind, resource, LITERAL, f"User:{user}", "*", number, ALLOW)
            answer = await admin._send_to_controller(request)
            assert [each[0] for each in answer.creation_responses] == [0], answer
    finally:
        await admin.close()


@contextmanager
def apache_kafka(folder: Path) -> Iterator[ApacheKafka]:
    """Run a broker until the block ends. Its log goes to `folder/kafka.log`."""
    certificates = make_certificates(folder)
    ports = {name: free_port() for name in (*LISTENERS, "CONTROLLER")}
    properties = folder / "server.properties"
    lines = _properties(folder, ports, certificates)
    properties.write_text("".join(f"{name}={value}\n" for name, value in lines.items()))
    java = [
        shutil.which("java") or "java",
        "-cp",
        f"{JARS}/*",
        "-Xmx512m",
        "-XX:+UseSerialGC",
        "-XX:TieredStopAtLevel=1",
    ]
    java.append("-Dorg.slf4j.simpleLogger.defaultLogLevel=warn")
    users = [word for each in ("256", "512") for word in ("--add-scram", _scram_user(each))]
    users += [word for role in ROLES for word in ("--add-scram", _scram_user("512", role))]
    storage = ["kafka.tools.StorageTool", "format", "-t", "headrace-tests-0000000", "-c", str(properties), *users]
    formatted = subprocess.run([*java, *storage], check=False, capture_output=True, text=True)
    assert formatted.returncode == 0, formatted.stdout + formatted.stderr
    log = folder / "kafka.log"
    with ExitStack() as stack, log.open("wb") as output:
        command = [*java, "kafka.Kafka", str(properties)]
        process = start(stack, command, stop_seconds=STOP_SECONDS, stdout=output, stderr=subprocess.STDOUT)
        _wait_until_it_answers(process, ports["OPEN"], log)
        at = {name: f"localhost:{ports[name]}" for name in LISTENERS}
        yield ApacheKafka(at["OPEN"], at["SASL"], at["SASLTLS"], at["TLS"], certificates)


def _scram_user(bits: str, name: str = USER) -> str:
    return f"SCRAM-SHA-{bits}=[name={name},password={PASSWORD}]"


def _properties(folder: Path, ports: dict[str, int], certificates: Certificates) -> dict[str, str]:
    keys = folder / "server-keys.pem"
    keys.write_text(certificates.server_key.read_text() + certificates.server.read_text())
    addresses = {name: f"{name}://localhost:{port}" for name, port in ports.items()}
    protocols = {**LISTENERS, "CONTROLLER": "PLAINTEXT"}
    replication = {
        f"{topic}.{setting}": "1"
        for topic in ("offsets.topic", "transaction.state.log", "share.coordinator.state.topic")
        for setting in ("replication.factor", "num.partitions")
    }
    return {
        "process.roles": "broker,controller",
        "node.id": "1",
        "controller.quorum.voters": f"1@localhost:{ports['CONTROLLER']}",
        "listeners": ",".join(addresses.values()),
        "advertised.listeners": ",".join(addresses[name] for name in LISTENERS),
        "listener.security.protocol.map": ",".join(f"{name}:{protocol}" for name, protocol in protocols.items()),
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users": f"User:ANONYMOUS;User:{USER};User:CN=headrace",
        "inter.broker.listener.name": "OPEN",
        "controller.listener.names": "CONTROLLER",
        "log.dirs": str(folder / "logs"),
        **replication,
        "transaction.state.log.min.isr": "1",
        "share.coordinator.state.topic.min.isr": "1",
        "group.initial.rebalance.delay.ms": "0",
        "group.min.session.timeout.ms": "1000",
        "log.cleaner.backoff.ms": "500",
        # A request for a topic that is not there must not make one with other settings.
        "auto.create.topics.enable": "false",
        "sasl.enabled.mechanisms": ",".join(SASL_MECHANISMS),
        **{name: value for each in ("sasl", "sasltls") for name, value in _logins(each).items()},
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": str(keys),
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": str(certificates.ca),
        "listener.name.tls.ssl.client.auth": "required",
    }


def _logins(listener: str) -> dict[str, str]:
    security = "org.apache.kafka.common.security"
    scram = f"{security}.scram.ScramLoginModule required;"
    tokens = f'{security}.oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="broker";'
    modules = {
        "plain": f'{security}.plain.PlainLoginModule required user_{USER}="{PASSWORD}";',
        "scram-sha-256": scram,
        "scram-sha-512": scram,
        "oauthbearer": tokens,
    }
    logins = {f"listener.name.{listener}.{each}.sasl.jaas.config": module for each, module in modules.items()}
    # Kafka closes a connection whose token has expired.
    return logins | {f"listener.name.{listener}.oauthbearer.connections.max.reauth.ms": str(TOKEN_SECONDS * 1000)}


def _wait_until_it_answers(process: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    from app.local.servers import _broker_answers

    deadline = time.monotonic() + START_SECONDS
    while True:
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        try:
            if _broker_answers(port, process.pid):
                return
        except OSError:
            time.sleep(0.05)
