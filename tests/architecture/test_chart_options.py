"""Check what the Helm chart adds on request: monitoring, scaling, network rules, variables."""

import json
from typing import Any

import pytest
import yaml
from charts import CHART, helm, one, pod, render
from made_pages import assert_up_to_date
from monitoring import DASHBOARDS, RULES

from app.kafka.topics import SOURCES
from app.settings import load

EVERYTHING = ("--values", str(CHART / "ci/everything-on-values.yaml"))
REPLICAS = ("--values", str(CHART / "ci/replicas-values.yaml"))
OPTIONAL = {
    *("ServiceMonitor", "PrometheusRule", "ScaledObject", "NetworkPolicy"),
    *("HorizontalPodAutoscaler", "Ingress", "Job"),
}
DIGEST = f"sha256:{'a' * 64}"


def of_kind(manifests: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [each for each in manifests if each["kind"] == kind]


def test_nothing_optional_is_there_unless_it_is_asked_for() -> None:
    assert {each["kind"] for each in render()} & OPTIONAL == set()


def test_the_rules_arrive_as_they_are_in_their_files() -> None:
    found = [each["spec"] for each in of_kind(render(*EVERYTHING), "PrometheusRule")]
    assert found == [yaml.safe_load(path.read_text(encoding="utf-8")) for path in RULES]


def test_the_dashboards_arrive_as_they_are_in_their_files() -> None:
    maps = of_kind(render(*EVERYTHING), "ConfigMap")
    [dashboards] = [each for each in maps if "grafana_dashboard" in each["metadata"]["labels"]]
    found = {name: json.loads(content) for name, content in dashboards["data"].items()}
    assert found == {path.name: json.loads(path.read_text(encoding="utf-8")) for path in DASHBOARDS}


def test_prometheus_finds_both_services_and_has_a_token() -> None:
    manifests = render(*EVERYTHING)
    spec = one(manifests, "ServiceMonitor")["spec"]
    wanted = spec["selector"]["matchLabels"].items()
    chosen = [each for each in of_kind(manifests, "Service") if wanted <= each["metadata"]["labels"].items()]
    assert len(chosen) == 2
    [endpoint] = spec["endpoints"]
    assert {port["name"] for service in chosen for port in service["spec"]["ports"]} == {endpoint["port"]}
    secret = one(manifests, "Secret")
    credentials = endpoint["authorization"]["credentials"]
    assert credentials["name"] == secret["metadata"]["name"]
    assert credentials["key"] in secret["data"]


def test_keda_scales_the_workers_by_the_lag_of_each_topic_of_events() -> None:
    manifests = render("--values", str(CHART / "ci/keda-values.yaml"))
    worker, scaled = one(manifests, "StatefulSet"), one(manifests, "ScaledObject")["spec"]
    assert "replicas" not in worker["spec"]
    assert scaled["scaleTargetRef"] == {"kind": "StatefulSet", "name": worker["metadata"]["name"]}
    assert [each["metadata"]["topic"] for each in scaled["triggers"]] == [f"shop-{name}" for name in SOURCES]
    assert {each["metadata"]["consumerGroup"] for each in scaled["triggers"]} == {"shop"}
    assert all(type(value) is str for each in scaled["triggers"] for value in each["metadata"].values())


@pytest.mark.parametrize("component", ["worker", "serve"])
def test_a_network_policy_is_for_the_pods_and_the_port_of_its_component(component: str) -> None:
    manifests = render(*EVERYTHING)
    [policy] = [
        each for each in of_kind(manifests, "NetworkPolicy") if each["metadata"]["name"].endswith(f"-{component}")
    ]
    workload = one(manifests, "StatefulSet" if component == "worker" else "Deployment")
    assert policy["spec"]["podSelector"] == workload["spec"]["selector"]
    [container] = pod(workload)["containers"]
    [rule] = policy["spec"]["ingress"]
    assert [port["port"] for port in rule["ports"]] == [port["name"] for port in container["ports"]]
    assert {"podSelector": {"matchLabels": {"app": "pages"}}} in rule["from"] or component == "worker"


@pytest.mark.parametrize("kind", ["StatefulSet", "Deployment"])
def test_pods_get_the_extra_variables_and_annotations(kind: str) -> None:
    workload = one(render(*EVERYTHING), kind)
    [container] = pod(workload)["containers"]
    assert {"name": "TZ", "value": "Europe/Amsterdam"} in container["env"]
    annotations = workload["spec"]["template"]["metadata"]["annotations"]
    assert annotations["example.com/team"] == "shop"
    assert "checksum/settings" in annotations


def test_a_digest_takes_the_place_of_the_tag() -> None:
    [container] = pod(one(render("--set", f"image.digest={DIGEST},image.tag=v9"), "Deployment"))["containers"]
    assert container["image"] == f"headrace@{DIGEST}"


def test_the_number_of_look_ups_is_left_to_the_autoscaler() -> None:
    manifests = render(*EVERYTHING)
    look_ups, scaler = one(manifests, "Deployment"), one(manifests, "HorizontalPodAutoscaler")["spec"]
    assert "replicas" not in look_ups["spec"]
    assert scaler["scaleTargetRef"]["name"] == look_ups["metadata"]["name"]


def test_the_numbers_are_left_to_another_program_where_they_are_null() -> None:
    manifests = render("--set", "worker.replicas=null,serve.replicas=null")
    for kind in ("StatefulSet", "Deployment"):
        assert "replicas" not in one(manifests, kind)["spec"]


def test_an_ingress_leads_to_the_look_ups_over_tls() -> None:
    manifests = render(*REPLICAS)
    spec = one(manifests, "Ingress")["spec"]
    [service] = [each for each in of_kind(manifests, "Service") if each["metadata"]["name"].endswith("-serve")]
    [path] = spec["rules"][0]["http"]["paths"]
    assert path["backend"]["service"] == {"name": service["metadata"]["name"], "port": {"name": "http"}}
    assert spec["tls"] == [{"hosts": [spec["rules"][0]["host"]], "secretName": "headrace-certificate"}]


def test_the_job_of_topics_has_all_that_it_needs_before_the_chart_is_installed() -> None:
    manifests = render(*REPLICAS)
    job = one(manifests, "Job")
    assert job["metadata"]["annotations"]["helm.sh/hook"] == "pre-install,pre-upgrade"
    spec = pod(job)
    [container] = spec["containers"]
    assert container["args"] == ["topics"]
    # What the chart itself makes does not exist yet.
    assert "envFrom" not in container
    assert "serviceAccountName" not in spec
    plain = {each["name"]: each["value"] for each in container["env"] if "value" in each}
    assert load(plain).kafka.replication == 3
    secrets = {each["valueFrom"]["secretKeyRef"]["name"] for each in container["env"] if "valueFrom" in each}
    assert secrets == {"kafka-owner"}
    assert {each["name"] for each in container["volumeMounts"]} == {each["name"] for each in spec["volumes"]}


def test_helm_test_asks_the_look_ups_and_the_doctor() -> None:
    manifests = render(*EVERYTHING)
    tester = one(manifests, "Pod")
    assert tester["metadata"]["annotations"]["helm.sh/hook"] == "test"
    asked, doctor = tester["spec"]["containers"]
    [service] = [each for each in of_kind(manifests, "Service") if each["metadata"]["name"].endswith("-serve")]
    port = service["spec"]["ports"][0]["port"]
    assert asked["args"][-1] == f"http://{service['metadata']['name']}:{port}/readyz"
    compile(asked["args"][0], "helm test", "exec")
    assert doctor["args"] == ["doctor"]
    [policy] = [each for each in of_kind(manifests, "NetworkPolicy") if each["metadata"]["name"].endswith("-serve")]
    allowed = [each.get("podSelector", {}).get("matchLabels", {}) for each in policy["spec"]["ingress"][0]["from"]]
    assert any(each and each.items() <= tester["metadata"]["labels"].items() for each in allowed[1:])


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ("nameOverride=lists", "shop-lists-worker"),
        ("fullnameOverride=lists", "lists-worker"),
        ("nameOverride=shop", "shop-worker"),
    ],
)
def test_names_follow_the_overrides(value: str, name: str) -> None:
    rendered = helm("template", "shop", str(CHART), "--set", value)
    worker = one([each for each in yaml.safe_load_all(rendered.stdout) if each], "StatefulSet")
    assert worker["metadata"]["name"] == name


