#!/usr/bin/env bash
# Prints the path of a Python that pyproject.toml admits and that can make environments.
#   find_python.sh          the newest on PATH; where none fits, the newest that pyenv has
#   find_python.sh NAME     the one that is named, on PATH or by its path
#   find_python.sh --all    one line for each version that is wanted, newest first: the version and its path, if found
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
read -r oldest above < <(sed -nE 's/^requires-python = ">=3\.([0-9]+),<3\.([0-9]+)"$/\1 \2/p' "$root/pyproject.toml")
newest=$((above - 1))

# Runs in whatever is found, also in Python 2. Prints: minor version, what is wrong with it, path (of the Python that an
# environment was made with, where it runs in one).
probe='
import platform, sys, sysconfig
found, fault = sys.version_info[:2], ""
if not (3, int(sys.argv[1])) <= found < (3, int(sys.argv[2])):
    fault = "is Python %d.%d" % found
elif platform.python_implementation() != "CPython" or sysconfig.get_config_var("Py_GIL_DISABLED"):
    fault = "is no ordinary CPython, and wheels are made for that"
else:
    try:
        import ensurepip, venv
    except ImportError:
        fault = "cannot make environments; on Debian and Ubuntu: sudo apt install python%d.%d-venv" % found
print("%d|%s|%s" % (found[1], fault, getattr(sys, "_base_executable", sys.executable)))
'
faults=

# Sets minor and path; fails where the command does not run or does not fit, and says why in faults. A shim of pyenv
# is a command also when the version behind it is not active.
examine() {
  local answer fault
  answer=$("$1" -c "$probe" "$oldest" "$above" 2>/dev/null </dev/null) || answer="|does not run|"
  IFS='|' read -r minor fault path <<<"$answer"
  [[ -n "$fault" ]] || return 0
  faults+="  $1 $fault"$'\n'
  return 1
}

# Every python3 and python3.X in the folders of this search path, in its order.
commands_in() {
  local folder version
  while read -r folder; do
    for version in $(seq "$newest" -1 "$oldest"); do
      [[ ! -x "$folder/python3.$version" ]] || echo "$folder/python3.$version"
    done
    [[ ! -x "$folder/python3" ]] || echo "$folder/python3"
  done < <(tr ':' '\n' <<<"$1")
}

pyenv_path() {
  local home=${PYENV_ROOT:-}
  [[ -n "$home" ]] || home=$(pyenv root 2>/dev/null) || return 0
  printf '%s:' "$home"/versions/3.*/bin
}

# Fills found[minor] with the first that fits of each version.
search() {
  local command
  while read -r command; do
    if examine "$command" && [[ -z "${found[$minor]:-}" ]]; then found[minor]=$path; fi
  done < <(commands_in "$1")
}

refuse() {
  {
    echo "Headrace needs Python 3.$oldest to 3.$newest. $1"
    printf '%s' "$faults"
    echo "Install one, for example: sudo apt install python3 python3-venv (Debian, Ubuntu),"
    echo "brew install python@3.$newest (macOS), uv python install 3.$newest."
    echo "Or name one: make PYTHON=/path/to/python3.$newest"
  } >&2
  exit 1
}

found=()
case "${1:-}" in
  "")
    search "$PATH"
    ((${#found[@]})) || search "$(pyenv_path)"
    for version in $(seq "$newest" -1 "$oldest"); do
      if [[ -n "${found[$version]:-}" ]]; then
        echo "${found[$version]}"
        exit
      fi
    done
    if [[ -n "$faults" ]]; then refuse "Of those on this machine none fits:"; else refuse "There is none on PATH."; fi
    ;;
  --all)
    search "$PATH:$(pyenv_path)"
    for version in $(seq "$newest" -1 "$oldest"); do echo "3.$version ${found[$version]:-}"; done
    ;;
  *)
    command -v "$1" >/dev/null || refuse "There is no $1."
    examine "$1" || refuse "What was named does not fit:"
    echo "$path"
    ;;
esac
