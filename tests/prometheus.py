"""A real Prometheus for tests: started on a free port, asked over its HTTP interface."""

import json
import math
import shutil
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from workers import free_port, until

SCRAPE_SECONDS = 1
HOW_TO_GET_IT = "install Debian's package prometheus, or put the binaries on PATH"


def program(name: str) -> str:
    """Return the path of `prometheus` or `promtool`. Skips the test where there is none."""
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"NOT CHECKED: there is no {name} here; {HOW_TO_GET_IT}")
    return found


@dataclass(frozen=True, slots=True)
class Prometheus:
    """A running Prometheus."""

    url: str

    def values(self, expression: str) -> list[float]:
        """Return the values of an instant query, without those that are not a number."""
        found = self._get("query", query=expression)["result"]
        return [value for each in found if not math.isnan(value := float(each["value"][1]))]

    def sick_rules(self) -> list[str]:
        """Return the rules whose last evaluation failed."""
        groups = self._get("rules")["groups"]
        return [rule["name"] for group in groups for rule in group["rules"] if rule["health"] == "err"]

    def _get(self, path: str, **parameters: str) -> Any:
        address = f"{self.url}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
        try:
            with urllib.request.urlopen(address, timeout=10) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{parameters}: {error.read().decode()}") from error

    def answers(self) -> bool:
        """Return whether it is ready."""
        try:
            with urllib.request.urlopen(f"{self.url}/-/ready", timeout=10) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False


@contextmanager
def running_prometheus(folder: Path, targets: Mapping[str, str], rules: Sequence[Path] = ()) -> Iterator[Prometheus]:
    """Run a Prometheus that scrapes these addresses, by job, every second."""
    folder.mkdir(parents=True, exist_ok=True)
    jobs = [
        {"job_name": job, "static_configs": [{"targets": [url.removeprefix("http://")]}]}
        for job, url in targets.items()
    ]
    every = f"{SCRAPE_SECONDS}s"
    content = {
        "global": {"scrape_interval": every, "scrape_timeout": every, "evaluation_interval": every},
        "scrape_configs": jobs,
        "rule_files": [str(path) for path in rules],
    }
    config, log = folder / "prometheus.yaml", folder / "prometheus.log"
    config.write_text(yaml.safe_dump(content), encoding="utf-8")
    port = free_port()
    command = [program("prometheus"), f"--config.file={config}", f"--storage.tsdb.path={folder / 'data'}"]
    command.append(f"--web.listen-address=127.0.0.1:{port}")
    with log.open("wb") as written, subprocess.Popen(command, stdout=written, stderr=written) as process:
        try:
            server = Prometheus(f"http://127.0.0.1:{port}")
            until(server.answers, log)
            yield server
        finally:
            process.terminate()
