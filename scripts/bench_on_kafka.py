"""Runs `headrace bench` on Apache Kafka itself, one broker on this machine, which it starts."""

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from apache_kafka import apache_kafka


def main(arguments: list[str]) -> int:
    """Run the measurement with these arguments. Returns its exit status."""
    command = [str(Path(sys.executable).with_name("headrace")), "bench", *(arguments or ["freshness"])]
    with TemporaryDirectory(prefix="headrace-kafka-") as folder, apache_kafka(Path(folder)) as kafka:
        try:
            return subprocess.run([*command, "--kafka", kafka.open], check=False).returncode
        except KeyboardInterrupt:  # the measurement got it, too
            return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
