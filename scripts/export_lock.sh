#!/usr/bin/env bash
# Resolves requirements-export.lock. Without hashes, and without what torch itself asks for to use a GPU: torch has a
# wheel for the CPU and one for CUDA under the same version, their sums and requirements differ by platform, and pip
# fetches what the wheel that it finds asks for.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

lock=requirements-export.lock
resolved=$(.venv/bin/uv pip compile --quiet --no-header --no-emit-index-url --no-annotate \
  --no-emit-package headrace-client --extra export "$@" pyproject.toml)
{
  echo "# Made by scripts/export_lock.sh, which says why there are no hashes here."
  grep -vE '^(nvidia-|cuda-|triton==)' <<<"$resolved"
  # The editable install of the project itself needs its build tool.
  grep -E '^setuptools==' requirements.lock | sed 's/ .*//'
} | sort --unique >"$lock"
