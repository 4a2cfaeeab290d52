"""What `make audit-deps` makes of an answer of pip-audit."""

import importlib.util
from pathlib import Path
from typing import Any

import pytest

SPEC = importlib.util.spec_from_file_location("audit_deps", Path(__file__).parents[3] / "scripts/audit_deps.py")
assert SPEC is not None
assert SPEC.loader is not None
audit_deps = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(audit_deps)

SOUND: dict[str, Any] = {"name": "sound", "version": "1.0", "vulns": []}
WEAK: dict[str, Any] = {"name": "weak", "version": "1.0", "vulns": [{"id": "CVE-1", "fix_versions": ["1.1"]}]}
UNKNOWN: dict[str, Any] = {"name": "unknown", "skip_reason": "not found"}


@pytest.mark.parametrize(
    ("packages", "status", "told"),
    [
        ([SOUND], 0, "1 of 1 packages looked up, 0 with known weaknesses"),
        ([SOUND, WEAK], 1, "weak 1.0: CVE-1, mended in 1.1"),
        ([SOUND, UNKNOWN], 2, "NOT looked up: unknown"),
        ([WEAK, UNKNOWN], 1, "NOT looked up: unknown"),
        ([], 2, "NOT looked up: any"),
    ],
)
def test_only_packages_that_were_all_looked_up_and_are_sound_pass(
    packages: list[dict[str, Any]], status: int, told: str
) -> None:
    text, found = audit_deps.report("some.lock", packages)
    assert found == status
    assert told in text
