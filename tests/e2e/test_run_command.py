"""`headrace run` as a new user meets it: one command, and lists with titles."""

import contextlib
import re
import signal
import socket
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest
import redis
from runs import ENVIRONMENT, read_until
from workers import HEADRACE, PATIENCE_SECONDS

PORTS_OF_OTHERS = (6066, 6067, 6379, 9092)


@pytest.fixture
def taken_ports() -> Iterator[None]:
    """Other programs use the usual ports."""
    with contextlib.ExitStack() as stack:
        for port in PORTS_OF_OTHERS:
            taken = stack.enter_context(socket.socket())
            taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with contextlib.suppress(OSError):  # another program has it already, which is as good
                taken.bind(("127.0.0.1", port))
                taken.listen()
        yield


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
        [HEADRACE, "run", "--once", "--json", "--anyway", "--data", str(small_shop)],
        env=ENVIRONMENT,
        capture_output=True,
        check=False,
    )

    assert done.returncode == 1, done.stderr.decode()
    assert b"more than half was rejected: 15,504 of 15,523 rows" in done.stderr
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
    assert "quarantined of the catalogue: 2 missing_field\n    row 5: title shows nothing" in done.stdout
    assert all(f"user {user}, who last saw Thing number" in done.stdout for user in ("..", "a/b", "cleo"))
    assert "127.0.0.1" not in done.stdout


@pytest.mark.parametrize("as_json", [False, True])
def test_a_log_of_which_nothing_would_be_accepted_starts_nothing(tmp_path: Path, as_json: bool) -> None:
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

    assert (done.returncode, done.stdout) == (1, ""), done.stderr
    assert "no event would be accepted: all 5 are rejected, so nothing was started" in done.stderr
    assert "row 1: ts '2022-06-24 21:20:10' has no zone" in done.stderr
    assert "row 4" not in done.stderr
    assert "→ try --time-zone UTC" in done.stderr


def test_a_catalogue_of_which_nothing_was_accepted_ends_with_status_1(tmp_path: Path) -> None:
    (tmp_path / "items.csv").write_text("item_id,title\n,Green tea\nlamp,Desk lamp, brass\n")
    done = subprocess.run(
        [HEADRACE, "run", "--once", "--json", "--anyway", "--data", str(tmp_path)],
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
            shown = read_until(process.stderr, b"metrics ")
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
            shown = read_until(process.stdout, b"metrics ")
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
    assert result["items_quarantined"] == {}
    assert "unknown_kind" not in result["quarantined"]


def test_a_folder_without_a_log_is_explained(tmp_path: Path) -> None:
    done = subprocess.run(
        [HEADRACE, "run", "--once", "--data", str(tmp_path)], env=ENVIRONMENT, capture_output=True, check=False
    )

    assert done.returncode == 1
    assert b"holds no events" in done.stderr
    assert b"Traceback" not in done.stderr


def _found(pattern: str, text: str) -> str:
    match = re.search(pattern, text)
    assert match is not None, text
    return match[1]
