"""Declare a setting beside the code that uses it: its default, meaning and allowed range, once."""

from dataclasses import field
from typing import Any


def setting(
    default: Any,
    help: str,
    *,
    low: float | None = None,
    high: float | None = None,
    choices: tuple[str, ...] | None = None,
    form: tuple[str, str] | None = None,
    secret: bool = False,
) -> Any:
    """Return a dataclass field that `app.settings` reads from the environment and documents.

    `form` is a regular expression for the whole of a text, and what it allows in words. A `secret`
    is left out of the `repr` of its settings, and hidden in all output. `.env.example` documents
    the setting with `help`.
    """
    allowed = {"low": low, "high": high, "choices": choices, "form": form, "secret": secret}
    return field(default=default, repr=not secret, metadata={"help": help, **allowed})
