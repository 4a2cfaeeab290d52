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
) -> Any:
    """A dataclass field that `app.settings` can read from the environment and document in `.env.example`."""
    return field(default=default, metadata={"help": help, "low": low, "high": high, "choices": choices})
