"""Check the Helm chart: it names only settings that exist, and refuses values that cannot work."""

import base64
import re
from typing import Any

import pytest
from charts import CHART, ROOT, VARIANTS, helm, one, pod, render

from app.settings import load, variables


def environment(manifests: list[dict[str, Any]], kind: str) -> dict[str, str]:
    """Return the variables that the container of this kind sees, without secrets."""
    (container,) = pod(one(manifests, kind))["containers"]
    own = {each["name"]: each["value"] for each in container["env"] if "value" in each}
    [settings] = [
        each for each in manifests if each["kind"] == "ConfigMap" and "HEADRACE_KAFKA_BOOTSTRAP" in each["data"]
    ]
    return {**settings["data"], **own}


def references(manifests: list[dict[str, Any]], kind: str) -> dict[str, tuple[str, str]]:
    """Return the variables that come from a Secret: its name and key."""
    (container,) = pod(one(manifests, kind))["containers"]
    found = {each["name"]: each["valueFrom"]["secretKeyRef"] for each in container["env"] if "valueFrom" in each}
    return {name: (secret["name"], secret["key"]) for name, secret in found.items()}


def test_every_setting_that_the_chart_names_exists() -> None:
    files = [path for path in CHART.rglob("*") if path.is_file()]
    named = {name for path in files for name in re.findall(r"HEADRACE_[A-Z_]+", path.read_text(encoding="utf-8"))}
    assert "HEADRACE_KAFKA_BOOTSTRAP" in named
    assert named - {variable.name for variable in variables()} == set()


@pytest.mark.parametrize("kind", ["StatefulSet", "Deployment"])
@pytest.mark.parametrize("variant", [[], *(["--values", str(CHART / "ci" / name)] for name in VARIANTS)])
def test_a_pod_starts_with_settings_that_headrace_accepts(kind: str, variant: list[str]) -> None:
    settings = load(environment(render(*variant), kind))
    assert settings.worker.host == ("0.0.0.0" if kind == "StatefulSet" else "127.0.0.1")
    assert settings.serve.host == ("0.0.0.0" if kind == "Deployment" else "127.0.0.1")


def test_large_numbers_and_truth_values_arrive_as_they_were_written() -> None:
    settings = load(environment(render("--values", str(CHART / "ci/secret-values.yaml")), "StatefulSet"))
    assert settings.kafka.max_message_bytes == 16_777_216
    assert settings.serve.accept_events is False


@pytest.mark.parametrize("kind", ["StatefulSet", "Deployment"])
def test_probes_knock_where_the_process_listens(kind: str) -> None:
    manifests = render()
    settings = load(environment(manifests, kind))
    (container,) = pod(one(manifests, kind))["containers"]
    (port,) = container["ports"]
    assert port["containerPort"] == (settings.worker.port if kind == "StatefulSet" else settings.serve.port)
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        assert container[probe]["httpGet"]["port"] == port["name"]


@pytest.mark.parametrize("kind", ["StatefulSet", "Deployment"])
def test_services_set_no_variables_in_a_pod(kind: str) -> None:
    """Kubernetes would set HEADRACE_SERVE_PORT to a URL, which is not a port."""
    assert pod(one(render(), kind))["enableServiceLinks"] is False


@pytest.mark.parametrize("kind", ["StatefulSet", "Deployment"])
def test_a_container_can_write_to_its_volumes_only_and_gain_no_rights(kind: str) -> None:
    spec = pod(one(render(), kind))
    (container,) = spec["containers"]
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert spec["automountServiceAccountToken"] is False
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert {mount["mountPath"] for mount in container["volumeMounts"]} == {"/var/lib/headrace", "/tmp"}


def test_the_volume_is_where_the_image_writes() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    assert "NUMBA_CACHE_DIR=/var/lib/headrace/" in dockerfile
    assert "WORKDIR /var/lib/headrace\n" in dockerfile
    assert "USER 10001:10001\n" in dockerfile
    assert environment(render(), "StatefulSet")["HEADRACE_WORKER_STATE_DIR"].startswith("/var/lib/headrace/")


def test_a_password_stays_out_of_the_settings() -> None:
    worker = one(render("--set", "redisUrlSecret.name=shop-redis"), "StatefulSet")
    (container,) = pod(worker)["containers"]
    secret = {"name": "HEADRACE_REDIS_URL", "valueFrom": {"secretKeyRef": {"name": "shop-redis", "key": "url"}}}
    assert secret in container["env"]


