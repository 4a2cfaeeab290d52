"""`headrace tune` as a user meets it: better settings for `.env`, a bound of time, and Ctrl-C."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import orjson
import pytest
from workers import HEADRACE, until

from app.main import main
from app.settings import load

SESSIONS, STEPS, ITEMS = 120, 5, 40
TEST_FROM = 1_000_000
POOR = {"HEADRACE_NEIGHBOURS_POSTINGS": "1", "HEADRACE_NEIGHBOURS_LAST_ITEMS": "1"}


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Sessions that go from an item to the next ones; those of the test part go nowhere."""
    rows = [
        f"{100 * visit + at},s{visit},{(7 * visit + at) % ITEMS}" for visit in range(SESSIONS) for at in range(STEPS)
    ]
    rows += [f"{TEST_FROM + at},test,{at * at}" for at in range(40)]
    (tmp_path / "events.csv").write_text("\n".join(["ts,session_id,item_id", *rows]) + "\n")
    return tmp_path


def environ(**settings: str) -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("HEADRACE_")} | settings


def tuned(log: Path, *arguments: str) -> dict[str, Any]:
    command = [HEADRACE, "tune", str(log), "--from", str(TEST_FROM), "--json", *arguments]
    done = subprocess.run(command, env=environ(**POOR), capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    said: dict[str, Any] = orjson.loads(done.stdout)
    return said


def test_settings_are_found_that_can_be_set_and_are_better(log: Path) -> None:
    said = tuned(log, "--trials", "8")
    assert (said["trials"], said["interrupted"]) == (8, False)
    assert said["predictions"] == (STEPS - 1) * SESSIONS * 3 // 10
    assert (
        said["best"]["hit_rate@20"] + said["best"]["mrr@20"]
        > said["present"]["hit_rate@20"] + said["present"]["mrr@20"]
    )
    assert said["gain"]["low"] < said["gain"]["mean"] < said["gain"]["high"]
    assert said["gain"]["mean"] > 0
    assert said["settings"]["HEADRACE_NEIGHBOURS_POSTINGS"] >= 100
    found = load({name: str(value) for name, value in said["settings"].items()})
    assert found.neighbours.postings == said["settings"]["HEADRACE_NEIGHBOURS_POSTINGS"]


def test_the_test_part_does_not_matter_and_equal_searches_find_the_same(log: Path) -> None:
    said = tuned(log, "--trials", "4")
    events = log / "events.csv"
    events.write_text("".join(line for line in events.read_text().splitlines(keepends=True) if ",test," not in line))
    assert tuned(log, "--trials", "4") == said


def test_the_lines_for_people_are_those_of_an_env_file(log: Path) -> None:
    command = [HEADRACE, "tune", str(log), "--from", str(TEST_FROM), "--trials", "6"]
    lines = subprocess.run(command, env=environ(**POOR), capture_output=True, text=True, check=True).stdout.splitlines()
    settings = dict(line.split("=") for line in lines if not line.startswith("#"))
    assert settings
    load(settings)
    assert any(line.startswith("# hit rate + MRR: +") for line in lines)


def test_the_present_settings_are_kept_where_the_time_suffices_for_them_only(log: Path) -> None:
    said = tuned(log, "--trials", "1")
    assert (said["settings"], said["gain"]["mean"], said["best"]) == ({}, 0.0, said["present"])


def test_ctrl_c_ends_the_search_and_prints_the_best_so_far(log: Path, tmp_path: Path) -> None:
    errors = tmp_path / "errors"
    command = [HEADRACE, "tune", str(log), "--from", str(TEST_FROM), "--time", "2h", "--json"]
    with (
        errors.open("wb") as written,
        subprocess.Popen(command, env=environ(**POOR), stdout=subprocess.PIPE, stderr=written) as process,
    ):
        until(lambda: b"; best " in errors.read_bytes())
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate()
    assert process.returncode == 130, errors.read_text()
    said = orjson.loads(output)
    assert (said["interrupted"], said["trials"] > 0) == (True, True)


def test_without_the_package_the_advice_is_to_install_the_extra(
    log: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    assert main(["tune", str(log), "--from", str(TEST_FROM)]) == 1
    assert (
        "tuning needs the package optuna: in the checkout: .venv/bin/pip install -e '.[tune]'"
        in capsys.readouterr().err
    )


@pytest.mark.parametrize("argument", ["--time=0s", "--time=10", "--trials=0", "--limit=-1", "--seed=x"])
def test_what_is_not_allowed_is_named(log: Path, argument: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as refused:
        main(["tune", str(log), argument])
    assert refused.value.code == 2
    assert argument.partition("=")[2] in capsys.readouterr().err
