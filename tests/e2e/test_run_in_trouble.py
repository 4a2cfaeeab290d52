"""`headrace run` when one of its processes or servers dies."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from runs import ENVIRONMENT, read_until
from workers import HEADRACE, PATIENCE_SECONDS, until


@pytest.mark.skipif(sys.platform != "linux", reason="looks children up in /proc")
@pytest.mark.parametrize("name", ["serve", "worker"])
def test_it_ends_with_advice_when_one_of_its_processes_ends(small_shop: Path, name: str) -> None:
    command = [HEADRACE, "run", "--no-browser", "--data", str(small_shop)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, env=ENVIRONMENT, stdout=pipe, stderr=pipe, bufsize=0) as process:
        try:
            read_until(process.stdout, b"metrics ")
            [child] = [each for each in children_of(process.pid) if f"\0{name}\0" in command_line(each)]
            os.kill(child, signal.SIGKILL)
            _, errors = process.communicate(timeout=PATIENCE_SECONDS)
        finally:
            process.terminate()
    assert process.returncode == 1
    assert f"headrace {name} ended with status -9" in errors.decode()
    assert "headrace doctor" in errors.decode()
    assert "Traceback" not in errors.decode()


@pytest.mark.skipif(sys.platform != "linux", reason="looks children up in /proc")
@pytest.mark.parametrize(("name", "program"), [("broker", "broker\0--listener"), ("redis", "redis-server")])
def test_it_ends_when_its_own_server_dies_names_it_and_stops_the_others(
    small_shop: Path, name: str, program: str
) -> None:
    command = [HEADRACE, "run", "--no-browser", "--data", str(small_shop)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, env=ENVIRONMENT, stdout=pipe, stderr=pipe, bufsize=0) as process:
        try:
            read_until(process.stdout, b"metrics ")
            children = children_of(process.pid)
            [child] = [each for each in children if program in command_line(each)]
            os.kill(child, signal.SIGKILL)
            _, errors = process.communicate(timeout=PATIENCE_SECONDS)
        finally:
            process.terminate()
    assert process.returncode == 1
    last = errors.decode().splitlines()[-1]
    assert last.startswith(f"headrace: the embedded {name} ended with status -9; the last line of its log: ")
    assert "Traceback" not in errors.decode()
    assert len(children) == 4
    assert not [each for each in children if Path(f"/proc/{each}").exists()]


@pytest.mark.skipif(sys.platform != "linux", reason="looks children up in /proc")
def test_it_ends_too_when_the_broker_dies_while_the_worker_starts(small_shop: Path) -> None:
    command = [HEADRACE, "run", "--no-browser", "--data", str(small_shop)]
    with subprocess.Popen(command, env=ENVIRONMENT, stderr=subprocess.PIPE, bufsize=0) as process:
        try:
            until(lambda: any("\0worker\0" in command_line(each) for each in children_of(process.pid)))
            [broker] = [each for each in children_of(process.pid) if "broker\0--listener" in command_line(each)]
            os.kill(broker, signal.SIGKILL)
            _, errors = process.communicate(timeout=PATIENCE_SECONDS)
        finally:
            process.terminate()
    assert process.returncode == 1
    assert "headrace: the embedded broker ended with status -9" in errors.decode()


def children_of(pid: int) -> list[int]:
    return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def command_line(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_text()
