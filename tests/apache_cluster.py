"""Runs brokers of Apache Kafka that may fail and come back, each of them a controller too."""

import asyncio
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from apache_kafka import JARS, START_SECONDS, STOP_SECONDS, _wait_until_it_answers
from workers import free_port

from app.concerns import KafkaSettings
from app.kafka.admin import describe_brokers
from app.kafka.failure import KafkaAway
from app.local.children import start

BROKERS = 3
CLUSTER_ID = "headrace-cluster-00000"


@dataclass(frozen=True, slots=True)
class KafkaBroker:
    """One broker: its number, its port and its process."""

    number: int
    port: int
    process: "subprocess.Popen[bytes]"

    def kill(self) -> None:
        """End it as a power failure would."""
        self.process.kill()
        self.process.wait()


@dataclass(frozen=True, slots=True)
class KafkaCluster:
    """Brokers that replicate every topic; of three, two have a write once it is acknowledged."""

    brokers: list[KafkaBroker]
    folder: Path
    stack: ExitStack

    @property
    def bootstrap(self) -> str:
        return ",".join(f"localhost:{each.port}" for each in self.brokers)

    def broker(self, number: int) -> KafkaBroker:
        return next(each for each in self.brokers if each.number == number)

    def start_again(self, ended: KafkaBroker) -> None:
        """Start a broker that ended, with what it had kept, and wait until it answers."""
        row = self.brokers.index(ended)
        folder = self.folder / str(ended.number)
        self.brokers[row] = _start(self.stack, folder, ended.number, ended.port)
        _wait_until_it_answers(self.brokers[row].process, ended.port, folder / "kafka.log")


@contextmanager
def kafka_cluster(folder: Path, brokers: int = BROKERS) -> Iterator[KafkaCluster]:
    """Run the brokers until the block ends. Each logs to `folder/NUMBER/kafka.log`."""
    ports = {number: (free_port(), free_port()) for number in range(1, brokers + 1)}
    with ExitStack() as stack:
        _format(stack, [_configure(folder / str(number), number, ports) for number in ports])
        started = [_start(stack, folder / str(number), number, ports[number][0]) for number in ports]
        for each in started:
            _wait_until_it_answers(each.process, each.port, folder / str(each.number) / "kafka.log")
        cluster = KafkaCluster(started, folder, stack)
        _wait_until_all_are_known(cluster)
        yield cluster


def _configure(folder: Path, number: int, ports: dict[int, tuple[int, int]]) -> Path:
    folder.mkdir(parents=True)
    properties = folder / "server.properties"
    properties.write_text("".join(f"{name}={value}\n" for name, value in _properties(folder, number, ports).items()))
    return properties


def _java() -> list[str]:
    java = [shutil.which("java") or "java", "-cp", f"{JARS}/*", "-Xmx320m", "-XX:+UseSerialGC"]
    return [*java, "-XX:TieredStopAtLevel=1", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"]


def _format(stack: ExitStack, files: Sequence[Path]) -> None:
    """Format the folders of all brokers at the same time."""
    storage = [*_java(), "kafka.tools.StorageTool", "format", "-t", CLUSTER_ID, "-c"]
    running = []
    for properties in files:
        with properties.with_name("format.log").open("wb") as log:
            command = [*storage, str(properties)]
            running.append(start(stack, command, stop_seconds=STOP_SECONDS, stdout=log, stderr=subprocess.STDOUT))
    for process, properties in zip(running, files, strict=True):
        assert process.wait(START_SECONDS) == 0, properties.with_name("format.log").read_text()


def _start(stack: ExitStack, folder: Path, number: int, port: int) -> KafkaBroker:
    with (folder / "kafka.log").open("wb") as log:
        command = [*_java(), "kafka.Kafka", str(folder / "server.properties")]
        process = start(stack, command, stop_seconds=STOP_SECONDS, stdout=log, stderr=subprocess.STDOUT)
    return KafkaBroker(number, port, process)


def _properties(folder: Path, number: int, ports: dict[int, tuple[int, int]]) -> dict[str, str]:
    broker, controller = ports[number]
    return {
        "process.roles": "broker,controller",
        "node.id": str(number),
        "controller.quorum.voters": ",".join(f"{each}@localhost:{ports[each][1]}" for each in ports),
        "listeners": f"PLAINTEXT://localhost:{broker},CONTROLLER://localhost:{controller}",
        "advertised.listeners": f"PLAINTEXT://localhost:{broker}",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "controller.listener.names": "CONTROLLER",
        "log.dirs": str(folder / "logs"),
        "default.replication.factor": str(len(ports)),
        "min.insync.replicas": str(max(1, len(ports) - 1)),
        "offsets.topic.replication.factor": str(len(ports)),
        "offsets.topic.num.partitions": "3",
        "group.initial.rebalance.delay.ms": "0",
        "group.min.session.timeout.ms": "1000",
        "auto.create.topics.enable": "false",
        # A broker that is gone is noticed within seconds.
        "broker.session.timeout.ms": "3000",
        "broker.heartbeat.interval.ms": "500",
    }


def _wait_until_all_are_known(cluster: KafkaCluster) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            if len(asyncio.run(describe_brokers(KafkaSettings(bootstrap=cluster.bootstrap)))) == len(cluster.brokers):
                return
        except KafkaAway:
            pass
        assert time.monotonic() < deadline, [path.read_text()[-1000:] for path in cluster.folder.glob("*/kafka.log")]
        time.sleep(0.2)
