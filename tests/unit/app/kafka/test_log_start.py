"""What the beginnings of partitions tell of topics that change."""

import pytest
from builders import batch, event

from app.kafka.log_start import Beginning, Change, LogStarts, Reset
from app.kafka.places import ReadPlaces

PLACE = ("views", 3)


@pytest.mark.parametrize(
    ("before", "now", "again"),
    [
        ((0, 1_000), (0, 1_000), False),
        ((0, 1_000), (50, 1_500), False),  # retention
        ((0, 1_000), (0, 1_500), True),
        ((50, 1_500), (0, 2_000), True),
        ((50, 1_500), (50, 2_000), True),
    ],
)
def test_another_first_record_is_another_log(before: tuple[int, int], now: tuple[int, int], again: bool) -> None:
    starts = LogStarts()
    assert not starts.see(PLACE, Beginning(*before))
    assert starts.see(PLACE, Beginning(*now)) is again


def test_what_was_saved_before_a_restart_is_a_measure_too() -> None:
    starts = LogStarts()
    starts.recall(PLACE, (0, 1_000))
    assert not starts.is_unsaved(PLACE)
    assert starts.see(PLACE, Beginning(0, 2_000))
    assert starts.is_unsaved(PLACE)


def test_without_anything_saved_the_first_sight_is_no_change() -> None:
    starts = LogStarts()
    starts.recall(PLACE, None)
    assert not starts.see(PLACE, Beginning(70, 1_000))


def places(expected: int) -> ReadPlaces:
    found = ReadPlaces()
    found.stand(PLACE, expected)
    return found


def test_what_comes_next_is_no_jump() -> None:
    reading = places(5)
    assert not reading.went_back(PLACE, batch(event("a"), event("b"), first=5))
    assert not reading.went_back(PLACE, batch(event("c"), first=7))
    assert reading.removed_before(PLACE, 100) == 0


def test_records_that_retention_removed_are_counted_once() -> None:
    reading = places(5)
    assert not reading.went_back(PLACE, batch(event("a"), first=40))
    assert reading.removed_before(PLACE, 40) == 35
    assert reading.removed_before(PLACE, 40) == 0


def test_offsets_of_transaction_markers_are_not_counted() -> None:
    reading = places(5)
    assert not reading.went_back(PLACE, batch(event("a"), first=6))
    assert reading.removed_before(PLACE, 0) == 0


def test_a_jump_to_an_earlier_offset_is_another_log() -> None:
    reading = places(100)
    assert reading.went_back(PLACE, batch(event("a"), first=0))
    assert not reading.went_back(PLACE, batch(event("b"), first=1))


def test_reading_behind_the_end_is_noticed_and_forgotten_once_it_begins_again() -> None:
    reading = places(100)
    reading.see_end(PLACE, 100, 100)
    assert not reading.is_past_end(PLACE)
    reading.see_end(PLACE, 100, 60)
    assert reading.is_past_end(PLACE)
    reading.start_again(PLACE, Beginning(0, 1_500))
    assert not reading.is_past_end(PLACE)


def test_a_log_made_again_that_lost_its_first_record_has_a_name_of_its_own() -> None:
    reading = places(100)
    reading.start_again(PLACE, Beginning(7, 1_500))
    assert reading.new_name(PLACE) == "1500"
    reading.start_again(PLACE, Beginning(0, 1_700))
    assert reading.new_name(PLACE) == ""


def test_a_reset_says_what_happened_and_what_helps() -> None:
    assert "made again" in str(Reset("views", 3, Change.MADE_AGAIN, 0))
    removed = str(Reset("views", 3, Change.REMOVED, 1_540, 1_500))
    assert "1,500 records" in removed
    assert "retention" in removed
