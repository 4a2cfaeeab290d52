"""Checks which settings are in force, and whether the folders that they name can be used."""

import os
from collections.abc import Mapping
from pathlib import Path

from app.checkup.doctor import Findings, fail, ok, warn
from app.concerns import WorkerSettings
from app.errors import UnusableSetting
from app.guard.access import check_reach, tokens_in
from app.settings import Settings, Variable, mask, variables
from app.store.secrecy import HIDDEN, REDIS_URL
from headrace.address import shown_address


async def check_settings(environ: Mapping[str, str]) -> Findings:
    """List all variables that differ from their default. Secrets are hidden."""
    changed = [
        f"{each.name}={_shown(each, environ[each.name])}"
        for each in variables()
        if each.name in environ and environ[each.name] != each.default
    ]
    return [ok("settings", ", ".join(changed) or "all have their defaults")]


def _shown(variable: Variable, value: str) -> str:
    if variable.name == REDIS_URL:
        return shown_address(value)
    return HIDDEN if variable.secret else mask(value)


async def check_access(settings: Settings) -> Findings:
    """Check who may ask the processes over HTTP."""
    http, found = settings.http, []
    for name, host, only_metrics in (("worker", settings.worker.host, True), ("serve", settings.serve.host, False)):
        variable = f"HEADRACE_{name.upper()}_HOST"
        try:
            check_reach(host, http, variable=variable, only_metrics=only_metrics)
        except UnusableSetting as refused:
            found.append(fail("access", f"headrace {name} does not start like this", str(refused)))
    if found:
        return found
    count = len(tokens_in(http.tokens))
    if count:
        return [ok("access", f"{count} {'token opens' if count == 1 else 'tokens open'} all of HTTP; probes need none")]
    if http.allow_anyone:
        advice = "let a proxy or a network policy guard the ports, or set HEADRACE_HTTP_TOKENS"
        return [warn("access", "anyone who reaches the ports may read (HEADRACE_HTTP_ALLOW_ANYONE)", advice)]
    return [ok("access", "no token: only this machine may ask")]


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
