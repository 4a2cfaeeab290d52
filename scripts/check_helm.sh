#!/usr/bin/env bash
# Lints the chart, renders it with the default values and with each variant under ci/, and validates every
# manifest against the Kubernetes schemas, offline.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
chart="$root/helm/headrace"
rendered="$root/.cache/rendered"
export PYTHONSAFEPATH=1
rm -rf "$rendered"
mkdir -p "$rendered"

for values in "$chart"/values.yaml "$chart"/ci/*-values.yaml; do
  manifest="$rendered/$(basename "$values")"
  "$root/scripts/helm.sh" lint --strict --quiet "$chart" --values "$values"
  "$root/scripts/helm.sh" template shop "$chart" --values "$values" >"$manifest"
  "$root/.venv/bin/kubernetes-validate" --strict --quiet "$manifest"
  "$root/.venv/bin/yamllint" --strict --config-file "$root/.yamllint" "$manifest"
done
echo "helm: $(find "$rendered" -name '*.yaml' | wc -l) sets of values render to valid manifests"
