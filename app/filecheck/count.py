"""Counts what the worker would accept of a log, and gathers what it would reject by its way out."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import MAXYEAR, UTC, datetime
from itertools import islice

from app.datasets.record import Dataset, Portions, Record, Source
from app.filecheck.dates import settled
from app.filecheck.likely_places import likely_places, unnamed
from app.filecheck.plain import PlainRows
from app.filecheck.plain_lines import PlainLines
from app.filecheck.rejected import ROWS_AT_ONCE, ROWS_SHOWN, Identity, RejectedRow, judge
from app.filecheck.ways_out import for_some_rows, way_out
from models.contract.event_codec import EventSettings
from models.contract.outcome import Reason

MOST_COMPLAINTS = 20
# What takes about a second each: rows that are judged by columns, and others.
IN_COLUMNS, ROW_BY_ROW = 100_000, 25_000
QUICKLY = 0


@dataclass(slots=True)
class Complaint:
    """Rows that are rejected for one reason and have one way out, and the first three of them."""

    reason: str
    way_out: str
    count: int = 0
    rows: list[RejectedRow] = field(default_factory=list)

    @property
    def about(self) -> str:
        """Return what the rows have in common, in words; an empty text if the reason says it."""
        ts = self.rows[0].fields.get("ts")
        if self.reason != Reason.FROM_THE_FUTURE or not isinstance(ts, int | float):
            return ""
        year = _year(ts)
        return f"times lie in the year {year:,}" if year > MAXYEAR else f"times lie in the year {year}"


@dataclass(frozen=True, slots=True)
class CheckedSource:
    """What would become of a file: `rows` were read, and `is_whole` says that these are all.

    `accepted` counts by topic, `left_out` by what the rows are, `repeats` of events that came
    before in the file. `unread` are columns that look like a field which the file lacks.
    """

    source: Source
    rows: int
    is_whole: bool
    accepted: Counter[str]
    left_out: Counter[str]
    repeats: int
    complaints: list[Complaint]
    unread: dict[str, str]

    @property
    def rejected(self) -> int:
        """Return the number of rejected rows."""
        return self.rows - self.accepted.total()


@dataclass(frozen=True, slots=True)
class CheckedLog:
    """What would become of a log."""

    name: str
    sources: list[CheckedSource]
    ignored: tuple[str, ...]

    @property
    def fault(self) -> str:
        """Return why the log should not be sent; an empty text if it may."""
        rows, rejected = (
            sum(values) for values in zip(*((each.rows, each.rejected) for each in self.sources), strict=True)
        )
        events = [each for each in self.sources if each.source.of == "events" and each.rows]
        if not rows:
            return "nothing would be accepted: there is no row that is an event or an item"
        if rejected == rows:
            return f"nothing would be accepted: all {rows:,} rows are rejected"
        if events and not any(each.accepted.total() for each in events):
            return f"no event would be accepted: all {sum(each.rows for each in events):,} are rejected"
        return f"more than half would be rejected: {rejected:,} of {rows:,} rows" if 2 * rejected > rows else ""


def check_log(dataset: Dataset, settings: EventSettings, now: float, most: int | None) -> CheckedLog:
    """Read up to `most` rows of each file, and return what would become of the log.

    None for `most` reads all rows; QUICKLY reads 100,000 rows, or 25,000 of nested objects.

    `now`, in seconds since 1970, stands for the broker's time. Raises HeadraceError when a file
    cannot be read.
    """
    return CheckedLog(
        dataset.name, [_check(source, settings, now, most) for source in dataset.sources], dataset.ignored
    )


def _check(source: Source, settings: EventSettings, now: float, most: int | None) -> CheckedSource:
    tally = _Tally(source, settings, now)
    if most == QUICKLY:
        most = ROW_BY_ROW if source.portions is None else IN_COLUMNS
    is_whole = tally.by_columns(source.portions, most) if source.portions is not None else tally.by_rows(most)
    good = tally.accepted.total()
    _settle(tally.complaints)
    for complaint in tally.complaints.values():
        complaint.way_out = for_some_rows(complaint.way_out) if good >= complaint.count else complaint.way_out
    ordered = sorted(tally.complaints.values(), key=lambda each: -each.count)
    return CheckedSource(
        source, tally.rows, is_whole, tally.accepted, tally.left_out, tally.repeats, ordered, _unread(source)
    )


class _Tally:
    """What was found in a file so far."""

    def __init__(self, source: Source, settings: EventSettings, now: float) -> None:
        self._source = source
        self._settings = settings
        self._now = now
        self._latest = now + settings.future_tolerance_seconds
        self._seen: set[Identity] = set()
        self.left_out: Counter[str] = Counter()
        self.accepted: Counter[str] = Counter()
        self.complaints: dict[tuple[str, str], Complaint] = {}
        self.rows = 0
        self.repeats = 0

    def by_rows(self, most: int | None) -> bool:
        """Judge up to `most` rows one by one. Returns whether these are all."""
        records = self._source.records(self._leave_out)
        while part := list(islice(records, ROWS_AT_ONCE if most is None else min(ROWS_AT_ONCE, most - self.rows))):
            self._judge(part)
        return most is None or self.rows < most or next(records, None) is None

    def by_columns(self, portions: Portions, most: int | None) -> bool:
        """Judge up to `most` rows by the thousand, and one by one those that are not plainly good.

        Returns whether these are all.
        """
        source, readers = self._source, portions.readers
        judge = (
            PlainLines(source.of, self._settings, self._latest).judge
            if readers is None
            else PlainRows(readers, source.of, self._settings, self._latest).judge
        )
        found = portions.read()
        for portion in found:
            part = portion if most is None else portion.first(most - self.rows)
            plain = judge(part)
            self.rows += plain.accepted.total()
            self.accepted += plain.accepted
            self.left_out += plain.left_out
            self._note(plain.identities)
            doubtful = sorted([*map(part.row, plain.doubtful), *part.odd], key=lambda row: row.number)
            records = portions.records(iter(doubtful), self._leave_out)
            while some := list(islice(records, ROWS_AT_ONCE)):
                self._judge(some)
            if most is not None and self.rows >= most:
                is_cut = len(part.numbers) + len(part.odd) < len(portion.numbers) + len(portion.odd)
                return not is_cut and next(found, None) is None
        return True

    def _judge(self, part: list[Record]) -> None:
        judged = judge(part, self._settings, self._now)
        self.rows += len(part)
        self.accepted += judged.accepted
        self._note(judged.identities)
        _gather(self.complaints, judged.rejected, self._source, self._latest)

    def _note(self, identities: list[Identity]) -> None:
        before = len(self._seen)
        self._seen.update(identities)
        self.repeats += len(identities) - (len(self._seen) - before)

    def _leave_out(self, what: str) -> None:
        self.left_out[what] += 1


def _gather(
    complaints: dict[tuple[str, str], Complaint], rejected: Iterable[RejectedRow], source: Source, latest: float
) -> None:
    ways: dict[str, str] = {}
    for row in rejected:
        # a whole file in another unit has one way out, which need not be found row by row
        unit = row.detail.partition(" is after ")[2] if row.reason == Reason.FROM_THE_FUTURE else ""
        way = ways.get(unit) or way_out(row, source, latest)
        if "?" in unit:
            ways[unit] = way
        key = (row.reason, way)
        # words without end, such as a kind a row, are one complaint
        if key not in complaints and len(complaints) >= MOST_COMPLAINTS:
            key = next((each for each in complaints if each[0] == row.reason), key)
        complaint = complaints.setdefault(key, Complaint(*key))
        complaint.count += 1
        if len(complaint.rows) < ROWS_SHOWN:
            complaint.rows.append(row)


def _settle(complaints: dict[tuple[str, str], Complaint]) -> None:
    """Merge complaints that leave open which is the day of a date into the one that tells it."""
    for way, better in settled([way for _, way in complaints]).items():
        moved = complaints.pop((Reason.INVALID_TIME, way))
        kept = complaints.setdefault((Reason.INVALID_TIME, better), Complaint(Reason.INVALID_TIME, better))
        kept.count += moved.count
        kept.rows = sorted([*kept.rows, *moved.rows], key=lambda row: row.row)[:ROWS_SHOWN]


def _unread(source: Source) -> dict[str, str]:
    """Return, for fields that the file lacks, a column that is not read and has a likely name."""
    if source.shape != "headrace":
        return {}
    return likely_places([name for name in unnamed(source) if name != "event_id"], source)


def _year(ts: float) -> int:
    try:
        return datetime.fromtimestamp(ts, UTC).year
    except (OverflowError, ValueError, OSError):
        return 1970 + int(ts / (365.2425 * 86_400))
