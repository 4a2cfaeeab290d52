"""Finds the format of times in text. Where day and month could be meant, other rows decide."""

from collections.abc import Iterable
from datetime import datetime
from shlex import quote

TIME_FORMATS = (
    "%d.%m.%Y %H:%M:%S", "%d.%m.%Y %H:%M", "%d.%m.%Y", "%d.%m.%y %H:%M:%S", "%d.%m.%y %H:%M", "%d/%m/%Y %H:%M:%S",
    "%d/%m/%Y %H:%M", "%d/%m/%y %H:%M:%S", "%d/%m/%y %H:%M", "%m/%d/%Y %H:%M:%S", "%m/%d/%y %H:%M:%S",
    "%m/%d/%Y %H:%M", "%m/%d/%y %H:%M", "%m/%d/%Y %I:%M:%S %p", "%m/%d/%Y %I:%M %p", "%d/%m/%Y", "%m/%d/%Y",
    "%Y/%m/%d %H:%M:%S", "%Y/%m/%d %H:%M", "%d-%m-%Y %H:%M:%S", "%d-%m-%Y %H:%M", "%m-%d-%Y %H:%M:%S",
    "%m-%d-%Y %H:%M", "%d %b %Y %H:%M:%S", "%b %d, %Y %H:%M:%S", "%a, %d %b %Y %H:%M:%S %z", "%a %b %d %H:%M:%S %Z %Y",
)  # fmt: skip
# Times as one number, and how many digits they have.
DIGITS = {"%Y%m%d%H%M%S": 14, "%Y%m%d%H%M": 12, "%Y%m%d": 8}
FIRST_YEAR = "1990"
DAY_FIRST, MONTH_FIRST = ("%d/%m", "%d-%m"), ("%m/%d", "%m-%d")
ZONE = "add --time-zone UTC, or the shop's own such as --time-zone Europe/Berlin"
BOTH_ORDERS = "some dates have the day first and others the month: write them as 2023-06-05"
WHICH = "which is the day? "


def time_format_for(text: str) -> str:
    """Return the option with the format of a time; an empty text if it has none that is known.

    >>> time_format_for("5/6/2023")[:60]
    'which is the day? if it is first, try --time-format %d/%m/%Y'
    """
    found = [form for form in TIME_FORMATS if _fits(text, form)]
    if not found:
        return ""
    zone = "" if "%z" in found[0].lower() else f", and {ZONE}"
    orders = [next((each for each in found if each.startswith(order)), "") for order in (DAY_FIRST, MONTH_FIRST)]
    if all(orders) and not _is_same_day(text, *orders):
        first, second = (quote(each) for each in orders)
        return f"{WHICH}if it is first, try --time-format {first}; if the month is, --time-format {second}{zone}"
    return f"try --time-format {quote(found[0])}{zone}"


def digits_format_for(ts: float, latest_year: str) -> str:
    """Return the option for a time such as 20231114221320; an empty text for any other number.

    >>> digits_format_for(20231114, "2025")[:27]
    'try --time-format %Y%m%d, a'
    """
    text = f"{ts:.0f}"
    found = next((form for form, length in DIGITS.items() if len(text) == length and _fits(text, form)), "")
    return f"try --time-format {found}, and {ZONE}" if found and FIRST_YEAR <= text[:4] <= latest_year else ""


def settled(ways: Iterable[str]) -> dict[str, str]:
    """Return a better way out for each that leaves open which is the day, if another tells it."""
    certain = [way for way in ways if way.startswith("try --time-format")]
    told: dict[str, str] = {}
    for way in ways:
        forms = [each for each in certain if each.split(",", 1)[0].removeprefix("try ") in way]
        if way.startswith(WHICH) and forms:
            told[way] = forms[0] if len(forms) == 1 else BOTH_ORDERS
    return told


def _fits(text: str, form: str) -> bool:
    try:
        datetime.strptime(text, form)  # noqa: DTZ007  # only whether it fits
    except ValueError:
        return False
    return True


def _is_same_day(text: str, *forms: str) -> bool:
    return len({datetime.strptime(text, form) for form in forms}) == 1  # noqa: DTZ007  # compared with each other
