#!/usr/bin/env bash
# Lints the chart, renders it with the default values and with each variant under ci/, and validates every
# manifest against the Kubernetes schemas, offline.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
chart="$root/helm/headrace"
rendered="$root/.cache/rendered"
# Dashboards are JSON with long lines, Helm indents lists in its own way, and .yamllint ignores the folder of the
# rendered manifests.
style='{extends: default, rules: {line-length: disable, document-start: disable, empty-lines: disable,
  comments: {min-spaces-from-content: 1}, indentation: {indent-sequences: whatever}}}'
export PYTHONSAFEPATH=1
rm -rf "$rendered"
mkdir -p "$rendered"

for values in "$chart"/values.yaml "$chart"/ci/*-values.yaml; do
  manifest="$rendered/$(basename "$values")"
  "$root/scripts/helm.sh" lint --strict --quiet "$chart" --values "$values"
  "$root/scripts/helm.sh" template shop "$chart" --values "$values" >"$manifest"
  # Says for each custom resource (of KEDA and of Prometheus Operator) that it has no schema for it.
  "$root/.venv/bin/kubernetes-validate" --strict --quiet "$manifest"
  "$root/.venv/bin/yamllint" --strict --config-data "$style" "$manifest"
done
echo "helm: $(find "$rendered" -name '*.yaml' | wc -l) sets of values render to valid manifests"
