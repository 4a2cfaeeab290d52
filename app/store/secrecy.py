"""Keeps the values of secret settings out of everything that is shown.

This is the last guard. Code that shows an address hides the password first.
"""

import re
import sys
import traceback
from collections.abc import Callable, Iterable
from types import TracebackType
from urllib.parse import unquote

HIDDEN = "***"
REDIS_URL = "HEADRACE_REDIS_URL"
SHORTEST = 4  # a shorter one would also match in ordinary words

ADDRESS = re.compile(r"\s*(redis|rediss|unix|rediss?\+sentinel)://", re.IGNORECASE)

Scrub = Callable[[str], str]


def scrub_for(values: Iterable[str]) -> Scrub:
    """Return a function that hides these values of secret settings in a text.

    Of an address, the password is hidden; of a list with commas, each part.
    """
    return scrubber(form for value in values for form in _secrets_in(value))


def _secrets_in(value: str) -> set[str]:
    if ADDRESS.match(value):
        return passwords_in(value)
    return {value.strip(), *map(str.strip, value.split(","))}


def scrubber(secrets: Iterable[str]) -> Scrub:
    """Return a function that hides these secrets in a text, also in the form of Python's repr."""
    forms = {form for each in secrets if len(each) >= SHORTEST for form in (each, repr(each)[1:-1])}
    if not forms:
        return lambda text: text
    pattern = re.compile("|".join(re.escape(each) for each in sorted(forms, key=len, reverse=True)))
    return lambda text: pattern.sub(HIDDEN, text)


def passwords_in(url: str) -> set[str]:
    """Return every form of the password that the address may hold, even if it cannot be used.

    >>> sorted(passwords_in("redis://shop:ses%23ame@store:6379/0"))
    ['ses#ame', 'ses%23ame']
    """
    _, _, rest = url.strip().partition("://")
    userinfo, _, _ = rest.rpartition("@")
    found = {userinfo.partition(":")[2], *re.findall(r"[?&](?:sentinel_)?password=([^&]*)", rest)}
    return {form for each in found for form in (each, unquote(each)) if form}


def scrub_tracebacks(scrub: Scrub) -> None:
    """Hide secrets in the traceback that Python prints when it ends with an exception."""

    def show(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        sys.stderr.write(scrub("".join(traceback.format_exception(kind, error, trace))))

    sys.excepthook = show
