"""What the chaos suite says at the end: a wrong run is never told as right, and leads to exit
status 1.
"""

from pathlib import Path

import chaos.__main__ as command
import orjson
import pytest
from chaos.disturbances import DISTURBANCES
from chaos.report import as_json, line_of, summary
from chaos.run import Outcome, Plan, Tell
from chaos.schedule import Entry
from chaos.verdict import Verdict

SCHEDULE = [Entry("kill", 1.0, 2.0, 0), Entry("stop", 4.0, 3.0, 1), Entry("kill", 8.0, 0.0, 1)]


def outcome(seed: int = 1, **faults: list[str]) -> Outcome:
    verdict = Verdict(records=9, accepted=7, repeats=2)
    for name, found in faults.items():
        setattr(verdict, name, found)
    return Outcome(seed, SCHEDULE, verdict)


def stuck(seed: int = 1) -> Outcome:
    return Outcome(seed, SCHEDULE, trouble="the workers are not ready")


def test_a_run_is_right_only_without_faults_and_without_trouble() -> None:
    assert line_of(outcome(), Path("f")).startswith("seed 1: right: 9 events (7 accepted, 2 repeats")
    assert "WRONG: 2 lost, 1 wrong profiles" in line_of(outcome(lost=["a", "b"], wrong_profiles=["ada"]), Path("f"))
    told = line_of(stuck(), Path("f"))
    assert "WRONG: the workers are not ready" in told
    assert told.endswith("logs in f")


@pytest.mark.parametrize("fault", ["lost", "double", "wrong_profiles", "wrong_items", "wrong_lists", "wrong_records"])
def test_every_sort_of_fault_makes_a_run_wrong_and_is_counted(fault: str) -> None:
    runs = [outcome(1), outcome(2, **{fault: ["x", "y"]})]
    told = orjson.loads(as_json(runs))
    assert (told["right"], told[fault], told["runs"][1][fault]) == (1, 2, ["x", "y"])
    row = told["by_disturbance"]["kill"]
    assert (row["times"], row["runs"], row["wrong_runs"], row.get(fault, 2)) == (4, 2, 1, 2)
    assert "1 of 2 runs are right: 18 records" in summary(runs)
    assert f"2 {fault.replace('_', ' ')}" in summary(runs)


@pytest.mark.parametrize(("seed", "status"), [(1, 0), (2, 1), (3, 1)])
def test_the_exit_status_is_0_only_if_all_runs_are_right_and_logs_stay_only_of_others(
    seed: int, status: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def run_once(plan: Plan, folder: Path, tell: Tell) -> Outcome:
        folder.mkdir(parents=True)
        return {1: outcome(1), 2: outcome(2, double=["e1"]), 3: stuck(3)}[plan.seed]

    monkeypatch.setattr(command, "run_once", run_once)
    assert command.main(["--runs", "1", "--seed", str(seed), "--folder", str(tmp_path)]) == status
    assert (tmp_path / f"seed-{seed}" / "outcome.json").exists() == bool(status)


def test_two_runs_of_which_one_is_wrong_end_with_status_1(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def run_once(plan: Plan, folder: Path, tell: Tell) -> Outcome:
        folder.mkdir(parents=True)
        return outcome(plan.seed, lost=["e1"]) if plan.seed == 1 else outcome(plan.seed)

    monkeypatch.setattr(command, "run_once", run_once)
    assert command.main(["--runs", "2", "--folder", str(tmp_path)]) == 1


@pytest.mark.parametrize(
    ("arguments", "missing"),
    [
        ([], set()),
        (["--kafka", "k:1"], {"kafka-dead", "kafka-cut", "kafka-slow", "kafka-pause"}),
        (["--kafka", "k:1", "--kafka-link", "2"], {"kafka-pause"}),
    ],
)
def test_a_run_leaves_out_what_its_broker_does_not_allow(
    arguments: list[str], missing: set[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    plans: list[Plan] = []

    def run_once(plan: Plan, folder: Path, tell: Tell) -> Outcome:
        folder.mkdir(parents=True)
        plans.append(plan)
        return outcome(plan.seed)

    monkeypatch.setattr(command, "run_once", run_once)
    assert command.main(["--runs", "1", "--disturbances", "40", "--folder", str(tmp_path), *arguments]) == 0
    assert DISTURBANCES.keys() - {each.name for each in plans[0].schedule} == missing
