"""Rejected rows are found again in the log, and shown in words."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.datasets.folder import open_dataset
from app.datasets.record import Dataset, Record
from app.filecheck.rejected import RejectedRow, rejected_rows
from models.contract.event_codec import EventSettings
from models.contract.outcome import Reason

NOW = 1_760_000_000.0
HEADER = "event_id,ts,user_id,item_id,kind,price"


def log(folder: Path, *rows: str) -> Dataset:
    (folder / "events.csv").write_text("\n".join([HEADER, *rows]) + "\n")
    return open_dataset(folder)


async def found(dataset: Dataset, **wanted: int) -> list[RejectedRow]:
    return await rejected_rows(dataset.events, Counter(wanted), EventSettings(), NOW)


async def test_rows_that_the_reader_and_the_worker_reject_have_their_numbers_and_details(tmp_path: Path) -> None:
    dataset = log(
        tmp_path,
        "1,1700000000,u,a,view,",
        "2,2022-06-24 21:20:11,u,a,view,",
        "3,1700000000,u,a,poke,",
        "4,1700000000000,u,a,view,",
        "",
        "5,1700000000,u,a,order,9,50",
    )
    rows = await found(dataset, invalid_time=1, unknown_kind=1, from_the_future=1, invalid_value=1)
    assert {each.row: each.reason for each in rows} == {
        2: "invalid_time",
        3: "unknown_kind",
        4: "from_the_future",
        5: "invalid_value",
    }
    by_number = {each.row: each for each in rows}
    assert by_number[2].detail == "ts '2022-06-24 21:20:11' has no zone"
    assert "2022-06-24T21:20:11Z" in by_number[2].advice
    assert "milliseconds" in by_number[4].advice
    assert "quotes around" in by_number[5].detail


async def test_the_first_three_of_each_reason_are_enough(tmp_path: Path) -> None:
    dataset = log(tmp_path, *(f"{n},1700000000,u,a,{'poke' if n % 2 else 'order'},0" for n in range(1, 5_001)))
    rows = await found(dataset, zero_price=2_500, unknown_kind=2_500)
    assert [(each.row, each.reason) for each in rows] == [
        (1, "unknown_kind"), (3, "unknown_kind"), (5, "unknown_kind"),
        (2, "zero_price"), (4, "zero_price"), (6, "zero_price"),
    ]  # fmt: skip


async def test_the_log_is_read_no_further_than_needed(tmp_path: Path) -> None:
    read = 0
    dataset = log(tmp_path, *(f"{n},1700000000,u,a,poke," for n in range(20_000)))

    def counted() -> Iterator[Record]:
        nonlocal read
        for record in dataset.events():
            read += 1
            yield record

    assert len(await rejected_rows(counted, Counter(unknown_kind=20_000), EventSettings(), NOW)) == 3
    assert read <= 1_000
    assert await rejected_rows(counted, Counter(), EventSettings(), NOW) == []
    assert read <= 1_000


async def test_a_reason_that_is_nowhere_in_the_log_has_no_rows(tmp_path: Path) -> None:
    assert await found(log(tmp_path, "1,1700000000,u,a,view,"), too_old=7) == []


async def test_rows_of_a_catalogue_and_lines_of_json_have_numbers_too(tmp_path: Path) -> None:
    lines = ['{"item_id":"a","title":"Mug"}', "", '{"item_id":"b","title":""}', '{"title":"Lamp"}']
    (tmp_path / "items.jsonl").write_text("\n".join(lines) + "\n")
    rows = await rejected_rows(open_dataset(tmp_path).items, Counter(missing_field=2), EventSettings(), NOW)
    assert [(each.row, each.detail.split(";")[0]) for each in rows] == [
        (3, "title shows nothing"),
        (4, "item_id is missing"),
    ]


@pytest.mark.parametrize("reason", list(Reason))
def test_an_advice_is_one_short_line(reason: Reason) -> None:
    advice = RejectedRow(1, reason, "").advice
    assert "\n" not in advice
    assert len(advice) <= 100
