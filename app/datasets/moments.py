"""Reads the times of a log: numbers in any unit, and text with or without a zone."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from zoneinfo import ZoneInfo

from app.datasets.cells import is_cut_off

UNITS = {"s": 1.0, "ms": 1e3, "us": 1e6, "ns": 1e9}
AUTO = "auto"
LONGEST_WHOLE = 19  # characters of whole numbers that JSON can hold
# Before the year 5138, seconds are below the first bound; after 1973, each unit is above its bound.
BOUNDS = ((1e17, 1e9), (1e14, 1e6), (1e11, 1e3))
ZONE_WORD = re.compile(r" ?(?:UTC|GMT|Z)$", re.IGNORECASE)
SPACE_BEFORE_OFFSET = re.compile(r" (?=[+-]\d\d:?\d\d$)")

Number = int | float


@dataclass(frozen=True, slots=True)
class Clock:
    """How times are written: the unit of numbers, the zone of text without one, a format.

    `unit` is s, ms, us, ns or auto, which tells it from the size of each number. `form` is a format
    as in `strptime`; without one, times are read as ISO 8601.
    """

    unit: str = "s"
    zone: tzinfo | None = None
    form: str = ""

    def read(self, value: object) -> object:
        """Return a time in seconds since 1970; what cannot be read is returned unchanged.

        A number of seconds, and RFC 3339 text with a zone, are unchanged too: the contract reads
        them.
        """
        if self.form and isinstance(value, str | int) and (formed := self._formed(str(value))) is not None:
            return formed
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return self._number(value)
        if isinstance(value, datetime):
            return self._zoned(value) or value.isoformat()
        if isinstance(value, date):
            return value.isoformat()
        return value

    def _number(self, number: Number) -> Number:
        divisor = UNITS.get(self.unit) or next((each for low, each in BOUNDS if abs(number) >= low), 1.0)
        return number if divisor == 1.0 else number / divisor

    def _text(self, text: str) -> object:
        if self.unit == "s" and len(text) < LONGEST_WHOLE and text.isdecimal() and text.isascii():
            return int(text)
        is_date = text[4:5] == text[7:8] == "-"
        number = None if is_date else as_number(text)
        return self._iso(text) if number is None else self._number(number)

    def _iso(self, text: str) -> object:
        try:
            if text.endswith(" UTC"):  # as REES46 and BigQuery write every time
                return datetime.fromisoformat(text[:-4]).replace(tzinfo=UTC).timestamp()
            moment = datetime.fromisoformat(text)
        except ValueError:
            return self._lenient(text)
        if moment.tzinfo is not None:
            return text
        return self._zoned(moment) or text

    def _formed(self, text: str) -> object:
        """Return the time in the user's format; None for another one, such as ISO."""
        try:
            return self._zoned(datetime.strptime(text.strip(), self.form)) or text  # noqa: DTZ007  # the zone follows
        except ValueError:
            return None

    def _lenient(self, text: str) -> object:
        """Read ` UTC` at the end, and a space before an offset: `2019-08-28 14:12:30 -0400`."""
        bare = text.strip()
        without_word = ZONE_WORD.sub("", bare)
        try:
            moment = datetime.fromisoformat(SPACE_BEFORE_OFFSET.sub("", without_word))
        except ValueError:
            return text
        if moment.tzinfo is None and without_word != bare:
            return moment.replace(tzinfo=UTC).timestamp()
        return self._zoned(moment) or text

    def _zoned(self, moment: datetime) -> float | None:
        if moment.tzinfo is None:
            if self.zone is None:
                return None
            moment = moment.replace(tzinfo=self.zone)
        return moment.timestamp()


def as_number(text: str) -> Number | None:
    """Return a number in text, or None. A whole number of 64 bits stays whole.

    A number that a spreadsheet cut off is none.
    """
    bare = text.strip()
    if not bare or not (bare[0].isdigit() or bare[0] in "+-.") or "_" in bare or is_cut_off(bare):
        return None
    try:
        return int(bare) if len(bare) < LONGEST_WHOLE and bare.isdecimal() and bare.isascii() else float(bare)
    except ValueError:
        return None


def zone_of(name: str) -> tzinfo:
    """Return the time zone of a name such as Europe/Berlin. Raises ValueError if there is none."""
    if name.upper() in ("UTC", "Z", "GMT"):
        return UTC
    try:
        return ZoneInfo(name)
    except (OSError, ValueError, LookupError) as error:
        raise ValueError(f"{name!r} is no time zone; such as UTC or Europe/Berlin") from error
