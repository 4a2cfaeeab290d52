"""`headrace run` as a stranger meets it: one command, and lists with titles."""

import contextlib
import os
import re
import select
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import orjson
import pytest
import redis
from workers import HEADRACE, PATIENCE_SECONDS, until

PORTS_OF_OTHERS = (6066, 6067, 6379, 9092)
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("HEADRACE_")}


@pytest.fixture
def taken_ports() -> Iterator[None]:
    """The usual ports belong to somebody else."""
    with contextlib.ExitStack() as stack:
        for port in PORTS_OF_OTHERS:
            taken = stack.enter_context(socket.socket())
            taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with contextlib.suppress(OSError):  # somebody else has it already, which is as good
                taken.bind(("127.0.0.1", port))
                taken.listen()
        yield


@pytest.fixture
def small_shop(tmp_path: Path) -> Path:
    """Three users, four titled items, one row of each trouble, and two in the catalogue."""
    folder = tmp_path / "shop"
    folder.mkdir()
    start = 1_500_000_000
    rows = [
        f"{user}-{item},{start + n},{user},,{item},{kind},,"
        for user in ("ann", "bob", "cleo")
        for n, (item, kind) in enumerate([("i1", "view"), ("i2", "click"), ("i3", "order"), ("i4", "cart")])
    ]
    troubles = [
        f"ann-i1,{start},ann,,i1,view,,",  # the same event once more
        f"odd,{start},ann,,i1,returned,,",  # no kind that Headrace knows
        "late,1000,ann,,i1,view,,",  # before there were shops to click in
        f"guest,{start + 9},,s1,i1,view,,",
    ]
    head = "event_id,ts,user_id,session_id,item_id,kind,price,quantity"
    (folder / "events.csv").write_text("\n".join([head, *rows, *troubles]) + "\n")
    items = [f"i{n},Thing number {n},Things > Some" for n in range(1, 5)]
    items += ["i5,,Things", ",Thing without an id,Things"]
    (folder / "items.csv").write_text("\n".join(["item_id,title,category", *items]) + "\n")
    return folder


