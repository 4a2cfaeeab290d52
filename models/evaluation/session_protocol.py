"""Evaluate by sessions: learn past ones, then predict each next item of the test sessions."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from math import isfinite, nan
from typing import NamedTuple, Self

from models.contract.fields import Refused, moment
from models.users.open_sessions import OpenSessions

Row = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Visit:
    """One item in one session; `ts` orders visits, in seconds or as a running number. The user is
    empty where the log names none.
    """

    session_id: str
    item_id: str
    ts: float
    user_id: str = ""


@dataclass(frozen=True, slots=True)
class Case:
    """Holds the items seen so far in a session, oldest first and never empty, and the next item."""

    seen: tuple[str, ...]
    actual: str

    @property
    def current(self) -> str:
        """Return the item that the user looks at: it is not recommended."""
        return self.seen[-1]

    @property
    def recent(self) -> list[str]:
        """Return the distinct items seen, most recent first."""
        return list(dict.fromkeys(reversed(self.seen)))


@dataclass(frozen=True, slots=True)
class Experiment:
    """Holds the visits to learn from, in time order, and the cases to predict."""

    train: list[Visit]
    cases: list[Case]


def walk(items: Sequence[str]) -> Iterator[Case]:
    """Yield a case for every position of a session but the last.

    >>> [(case.seen, case.actual) for case in walk(["a", "b", "a"])]
    [(('a',), 'b'), (('a', 'b'), 'a')]
    """
    for position in range(1, len(items)):
        yield Case(tuple(items[:position]), items[position])


def split_by_column(rows: Iterable[Row], test: str = "test") -> Experiment:
    """Train on the rows whose `split` is train; walk the sessions of those whose `split` is `test`.

    Raises ValueError if a row has a fault.
    """
    visits = _visits(rows)
    return Experiment(
        [visit for split, visit in visits if split == "train"],
        _cases(visit for split, visit in visits if split == test),
    )


def split_by_time(rows: Iterable[Row], since: float) -> Experiment:
    """Train on what happened before `since`; walk the sessions that began then or later.

    A session that began before `since` is not walked: a part of it has been learnt. Raises
    ValueError if a row has a fault.
    """
    visits = [visit for _, visit in _visits(rows)]
    train = [visit for visit in visits if visit.ts < since]
    begun = {visit.session_id for visit in train}
    return Experiment(train, _cases(visit for visit in visits if visit.session_id not in begun))


def fault_of(row: Row) -> str | None:
    """Return in words what a row lacks; None if it can be used."""
    try:
        _Named.of(row)
    except ValueError as error:
        return str(error)
    return None


def read_lines(train: Iterable[str], cases: Iterable[str]) -> Experiment:
    """Return an experiment read from lines without times.

    A line of `train` is a session: item ids separated by spaces; the order of lines is that of
    time. A line of `cases` has the items seen so far separated by spaces, a tab and the next item.
    Empty lines are skipped. Raises ValueError with the number of the line for a case of another
    form.

    >>> experiment = read_lines(["a b", "b c"], ["a b\\tc"])
    >>> experiment.train[2], experiment.cases
    (Visit(session_id='2', item_id='b', ts=2.0, user_id=''), [Case(seen=('a', 'b'), actual='c')])
    """
    pairs = ((str(number), item) for number, line in enumerate(train, 1) for item in line.split())
    visits = [Visit(session, item, float(ts)) for ts, (session, item) in enumerate(pairs)]
    return Experiment(visits, [_read_case(line, n) for n, line in enumerate(cases, 1) if line.strip()])


def _visits(rows: Iterable[Row]) -> list[tuple[object, Visit]]:
    """Return the visits in time order, each with its row's `split`.

    Where no session is named, half an hour of silence ends it.
    """
    named = [_Named.of(row) for row in rows]
    begun = OpenSessions()
    visits: list[tuple[object, Visit]] = []
    for each in sorted(named, key=lambda each: each.ts):
        session_id, user = each.session_id, each.user_id
        if not session_id:
            session_id = begun.name(user, each.ts)
        visits.append((each.split, Visit(session_id, each.item_id, each.ts, user)))
    return visits


class _Named(NamedTuple):
    """Holds one row; of `session_id` and `user_id` one may be empty."""

    split: object
    session_id: str
    user_id: str
    item_id: str
    ts: float

    @classmethod
    def of(cls, row: Row) -> Self:
        session_id, user_id, item_id = (_text(row.get(name)) for name in ("session_id", "user_id", "item_id"))
        ts = _seconds(row.get("ts"))
        if not (session_id or user_id) or not item_id or not isfinite(ts):
            raise ValueError(
                f"needs item_id, ts (seconds since 1970, or RFC 3339 with a zone) and session_id "
                f"or user_id, has {dict(row)}"
            )
        return cls(row.get("split"), session_id, user_id, item_id, ts)


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _seconds(value: object) -> float:
    """Return the time in seconds, or NaN if it is none; text may hold a number, as in CSV."""
    with suppress(ValueError):
        if isinstance(value, str):
            return float(value)
    try:
        return moment("ts", value)
    except Refused:
        return nan


def _read_case(line: str, number: int) -> Case:
    seen, _, actual = line.rstrip("\r\n").partition("\t")
    if not seen.split() or len(actual.split()) != 1:
        raise ValueError(f"case {number}: expected items separated by spaces, a tab and one item, got {line!r}")
    return Case(tuple(seen.split()), actual.strip())


def _cases(visits: Iterable[Visit]) -> list[Case]:
    sessions: dict[str, list[str]] = {}
    for visit in visits:
        sessions.setdefault(visit.session_id, []).append(visit.item_id)
    return [case for items in sessions.values() for case in walk(items)]
