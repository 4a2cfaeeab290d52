"""What `make bench-check` says of counts, and what the sample of an index keeps."""

import importlib.util
from pathlib import Path
from types import ModuleType

import orjson

from app.bench.core import STEPS
from models.evaluation.session_protocol import Visit

SCRIPTS = Path(__file__).resolve().parents[3] / "scripts"


def script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, SCRIPTS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def visits(sessions: int) -> list[Visit]:
    return [Visit(f"s{number // 2}", f"i{number}", float(number)) for number in range(2 * sessions)]


def test_a_step_that_got_dearer_is_named_with_its_log() -> None:
    baseline = {"sample": {"admit": 1_000, "decide": 5_000}, "generated": {"admit": 1_000, "decide": 5_000}}
    found = {"sample": {"admit": 1_049, "decide": 5_600}, "generated": {"admit": 900, "decide": 5_000}}
    [line] = script("bench_check").compare(found, baseline, 0.05)
    assert line.startswith("sample log, step decide: 5,600 instructions an event, 12% more than the 5,000")


def test_the_baseline_has_every_step_of_every_log() -> None:
    check = script("bench_check")
    baseline = orjson.loads(check.BASELINE.read_bytes())
    assert set(baseline["instructions_per_event"]) == set(check.LOGS)
    assert all(set(steps) == set(STEPS) for steps in baseline["instructions_per_event"].values())
    assert 0 < baseline["tolerance"] <= 0.1


def test_a_sample_by_hash_keeps_whole_sessions_and_a_smaller_one_is_within_a_larger_one() -> None:
    sample, log = script("sample_index"), visits(400)
    half, eighth = sample.by_hash(log, 2), sample.by_hash(log, 8)
    assert 300 < len(half) < 500
    assert set(eighth) < set(half) < set(sample.by_hash(log, 1)) == set(log)
    assert all(visit in half for visit in log if visit.session_id == half[0].session_id)


def test_the_newest_sessions_are_the_last_to_begin() -> None:
    kept = script("sample_index").newest(visits(8), 4)
    assert [visit.session_id for visit in kept] == ["s6", "s6", "s7", "s7"]
