"""Runs the checks of everything that Headrace needs, and reports findings with advice."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from app.errors import UnusableSetting

CHECK_SECONDS = 10.0


class Status(StrEnum):
    """The result of a check. Only a failure keeps Headrace from working."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report. `advice` says what to do; it is empty when there is nothing to do."""

    check: str
    status: Status
    detail: str
    advice: str = ""


Findings: TypeAlias = Iterable[Finding]
Check: TypeAlias = Callable[[], Awaitable[Findings]]


def ok(check: str, detail: str) -> Finding:
    """Return a finding for something that needs no action."""
    return Finding(check, Status.OK, detail)


def warn(check: str, detail: str, advice: str) -> Finding:
    """Return a finding for something that works, but not as well as it could."""
    return Finding(check, Status.WARNING, detail, advice)


def fail(check: str, detail: str, advice: str) -> Finding:
    """Return a finding for something that keeps Headrace from working."""
    return Finding(check, Status.FAILED, detail, advice)


async def examine(checks: Sequence[tuple[str, Check]], seconds: float = CHECK_SECONDS) -> list[Finding]:
    """Run all named checks at the same time. Returns their findings, in the order of the checks.

    A check that takes longer than `seconds`, or raises, becomes a failed finding; the others go on.
    """
    found = await asyncio.gather(*(_guarded(name, check, seconds) for name, check in checks))
    return [finding for findings in found for finding in findings]


def passed(findings: Iterable[Finding]) -> bool:
    """Return True when nothing failed."""
    return all(finding.status is not Status.FAILED for finding in findings)


def report(findings: Sequence[Finding]) -> Iterator[str]:
    """Yield the findings as lines for people."""
    width = max((len(finding.check) for finding in findings), default=0)
    for finding in findings:
        yield f"{finding.status:<8} {finding.check:<{width}}  {finding.detail}"
        if finding.advice:
            yield f"{'':8} {'':{width}}  → {finding.advice}"
    counts = {status: sum(finding.status is status for finding in findings) for status in Status}
    warnings = counts[Status.WARNING]
    noun = "warning" if warnings == 1 else "warnings"
    yield f"{counts[Status.OK]} ok, {warnings} {noun}, {counts[Status.FAILED]} failed"


def as_json(findings: Sequence[Finding]) -> dict[str, object]:
    """Return the findings as one object for JSON."""
    return {
        "passed": passed(findings),
        "findings": [
            {"check": each.check, "status": str(each.status), "detail": each.detail, "advice": each.advice}
            for each in findings
        ],
    }


async def _guarded(name: str, check: Check, seconds: float) -> list[Finding]:
    started = time.monotonic()
    try:
        async with asyncio.timeout(seconds):
            return list(await check())
    except TimeoutError:
        waited = time.monotonic() - started
        return [fail(name, f"no answer within {waited:.0f} s", "see whether the address leads to the right server")]
    except UnusableSetting as error:
        return [fail(name, str(error), "correct these settings")]
    except Exception as error:  # any error of a check becomes a line of the report
        detail = f"the check itself failed: {type(error).__name__}: {error}"
        return [fail(name, detail, "please report this, with the versions above")]
