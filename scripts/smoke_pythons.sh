#!/usr/bin/env bash
# Tries every Python that pyproject.toml admits and this machine has, except that of .venv, which gets all tests:
# installs into build/python-VERSION, runs Headrace on a small log, and the unit tests; these not for 3.12, which lies
# between two versions that get them.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

minor='import sys; print("%d.%d" % sys.version_info[:2])'
tested=$(.venv/bin/python -c "$minor")

smoke() {
  local folder=build/python-$1
  scripts/make_environment.sh "$folder" "$2"
  # uv takes a tenth of the time, but does not read how pip is told to reach the packages.
  .venv/bin/uv pip install --quiet --python "$folder/bin/python" --require-hashes -r requirements.lock ||
    "$folder/bin/pip" install --quiet --require-hashes -r requirements.lock
  "$folder/bin/pip" install --quiet --no-deps --no-build-isolation -e clients/python -e .
  "$folder/bin/headrace" --version
  local tests=(tests/e2e/test_run_command.py::test_every_row_of_the_log_is_accounted_for)
  if [[ "$1" != 3.12 ]]; then tests+=(tests/unit); fi
  "$folder/bin/pytest" --quiet -p no:cacheprovider --numprocesses 2 --dist loadfile --reruns 1 "${tests[@]}"
}

outcomes=() failed=0
while read -r version python; do
  if [[ "$version" == "$tested" ]]; then
    outcomes+=("$version is that of .venv")
  elif [[ -z "$python" ]]; then
    outcomes+=("$version is not on this machine")
  else
    # Not within an `if`: bash would go on there after a command that failed.
    set +e
    (
      set -e
      smoke "$version" "$python"
    ) </dev/null
    status=$?
    set -e
    if ((status == 0)); then
      outcomes+=("$version passed")
    else
      outcomes+=("$version FAILED")
      failed=1
    fi
  fi
done < <(scripts/find_python.sh --all)
printf 'Python %s\n' "${outcomes[@]}"
exit "$failed"