def test_pods_may_be_bound_to_nodes() -> None:
    assert "podAntiAffinity" in pod(one(render(*REPLICAS), "StatefulSet"))["affinity"]
    assert "affinity" not in pod(one(render(), "StatefulSet"))


def test_the_readme_of_the_chart_is_as_its_values_are() -> None:
    assert_up_to_date("chart_readme.py")


@pytest.mark.parametrize(
    "value",
    [
        "serve.ingress.host=not a host",
        "serve.autoscaling.cpuPercent=0",
        "worker.affinity.nodes=a",
        "nameOverride=Not_A_Name",
        "image.digest=sha256:short",
        "extraEnv[0].value=nameless",
        "worker.autoscaling.maxReplicas=0",
        "monitoring.rules.enabled=perhaps",
        "monitoring.serviceMonitor.interval=often",
        "networkPolicy.clients=null,networkPolicy.scrapers[0]=all",
    ],
)
def test_an_option_that_cannot_work_is_refused(value: str) -> None:
    refused = helm("template", "headrace", str(CHART), "--set", value)
    assert refused.returncode != 0
    assert "don't meet the specifications of the schema" in refused.stderr


def test_every_set_of_values_for_the_checks_says_what_it_is_for() -> None:
    for path in sorted((CHART / "ci").glob("*.yaml")):
        assert path.read_text(encoding="utf-8").startswith("# "), path.name
