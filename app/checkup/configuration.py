"""Checks which settings are in force, and whether the folders that they name can be used."""

import os
from collections.abc import Mapping
from pathlib import Path

from app.checkup.doctor import Findings, fail, ok, warn
from app.concerns import WorkerSettings
from app.settings import mask, variables
from app.store.address import shown_address
from app.store.secrecy import REDIS_URL


async def check_settings(environ: Mapping[str, str]) -> Findings:
    """List all variables that differ from their default. Passwords are hidden."""
    changed = [
        f"{each.name}={_shown(each.name, environ[each.name])}"
        for each in variables()
        if each.name in environ and environ[each.name] != each.default
    ]
    return [ok("settings", ", ".join(changed) or "all have their defaults")]


def _shown(name: str, value: str) -> str:
    return shown_address(value) if name == REDIS_URL else mask(value)


async def check_state_dir(settings: WorkerSettings) -> Findings:
    """Check that the folder of the snapshots can be written to."""
    if not settings.state_dir:
        advice = "set HEADRACE_WORKER_STATE_DIR to a folder, and a restart is quick"
        return [warn("snapshots", "none are kept; a worker reads the whole log when it starts", advice)]
    folder = Path(settings.state_dir)
    first = next(each for each in (folder, *folder.absolute().parents) if each.exists())
    if first.is_dir() and os.access(first, os.W_OK | os.X_OK):
        return [ok("snapshots", f"in {folder}")]
    advice = "name a folder that can be written to in HEADRACE_WORKER_STATE_DIR"
    return [fail("snapshots", f"{folder} cannot be written to", advice)]
