"""How a setting is declared: default, meaning and allowed range stand once, beside the code that uses it."""

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
    """A dataclass field that `app.settings` can read from the environment and document in `.env.example`.

    `form` is a regular expression for the whole of a text, and what it allows in words.
    A `secret` is left out of the `repr` of its settings.
    """
    allowed = {"low": low, "high": high, "choices": choices, "form": form}
    return field(default=default, repr=not secret, metadata={"help": help, **allowed})