@pytest.mark.parametrize("kind", ["StatefulSet", "Deployment"])
def test_the_login_to_kafka_and_certificates_come_from_secrets(kind: str) -> None:
    manifests = render("--values", str(CHART / "ci/secret-values.yaml"))
    found = references(manifests, kind)
    assert found["HEADRACE_KAFKA_SASL_USERNAME"] == ("shop-kafka", "username")
    assert found["HEADRACE_KAFKA_SASL_PASSWORD"] == ("shop-kafka", "password")
    settings = load(environment(manifests, kind)).kafka
    assert (settings.security_protocol, settings.tls_ca_file) == ("SASL_SSL", "/etc/headrace/kafka-tls/ca.crt")
    (container,) = pod(one(manifests, kind))["containers"]
    volumes = pod(one(manifests, kind))["volumes"]
    secrets = {each["name"]: each["secret"]["secretName"] for each in volumes if "secret" in each}
    mounts = container["volumeMounts"]
    mounted = {secrets[each["name"]]: each["mountPath"] for each in mounts if each["name"] in secrets}
    assert mounted == {"kafka-certificates": "/etc/headrace/kafka-tls", "redis-certificates": "/etc/headrace/redis-tls"}


@pytest.mark.parametrize("kind", ["StatefulSet", "Deployment"])
def test_the_chart_makes_tokens_that_headrace_accepts_and_no_pod_starts_without(kind: str) -> None:
    manifests = render()
    secret = one(manifests, "Secret")
    tokens = {key: base64.b64decode(value).decode() for key, value in secret["data"].items()}
    assert tokens["tokens"] != tokens["metrics"]
    load({"HEADRACE_HTTP_TOKENS": tokens["tokens"], "HEADRACE_HTTP_METRICS_TOKENS": tokens["metrics"]})
    assert references(manifests, kind) == {
        "HEADRACE_HTTP_TOKENS": (secret["metadata"]["name"], "tokens"),
        "HEADRACE_HTTP_METRICS_TOKENS": (secret["metadata"]["name"], "metrics"),
        "HEADRACE_LOG_PSEUDONYM_KEY": (secret["metadata"]["name"], "pseudonyms"),
    }


@pytest.mark.parametrize("kind", ["StatefulSet", "Deployment"])
def test_a_secret_of_ones_own_takes_the_place_of_the_charts(kind: str) -> None:
    manifests = render("--set", "httpTokensSecret.name=mine,httpTokensSecret.key=all")
    assert [each for each in manifests if each["kind"] == "Secret"] == []
    assert references(manifests, kind)["HEADRACE_HTTP_TOKENS"] == ("mine", "all")


@pytest.mark.parametrize("kind", ["StatefulSet", "Deployment"])
def test_no_tokens_are_asked_for_where_the_values_say_so(kind: str) -> None:
    manifests = render("--set", "settings.HEADRACE_HTTP_ALLOW_ANYONE=true")
    assert [each for each in manifests if each["kind"] == "Secret"] == []
    assert references(manifests, kind) == {}
    assert load(environment(manifests, kind)).http.allow_anyone


def test_a_changed_setting_restarts_the_pods() -> None:
    before = one(render(), "StatefulSet")["spec"]["template"]["metadata"]["annotations"]
    after = one(render("--set", "settings.HEADRACE_LOG_LEVEL=debug"), "StatefulSet")
    assert before != after["spec"]["template"]["metadata"]["annotations"]


@pytest.mark.parametrize(
    "value",
    [
        "settings.HEADRACE_KAFKA_BOOTSTRAP=null",
        "worker.replicas=two",
        "worker.replicas=-1",
        "worker.persistence.size=lots",
        "worker.startupSeconds=0",
        "serve.service.port=70000",
        "serve.service.type=Ingress",
        "image.pullPolicy=Sometimes",
        "workers.replicas=2",
    ],
)
def test_a_value_that_cannot_work_is_refused_before_anything_is_installed(value: str) -> None:
    refused = helm("template", "headrace", str(CHART), "--set", value)
    assert refused.returncode != 0
    assert "don't meet the specifications of the schema" in refused.stderr


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (
            "settings.HEADRACE_KAFKA_BOOTSTRAPP=kafka:9092",
            "settings.HEADRACE_KAFKA_BOOTSTRAPP is not a setting of Headrace; .env.example lists all of them.",
        ),
        (
            "settings.HEADRACE_SERVE_PORT=8080",
            "settings.HEADRACE_SERVE_PORT cannot be set here, because the chart sets it itself; "
            "see helm/headrace/README.md.",
        ),
        (
            "settings.HEADRACE_HTTP_TOKENS=in-a-config-map-0123",
            "settings.HEADRACE_HTTP_TOKENS cannot be set here, because the chart sets it itself; "
            "see helm/headrace/README.md.",
        ),
    ],
)
def test_a_setting_that_does_not_exist_is_named_in_one_sentence(value: str, said: str) -> None:
    refused = helm("template", "headrace", str(CHART), "--set", value)
    assert refused.returncode != 0
    assert refused.stderr.splitlines()[0].endswith(f": {said}")


def test_every_setting_is_of_the_shop_or_of_the_chart() -> None:
    files = ("settings.txt", "settings-of-the-chart.txt")
    named = [line for name in files for line in (CHART / name).read_text(encoding="utf-8").splitlines()]
    assert sorted(named) == sorted(variable.name for variable in variables())
