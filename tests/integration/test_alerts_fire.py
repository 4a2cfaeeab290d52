"""Every alert fires when it should, and is quiet otherwise: promtool tries the rules."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from alert_cases import CASES, Series
from monitoring import RULES, alerts_of
from prometheus import program

FIRING = 'count(ALERTS{{alertname="{alert}",alertstate="firing"}})'


def test_promtool_accepts_the_rules() -> None:
    command = [program("promtool"), "check", "rules", *map(str, RULES)]
    checked = subprocess.run(command, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.parametrize("rules", RULES, ids=lambda path: path.stem)
def test_alerts_fire_when_they_should_and_not_otherwise(tmp_path: Path, rules: Path) -> None:
    content = {"rule_files": [str(rules)], "evaluation_interval": "1m", "tests": list(cases_of(rules))}
    test = tmp_path / "test.yaml"
    test.write_text(yaml.safe_dump(content), encoding="utf-8")
    command = [program("promtool"), "test", "rules", str(test)]
    tried = subprocess.run(command, capture_output=True, text=True, check=False)
    assert tried.returncode == 0, tried.stdout + tried.stderr


def cases_of(rules: Path) -> Iterator[dict[str, Any]]:
    for alert in alerts_of(rules):
        case = CASES[alert]
        yield one_test(f"{alert} fires", alert, case.firing, case.minutes, [{"labels": "{}", "value": 1}])
        yield one_test(f"{alert} is quiet", alert, case.quiet, case.minutes, [])


def one_test(name: str, alert: str, series: Series, minutes: int, expected: list[dict[str, Any]]) -> dict[str, Any]:
    asked = {"expr": FIRING.format(alert=alert), "eval_time": f"{minutes}m", "exp_samples": expected}
    return {
        "name": name,
        "interval": "1m",
        "input_series": [{"series": each, "values": values} for each, values in series.items()],
        "promql_expr_test": [asked],
    }
