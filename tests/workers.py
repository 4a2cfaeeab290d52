"""Starts real worker processes for tests, with the installed console script."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import orjson
from prometheus_client.parser import text_string_to_metric_families

from app.concerns import KafkaSettings, RedisSettings
from app.local.scrape import Reading, parse_metrics

HEADRACE = str(Path(sys.executable).with_name("headrace"))
PATIENCE_SECONDS = 90.0  # on a busy machine, numba may have to compile first
STOP_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class RunningWorker:
    """A worker process, its log, and the address of its probes."""

    process: subprocess.Popen[bytes]
    log: Path
    url: str

    def read(self) -> Reading:
        """Return its counters now."""
        with urllib.request.urlopen(f"{self.url}/metrics") as answer:
            return parse_metrics(answer.read().decode())

    def metric(self, name: str, **labels: str) -> int:
        """Return a counter now, summed over all labels that are not given."""
        with urllib.request.urlopen(f"{self.url}/metrics") as answer:
            families = text_string_to_metric_families(answer.read().decode())
        samples = [sample for family in families for sample in family.samples]
        return int(sum(each.value for each in samples if each.name == name and labels.items() <= each.labels.items()))

    def until_events(self, count: int) -> Reading:
        """Return its counters once `count` events are processed."""
        until(lambda: self.read().events >= count, self.log)
        return self.read()

    def stop(self) -> None:
        """End it as an operator would; it must end with status 0."""
        self.process.terminate()
        assert self.process.wait(STOP_SECONDS) == 0, self.log.read_text()

    def kill(self) -> None:
        """End it as a power failure would."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


def environment(kafka: KafkaSettings, redis: RedisSettings, **more: str) -> dict[str, str]:
    """Return this environment without Headrace's settings, and with those of one test."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("HEADRACE_")}
    return inherited | {
        "HEADRACE_KAFKA_BOOTSTRAP": kafka.bootstrap,
        "HEADRACE_KAFKA_GROUP": kafka.group,
        "HEADRACE_KAFKA_TOPIC_PREFIX": kafka.topic_prefix,
        "HEADRACE_KAFKA_PARTITIONS": str(kafka.partitions),
        "HEADRACE_KAFKA_SESSION_TIMEOUT_SECONDS": "6",
        "HEADRACE_REDIS_URL": redis.url,
        "HEADRACE_REDIS_PREFIX": redis.prefix,
        "HEADRACE_WORKER_PORT": "0",
        "HEADRACE_MODEL_DIR": "",
        **more,
    }


@contextmanager
def running_worker(environ: dict[str, str], log: Path) -> Iterator[RunningWorker]:
    """A worker that is ready; it must end with status 0 when asked to, unless the test killed
    it.
    """
    with unready_worker(environ, log) as worker:
        until(lambda: is_ready(worker.url), log)
        yield worker


@contextmanager
def unready_worker(environ: dict[str, str], log: Path) -> Iterator[RunningWorker]:
    """A worker that answers probes, ready or not; it must end with status 0 when asked to, as
    above.
    """
    with log.open("wb") as written:
        process = subprocess.Popen([HEADRACE, "worker", "--json"], env=environ, stdout=subprocess.PIPE, stderr=written)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, log.read_text()
        worker = RunningWorker(process, log, orjson.loads(line)["url"])
        yield worker
        if process.poll() is None:
            worker.stop()
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def doctor(environ: dict[str, str]) -> dict[str, str]:
    """What `headrace doctor` says of each check, whatever it comes to."""
    done = subprocess.run([HEADRACE, "doctor", "--json"], env=environ, capture_output=True, check=False)
    return {each["check"]: each["detail"] for each in orjson.loads(done.stdout)["findings"]}


@contextmanager
def killed_worker(environ: dict[str, str], log: Path) -> Iterator[None]:
    """A worker that is started now, and killed at the end whatever it is doing."""
    with (
        log.open("wb") as written,
        subprocess.Popen([HEADRACE, "worker"], env=environ, stderr=written) as process,
    ):
        try:
            yield
        finally:
            process.kill()


def until(condition: Callable[[], bool], log: Path | None = None, seconds: float = PATIENCE_SECONDS) -> None:
    """Wait for a condition, with a deadline."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, log.read_text()[-3000:] if log else "never happened"
        time.sleep(0.05)


def free_port() -> int:
    """Return a port that no process listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def is_ready(url: str) -> bool:
    """Return whether the worker answers that it is ready."""
    try:
        return readiness(url)[0] == 200
    except OSError:
        return False


def readiness(url: str) -> tuple[int, str]:
    """Return the worker's answer: the status, and why it is not ready."""
    try:
        with urllib.request.urlopen(f"{url}/readyz") as answer:
            return answer.status, orjson.loads(answer.read())["detail"]
    except urllib.error.HTTPError as error:
        return error.code, orjson.loads(error.read())["detail"]
