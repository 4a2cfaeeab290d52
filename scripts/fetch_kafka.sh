#!/usr/bin/env bash
# fetch_kafka.sh [--check]: puts the files of an Apache Kafka broker into .cache/kafka/jars, with Maven.
# Versions are in scripts/kafka/pom.xml, checksums in scripts/kafka/jars.sha256; nothing is written outside the
# checkout. --check only says, by its status, whether the files are there.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
jars=.cache/kafka/jars
sums=$PWD/scripts/kafka/jars.sha256

complete() {
  [[ -d $jars ]] && (cd "$jars" && sha256sum --check --strict --quiet "$sums") >/dev/null 2>&1 &&
    (($(find "$jars" -type f | wc -l) == $(wc -l <"$sums")))
}

if complete; then exit 0; fi
if [[ ${1:-} == --check ]]; then exit 1; fi
for tool in java mvn; do
  command -v "$tool" >/dev/null || {
    echo "fetch_kafka: $tool is not there; install a JDK (17 or newer) and Maven" >&2
    exit 1
  }
done
echo "fetching Apache Kafka with Maven (45 MB) ..." >&2
rm -rf "$jars"
mvn --quiet --batch-mode -Dmaven.repo.local="$PWD/.cache/kafka/maven" -f scripts/kafka/pom.xml \
  org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies \
  -DincludeScope=runtime -DoutputDirectory="$PWD/$jars"
if ! complete; then
  (cd "$jars" && sha256sum --check --strict --quiet "$sums") >&2 || true
  echo "fetch_kafka: the files are not those of $sums; delete .cache/kafka and try again" >&2
  exit 3
fi