@pytest.mark.usefixtures("taken_ports")
def test_every_row_of_the_log_is_accounted_for(small_shop: Path) -> None:
    done = subprocess.run(
        [HEADRACE, "run", "--once", "--speed", "max", "--json", "--data", str(small_shop)],
        env=ENVIRONMENT,
        capture_output=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr.decode()
    result = orjson.loads(done.stdout)
    assert result["events_read"] == 16
    assert (result["accepted"], result["duplicates"]) == (13, 1)
    assert result["quarantined"] == {"too_old": 1, "unknown_kind": 1}
    assert result["items_quarantined"] == {"missing_field": 2}
    assert [(each["of"], each["row"], each["reason"]) for each in result["rejected_rows"]] == [
        ("events", 15, "too_old"),
        ("events", 14, "unknown_kind"),
        ("items", 5, "missing_field"),
        ("items", 6, "missing_field"),
    ]
    assert (result["users"], result["items"]) == (4, 4)
    assert result["recommendations_written"] >= 4
    assert result["freshness_seconds"]["p99"] > 0
    assert result["events_per_second"] == pytest.approx(16 / result["seconds"], rel=0.01)


def test_rows_that_the_reader_rejects_hold_nothing_up_and_keep_their_reasons(small_shop: Path) -> None:
    with (small_shop / "events.csv").open("a") as log:
        log.writelines(f"odd-{n},1500000000,ann,,i1,returned,,\n" for n in range(10_500))
        log.writelines(f"open-{n},1500000000,ann,,i1,rating,,\n" for n in range(5_000))
        log.write("last,1500000100,dora,,i1,view,,\n")

    done = subprocess.run(
        [HEADRACE, "run", "--once", "--json", "--data", str(small_shop)],
        env=ENVIRONMENT,
        capture_output=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr.decode()
    result = orjson.loads(done.stdout)
    assert (result["events_read"], result["accepted"]) == (15_517, 14)
    assert result["quarantined"] == {"too_old": 1, "unknown_kind": 10_501, "invalid_value": 5_000}


def test_what_ends_tells_of_the_log_and_of_no_address(small_shop: Path) -> None:
    log = small_shop / "events.csv"
    log.write_text(log.read_text().replace(",ann,", ",..,").replace(",bob,", ",a/b,").replace(",,s1,", ",cleo,,"))

    done = subprocess.run(
        [HEADRACE, "run", "--once", "--data", str(small_shop)],
        env=ENVIRONMENT,
        capture_output=True,
        check=False,
        text=True,
    )

    assert done.returncode == 0, done.stderr
    assert "16 events in" in done.stdout
    assert "quarantined: 1 too_old" in done.stdout
    assert "    row 15: ts 1000.0 is before 1990" in done.stdout
    assert "quarantined of the catalogue: 2 missing_field\n    row 5: title is missing" in done.stdout
    assert all(f"user {user}, who last saw Thing number" in done.stdout for user in ("..", "a/b", "cleo"))
    assert "127.0.0.1" not in done.stdout


@pytest.mark.parametrize("as_json", [False, True])
def test_a_log_of_which_nothing_was_accepted_ends_with_examples_and_status_1(tmp_path: Path, as_json: bool) -> None:
    rows = [f"{n},mira,tea-{n},2022-06-24 21:20:1{n},fav" for n in range(5)]
    (tmp_path / "events.csv").write_text("\n".join(["event_id,user_id,item_id,ts,kind", *rows]) + "\n")
    (tmp_path / "items.csv").write_text("item_id,title\ntea-1,Green tea\n")
    done = subprocess.run(
        [HEADRACE, "run", "--once", "--data", str(tmp_path), *(["--json"] if as_json else [])],
        env=ENVIRONMENT | {"HEADRACE_MODEL_DIR": "", "HEADRACE_SERVE_PORT": "0"},
        capture_output=True,
        check=False,
        text=True,
    )

    assert done.returncode == 1, done.stderr
    assert "nothing was accepted: all 5 rows were rejected" in done.stderr, done.stderr
    detail = "ts '2022-06-24 21:20:10' has no zone"
    if as_json:
        shown = orjson.loads(done.stdout)["rejected_rows"]
        assert [each["row"] for each in shown] == [1, 2, 3]
        assert shown[0]["detail"] == detail
        assert "with a zone" in shown[0]["advice"]
    else:
        assert f"5 invalid_time\n    row 1: {detail}\n    row 2:" in done.stdout
        assert "row 4" not in done.stdout
        assert "→ write times as seconds since 1970, or with a zone" in done.stdout


def test_a_catalogue_of_which_nothing_was_accepted_ends_with_status_1(tmp_path: Path) -> None:
    (tmp_path / "items.csv").write_text("item_id,title\n,Green tea\nlamp,Desk lamp, brass\n")
    done = subprocess.run(
        [HEADRACE, "run", "--once", "--json", "--data", str(tmp_path)],
        env=ENVIRONMENT | {"HEADRACE_MODEL_DIR": "", "HEADRACE_SERVE_PORT": "0"},
        capture_output=True,
        check=False,
        text=True,
    )

    assert done.returncode == 1, done.stderr
    assert orjson.loads(done.stdout)["items_quarantined"] == {"invalid_value": 1, "missing_field": 1}


def test_with_json_and_without_once_it_serves_and_tells_its_addresses_on_the_error_stream(small_shop: Path) -> None:
    command = [HEADRACE, "run", "--json", "--no-browser", "--data", str(small_shop)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, env=ENVIRONMENT, stdout=pipe, stderr=pipe, bufsize=0) as process:
        try:
            shown = _read_until(process.stderr, b"metrics ")
            page = _found(r"page +(http://[^/\s]+)/", shown)
            with urllib.request.urlopen(f"{page}/recommendations/bob?k=5") as answer:
                assert orjson.loads(answer.read())["items"]
        finally:
            process.send_signal(signal.SIGINT)
            output, _ = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 0
    assert orjson.loads(output)["events_read"] == 16


@pytest.mark.usefixtures("taken_ports")
def test_it_keeps_serving_titles_until_ctrl_c_and_leaves_nothing_behind(small_shop: Path) -> None:
    command = [HEADRACE, "run", "--no-browser", "--data", str(small_shop)]
    # Unbuffered, so that `select` sees every line that is there.
    with subprocess.Popen(command, env=ENVIRONMENT, stdout=subprocess.PIPE, bufsize=0) as process:
        try:
            shown = _read_until(process.stdout, b"metrics ")
            page = _found(r"page +(http://[^/\s]+)/", shown)
            store = redis.Redis.from_url(_found(r"Redis +(redis://\S+)", shown))
            assert "Thing number" in shown
            with urllib.request.urlopen(f"{page}/recommendations/bob?k=5") as answer:
                served = orjson.loads(answer.read())["items"]
            assert all(item["title"].startswith("Thing number") for item in served)
            stored = store.get("hr:rec:{bob}")
            assert isinstance(stored, bytes)
            assert [item["item_id"] for item in orjson.loads(stored)["items"]] == [item["item_id"] for item in served]
        finally:
            process.send_signal(signal.SIGINT)
            assert process.wait(PATIENCE_SECONDS) == 0
    with pytest.raises(redis.ConnectionError):
        store.ping()
    store.close()


@pytest.mark.parametrize("folder", ["otto_sample", "rees46_multicategory_3h", "bolcom_serenade_toy"])
def test_real_logs_are_accounted_for(folder: str, shop_data: Path) -> None:
    done = subprocess.run(
        [HEADRACE, "run", "--once", "--json", "--data", str(shop_data / folder)],
        env=ENVIRONMENT,
        capture_output=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr.decode()
    result = orjson.loads(done.stdout)
    assert result["events_read"] == orjson.loads((shop_data / folder / "stats_events.json").read_bytes())["events"]
    assert result["accepted"] + result["duplicates"] + sum(result["quarantined"].values()) == result["events_read"]


@pytest.mark.skipif(sys.platform != "linux", reason="looks children up in /proc")
@pytest.mark.parametrize("name", ["serve", "worker"])
def test_it_ends_with_advice_when_one_of_its_processes_ends(small_shop: Path, name: str) -> None:
    command = [HEADRACE, "run", "--no-browser", "--data", str(small_shop)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, env=ENVIRONMENT, stdout=pipe, stderr=pipe, bufsize=0) as process:
        try:
            _read_until(process.stdout, b"metrics ")
            [child] = [each for each in _children(process.pid) if f"\0{name}\0" in _command_line(each)]
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
            _read_until(process.stdout, b"metrics ")
            children = _children(process.pid)
            [child] = [each for each in children if program in _command_line(each)]
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
            until(lambda: any("\0worker\0" in _command_line(each) for each in _children(process.pid)))
            [broker] = [each for each in _children(process.pid) if "broker\0--listener" in _command_line(each)]
            os.kill(broker, signal.SIGKILL)
            _, errors = process.communicate(timeout=PATIENCE_SECONDS)
        finally:
            process.terminate()
    assert process.returncode == 1
    assert "headrace: the embedded broker ended with status -9" in errors.decode()


def _children(pid: int) -> list[int]:
    return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _command_line(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_text()


def test_a_folder_without_a_log_is_explained(tmp_path: Path) -> None:
    done = subprocess.run(
        [HEADRACE, "run", "--once", "--data", str(tmp_path)], env=ENVIRONMENT, capture_output=True, check=False
    )

    assert done.returncode == 1
    assert b"holds no events" in done.stderr
    assert b"Traceback" not in done.stderr


def _read_until(stream: IO[bytes] | None, end: bytes) -> str:
    """What the process printed there up to the line that begins with `end`."""
    assert stream is not None
    deadline = time.monotonic() + PATIENCE_SECONDS
    lines: list[bytes] = []
    while not lines or not lines[-1].startswith(end):
        ready, _, _ = select.select([stream], [], [], max(0.0, deadline - time.monotonic()))
        line = stream.readline() if ready else b""
        assert line, b"".join(lines).decode()
        lines.append(line)
    return b"".join(lines).decode()


def _found(pattern: str, text: str) -> str:
    match = re.search(pattern, text)
    assert match is not None, text
    return match[1]
