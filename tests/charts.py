"""Renders the Helm chart for tests."""

import subprocess
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[1]
CHART = ROOT / "helm/headrace"
VARIANTS = sorted(path.name for path in (CHART / "ci").glob("*-values.yaml"))


def helm(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Helm. The first call fetches it."""
    command = [str(ROOT / "scripts/helm.sh"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=150)


def render(*arguments: str) -> list[dict[str, Any]]:
    """Return the manifests that the chart makes of these values."""
    rendered = helm("template", "headrace", str(CHART), *arguments)
    assert rendered.returncode == 0, rendered.stderr
    return [manifest for manifest in yaml.safe_load_all(rendered.stdout) if manifest]


def one(manifests: list[dict[str, Any]], kind: str) -> dict[str, Any]:
    """Return the only manifest of its kind."""
    (found,) = [each for each in manifests if each["kind"] == kind]
    return found


def pod(manifest: dict[str, Any]) -> dict[str, Any]:
    """Return the pod that a Deployment or StatefulSet makes."""
    spec: dict[str, Any] = manifest["spec"]["template"]["spec"]
    return spec
