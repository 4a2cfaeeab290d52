"""Times in text have a format. Where day and month may be exchanged, nothing is assumed."""

from pathlib import Path

import pytest

from app.datasets.folder import open_dataset
from app.datasets.mapping import FileMapping
from app.filecheck.count import Complaint, check_log
from app.filecheck.dates import BOTH_ORDERS, digits_format_for, time_format_for
from models.contract.event_codec import EventSettings

NOW = 1_760_000_000.0


def complaints(folder: Path, *times: str) -> list[Complaint]:
    path = folder / "events.csv"
    rows = [f"{n},{time},u,i,view" for n, time in enumerate(times)]
    path.write_text("\n".join(["event_id,ts,user_id,item_id,kind", *rows]) + "\n")
    [source] = check_log(open_dataset(path), EventSettings(), NOW, None).sources
    return source.complaints


@pytest.mark.parametrize(
    ("text", "option"),
    [
        ("14.11.2023 22:13", "--time-format '%d.%m.%Y %H:%M', and add --time-zone UTC"),
        ("11/14/2023 10:13 PM", "--time-format '%m/%d/%Y %I:%M %p', and add --time-zone UTC"),
        ("06/06/2023", "try --time-format %d/%m/%Y, and add --time-zone UTC"),  # the same either way
        ("Tue, 14 Nov 2023 22:13:20 +0000", "--time-format '%a, %d %b %Y %H:%M:%S %z'"),
        ("14.11.23 22:13", "--time-format '%d.%m.%y %H:%M'"),
        ("14/11/23 22:13:20", "--time-format '%d/%m/%y %H:%M:%S'"),
        ("yesterday", ""),
    ],
)
def test_a_time_has_the_format_that_fits(text: str, option: str) -> None:
    assert option in time_format_for(text)
    assert bool(time_format_for(text)) is bool(option)


def test_which_number_is_the_day_is_asked_if_no_row_tells_it(tmp_path: Path) -> None:
    [complaint] = complaints(tmp_path, "05/06/2023", "07/08/2023")
    assert "if it is first, try --time-format %d/%m/%Y; if the month is, --time-format %m/%d/%Y" in complaint.way_out


@pytest.mark.parametrize(("telling", "form"), [("11/14/2023", "%m/%d/%Y"), ("14/11/2023", "%d/%m/%Y")])
def test_another_row_tells_which_number_is_the_day(telling: str, form: str, tmp_path: Path) -> None:
    [complaint] = complaints(tmp_path, "05/06/2023", telling, "07/08/2023", "09/10/2023")
    assert complaint.way_out.startswith(f"try --time-format {form}, ")
    assert (complaint.count, [row.row for row in complaint.rows]) == (4, [1, 2, 3])


def test_dates_in_both_orders_are_not_read_at_all(tmp_path: Path) -> None:
    found = complaints(tmp_path, "05/06/2023", "11/14/2023", "14/11/2023")
    assert BOTH_ORDERS in [each.way_out for each in found]


@pytest.mark.parametrize(
    ("time", "form"), [("20231114", "%Y%m%d"), ("202311142213", "%Y%m%d%H%M"), ("20231114221320", "%Y%m%d%H%M%S")]
)
def test_a_date_without_separators_is_no_number_of_seconds(time: str, form: str, tmp_path: Path) -> None:
    [complaint] = complaints(tmp_path, time)
    assert complaint.way_out.startswith(f"try --time-format {form}, and add --time-zone UTC")
    mapping = FileMapping(time_format=form, time_zone="UTC")
    [event] = open_dataset(tmp_path / "events.csv", mapping).events()
    assert event.ts == pytest.approx(1_700_000_000, abs=86_400)


def test_a_number_that_is_no_date_has_no_format() -> None:
    assert digits_format_for(20231314, "2025") == ""
    assert digits_format_for(20991114, "2025") == ""
    assert digits_format_for(1_700_000_000, "2025") == ""
