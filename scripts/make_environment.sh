#!/usr/bin/env bash
# Makes a Python environment, or keeps the one that is there, and says which Python it has.
#   make_environment.sh FOLDER [PYTHON]         with PYTHON, if one is named; otherwise an environment that works stays
#                                               as it is, and a new one gets the newest Python that fits
#   make_environment.sh --fits FOLDER [PYTHON]  only says, by its exit status, whether the environment would stay
set -euo pipefail

find_python=$(dirname "${BASH_SOURCE[0]}")/find_python.sh
only_asked=
if [[ "$1" == --fits ]]; then
  only_asked=yes
  shift
fi
folder=$1
named=
if [[ -n "${2:-}" ]]; then named=$("$find_python" "$2"); fi

inside=
if [[ -x "$folder/bin/pip" ]]; then inside=$("$find_python" "$folder/bin/python" 2>/dev/null) || true; fi
stays=
if [[ -n "$inside" && (-z "$named" || "$inside" -ef "$named") ]]; then stays=yes; fi
if [[ -n "$only_asked" ]]; then
  [[ -n "$stays" ]]
  exit
fi

if [[ -z "$stays" ]]; then
  python=${named:-$("$find_python")}
  if [[ -n "$inside" ]]; then
    echo "$folder has the Python $inside, which is not the one named: making it again"
  elif [[ -d "$folder" ]]; then
    echo "$folder has no Python that works and fits: making it again"
  fi
  "$python" -m venv --clear "$folder"
  inside=$python
fi
version=$("$folder/bin/python" -c 'import platform; print(platform.python_version())')
echo "Python $version from $inside, in $folder"
