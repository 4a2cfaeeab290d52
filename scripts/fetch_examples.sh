#!/usr/bin/env bash
# fetch_examples.sh: puts what the examples of docs/ need in other languages into .cache/examples, for each tool that is
# there. Versions are in scripts/examples. Exit status 1: something could not be fetched; what is there stays.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
root=$PWD
from=$root/scripts/examples

# In the folder of the language.
get() {
  case $1 in
    node) cp "$from"/package*.json . && npm ci --silent --no-audit --no-fund ;;
    # Compiling it takes a minute the first time.
    go) cp "$from"/go.mod "$from"/go.sum . && go mod download && go build github.com/redis/go-redis/v9 ;;
    # The same folder as for Kafka, so that Maven's own plugins are fetched once.
    java)
      mvn --quiet --batch-mode -Dmaven.repo.local="$root/.cache/kafka/maven" -f "$from/pom.xml" \
        org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies \
        -DincludeScope=runtime -DoutputDirectory="$PWD/jars"
      ;;
    python) "$root/.venv/bin/pip" install --quiet --require-hashes --upgrade --target . -r "$from/requirements.txt" ;;
  esac
}

status=0
while read -r language tool file; do
  folder=$root/.cache/examples/$language
  mkdir -p "$folder"
  if ! command -v "$tool" >/dev/null; then
    echo "fetch_examples: $tool is not there; the examples for $language will not run" >&2
  elif ! cmp --silent "$from/$file" "$folder/fetched"; then
    echo "fetching what the examples for $language need ..." >&2
    if (cd "$folder" && get "$language" </dev/null); then cp "$from/$file" "$folder/fetched"; else status=1; fi
  fi
done <<'EOF'
node npm package-lock.json
go go go.sum
java mvn pom.xml
python python3 requirements.txt
EOF
exit "$status"
