"""Joins the agreement of workers with Redis and with this worker's settings."""

import os
import secrets
import socket

from agents.agreement import Agreement, Disagreement
from app.concerns import WARN
from app.errors import HeadraceError
from app.settings import Settings
from app.store.formats import RedisFormats
from app.store.members import RedisMembers
from app.store.store import STORE_ERRORS, Store
from app.worker.terms import STRICT, terms_of
from models.quality.assessment import Models


def build_agreement(settings: Settings, store: Store, models: Models | None) -> Agreement:
    """Return the agreement of a worker with these settings and models."""
    return Agreement(
        # Never the name of an earlier process: that one may have had other settings.
        worker_id=f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}",
        terms=terms_of(settings, models),
        members=RedisMembers(store.redis, store.keys),
        strict=STRICT,
        tolerant=settings.worker.on_difference == WARN,
        away=STORE_ERRORS,
        keep_formats=RedisFormats(store.redis, store.keys).keep,
    )


async def keep_agreement(agreement: Agreement) -> None:
    """Announce and compare until cancelled. Raises HeadraceError when an earlier worker differs."""
    try:
        await agreement.run()
    except Disagreement as differs:
        raise HeadraceError(str(differs)) from differs
