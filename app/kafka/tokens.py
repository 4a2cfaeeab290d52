"""Reads the token of OAUTHBEARER from a file, or from what a command prints, and keeps it fresh."""

import asyncio
import base64
import binascii
import shlex
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import orjson
from aiokafka.abc import AbstractTokenProvider  # type: ignore[import-untyped]  # ships no types
from typing_extensions import override

COMMAND_SECONDS = 20.0
# A token whose end is not known is used for this long.
UNKNOWN_LIFE_SECONDS = 60.0
# It must be valid for the whole login; of a short life, a fifth is enough.
MARGIN_SECONDS = 30.0
MARGIN_SHARE = 0.2


class NoToken(OSError):
    """There is no token to log in with. The message shows no part of one."""


@dataclass(slots=True)
class TokenProvider(AbstractTokenProvider):  # type: ignore[misc]  # the class has no types
    """Gives each connection a token: a file is read each time, a command is run when the last token
    is about to end. `clock` gives seconds since 1970.
    """

    file: str
    command: str = field(repr=False)
    clock: Callable[[], float] = time.time
    _token: str = field(default="", repr=False)
    _until: float = 0.0

    @override
    async def token(self) -> str:
        """Return a token. Raises NoToken."""
        if self.file:
            return _read(self.file)
        if self.clock() >= self._until:
            asked = self.clock()
            self._token = await asyncio.to_thread(_run, self.command)
            self._until = _use_until(self._token, asked)
        return self._token


def _read(file: str) -> str:
    try:
        token = Path(file).read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        raise NoToken(f"HEADRACE_KAFKA_SASL_TOKEN_FILE={file} cannot be read: {reason}") from None
    if not token:
        raise NoToken(f"HEADRACE_KAFKA_SASL_TOKEN_FILE={file} is empty")
    return token


def _run(command: str) -> str:
    """Run the command, without a shell. Its errors go to the log of this process."""
    name = "HEADRACE_KAFKA_SASL_TOKEN_COMMAND"
    try:
        done = subprocess.run(
            shlex.split(command), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, timeout=COMMAND_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise NoToken(f"{name} printed no token within {COMMAND_SECONDS:g} s") from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "its quotes do not match"
        raise NoToken(f"{name} cannot be run: {reason}") from None
    token = done.stdout.decode(errors="replace").strip()
    if done.returncode or not token:
        raise NoToken(f"{name} ended with status {done.returncode} and printed {'a' if token else 'no'} token")
    return token


def _use_until(token: str, now: float) -> float:
    """Return until when a token may be used; its claim `exp` (RFC 7519) says when it ends."""
    parts = token.split(".")
    try:
        claims = orjson.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
        life = float(claims["exp"]) - now
    except (IndexError, KeyError, TypeError, ValueError, binascii.Error):
        return now + UNKNOWN_LIFE_SECONDS
    return now + life - min(MARGIN_SECONDS, MARGIN_SHARE * life)
