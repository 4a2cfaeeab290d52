"""Every panel has data: a real Prometheus scrapes a worker and look-ups that do some work."""

import json
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from monitoring import RULES, PanelQuery, queries, rules
from prometheus import program, running_prometheus
from workers import HEADRACE, environment, running_worker, until

from app.concerns import KafkaSettings, RedisSettings

ROOT = Path(__file__).resolve().parents[2]
WITHOUT_MODELS = "headrace_model_info"


@contextmanager
def running_serve(environ: dict[str, str]) -> Iterator[str]:
    command = [HEADRACE, "serve", "--port", "0", "--json"]
    with subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        try:
            yield json.loads(process.stdout.readline())["url"]
        finally:
            process.terminate()


def for_prometheus(expression: str) -> str:
    """Return the expression with the values that Grafana would give its variables."""
    return expression.replace("$job", ".*").replace("$__rate_interval", "1m")


def test_every_panel_has_data_and_no_critical_alert_fires(
    kafka: KafkaSettings, redis_settings: RedisSettings, small_shop: Path, tmp_path: Path
) -> None:
    program("prometheus")
    models = ROOT / "onnx"
    has_models = (models / "manifest.json").exists()
    state = {"HEADRACE_WORKER_STATE_DIR": str(tmp_path / "state"), "HEADRACE_WORKER_SNAPSHOT_SECONDS": "1"}
    environ = environment(kafka, redis_settings, HEADRACE_MODEL_DIR=str(models) if has_models else "", **state)
    with (
        running_worker(environ, tmp_path / "worker.log") as worker,
        running_serve(environ) as serve,
        running_prometheus(tmp_path / "prometheus", {"worker": worker.url, "serve": serve}, RULES) as prometheus,
    ):
        # Rates need a look before the work and one after it.
        until(lambda: len(prometheus.values("headrace_build_info")) == 2)
        subprocess.run([HEADRACE, "replay", str(small_shop)], env=environ, check=True, capture_output=True)
        asked = [each for each in queries() if has_models or WITHOUT_MODELS not in each.expression]

        asked += [PanelQuery("rules", rule["record"], rule["record"]) for rule in rules() if "record" in rule]

        def ask_again() -> bool:
            for path in ("recommendations/ann", "recommendations/nobody", "live"):
                urllib.request.urlopen(f"{serve}/{path}").close()
            asked[:] = [each for each in asked if not prometheus.values(for_prometheus(each.expression))]
            return not asked

        try:
            until(ask_again, seconds=45)
        except AssertionError:
            pytest.fail(f"no data: {asked}")
        assert prometheus.sick_rules() == []
        assert prometheus.values('ALERTS{alertstate="firing",severity="critical"}') == []
