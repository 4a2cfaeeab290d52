"""`headrace up`: a broker and Redis alone."""

import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from redis import Redis
from runs import ENVIRONMENT, read_until
from workers import HEADRACE, PATIENCE_SECONDS


@contextmanager
def up(*arguments: str) -> Iterator["subprocess.Popen[bytes]"]:
    """Run the command, and end it with Ctrl-C."""
    pipe = subprocess.PIPE
    command = [HEADRACE, "up", *arguments]
    with subprocess.Popen(command, env=ENVIRONMENT, stdout=pipe, stderr=pipe, bufsize=0) as process:
        try:
            yield process
        finally:
            process.send_signal(signal.SIGINT)
            _, log = process.communicate(timeout=PATIENCE_SECONDS)
            assert process.returncode == 0, log.decode()


def test_it_prints_lines_for_a_shell_with_the_ports_that_were_taken() -> None:
    with up() as process:
        shown = read_until(process.stdout, b"redis-cli")
        settings = dict(line.removeprefix("export ").split("=") for line in shown.splitlines() if "export " in line)
        with Redis.from_url(settings["HEADRACE_REDIS_URL"]) as redis:
            assert redis.ping()
        kcat = f"kcat -P -b {settings['HEADRACE_KAFKA_BOOTSTRAP']} -t views -K '|' -X topic.partitioner=murmur2_random"
        assert kcat in shown
        assert f"redis-cli -u {settings['HEADRACE_REDIS_URL']} GET 'hr:rec:{{ada}}'" in shown
