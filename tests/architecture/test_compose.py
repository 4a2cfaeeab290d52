"""Check compose.yaml: it keeps to the Compose schema, and what it mounts and names exists."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from monitoring import DASHBOARDS, RULES

from app.datasets.sample import FOLDER_IN_WHEEL, REQUIREMENT, SHA256
from app.settings import load, variables

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "compose.yaml").read_text(encoding="utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = ("worker", "serve", "sample")


def test_it_keeps_to_the_compose_schema() -> None:
    compose_spec = pytest.importorskip("compose_spec", reason="NOT CHECKED: no compose-spec here; run make setup")
    parsed = compose_spec.PyOptions(apply_merge=True).from_yaml(TEXT)
    parsed.validate()
    assert sorted(parsed.service_names()) == sorted(SERVICES)


def test_the_schema_refuses_a_key_that_it_does_not_know() -> None:
    compose_spec = pytest.importorskip("compose_spec", reason="NOT CHECKED: no compose-spec here; run make setup")
    with pytest.raises(ValueError, match="restarts"):
        compose_spec.PyOptions(apply_merge=True).from_yaml(TEXT.replace("restart:", "restarts:", 1))


def test_every_file_that_it_mounts_exists_and_every_volume_is_declared() -> None:
    mounts = [mount.split(":")[0] for service in SERVICES.values() for mount in service.get("volumes", [])]
    files = [mount for mount in mounts if mount.startswith(".")]
    assert files
    assert [mount for mount in files if not (ROOT / mount).exists()] == []
    assert set(mounts) - set(files) == set(COMPOSE["volumes"])


@pytest.mark.parametrize("service", OURS)
def test_headrace_accepts_the_settings(service: str) -> None:
    environment = SERVICES[service]["environment"]
    assert {name for name in environment} <= {variable.name for variable in variables()}
    settings = load({**environment, "HEADRACE_WORKER_HOST": "0.0.0.0"})
    assert settings.kafka.bootstrap == "kafka:9092"


@pytest.mark.parametrize("service", OURS)
def test_headrace_has_no_rights_and_writes_only_to_its_volumes(service: str) -> None:
    assert SERVICES[service]["read_only"] is True
    assert SERVICES[service]["cap_drop"] == ["ALL"]
    assert any("/var/lib/headrace" in volume for volume in SERVICES[service]["volumes"])


def test_ports_are_open_on_this_machine_only() -> None:
    ports = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert ports
    assert [port for port in ports if not port.startswith("127.0.0.1:")] == []


def test_images_have_versions() -> None:
    images = [service["image"] for service in SERVICES.values()]
    assert [image for image in images if not re.search(r":v?\d", image)] == []


def test_prometheus_scrapes_the_ports_of_the_services_and_reads_the_rules() -> None:
    config = yaml.safe_load((ROOT / "deploy/prometheus.yaml").read_text(encoding="utf-8"))
    targets = {each["names"][0]: each["port"] for job in config["scrape_configs"] for each in job["dns_sd_configs"]}
    settings = load({})
    assert targets == {"worker": settings.worker.port, "serve": settings.serve.port}
    mounted = [mount for mount in SERVICES["prometheus"]["volumes"] if "rules" in mount]
    assert mounted == [f"./{RULES[0].parent.relative_to(ROOT)}:/etc/prometheus/rules:ro"]


def test_grafana_finds_the_dashboards_where_they_are_mounted() -> None:
    config = yaml.safe_load((ROOT / "deploy/grafana/dashboards.yaml").read_text(encoding="utf-8"))
    [path] = [provider["options"]["path"] for provider in config["providers"]]
    assert f"./{DASHBOARDS[0].parent.relative_to(ROOT)}:{path}:ro" in SERVICES["grafana"]["volumes"]


def test_the_sample_is_fetched_as_headrace_expects_it() -> None:
    script = SERVICES["sample-log"]["command"][-1]
    assert REQUIREMENT in script
    assert FOLDER_IN_WHEEL in script
    assert all(f"{name.split('.')[0]}.*" in script for name in SHA256)
