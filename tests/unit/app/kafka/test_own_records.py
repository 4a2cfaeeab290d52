"""What this worker appended itself is told apart from what others did."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.kafka.own_records import OwnRecords


@dataclass(frozen=True)
class Record:
    offset: int


def records(*offsets: int) -> list[Record]:
    return [Record(offset) for offset in offsets]


def offsets(own: OwnRecords, *read: int, partition: int = 0) -> list[int]:
    return [record.offset for record in own.without(partition, records(*read))]


def test_own_records_are_left_out_and_others_stay() -> None:
    own = OwnRecords()
    own.note(0, 2, 3)
    own.note(0, 7, 1)
    assert offsets(own, *range(10)) == [0, 1, 5, 6, 8, 9]


def test_partitions_are_kept_apart() -> None:
    own = OwnRecords()
    own.note(1, 0, 5)
    assert offsets(own, 0, 1) == [0, 1]
    assert offsets(own, 0, 1, partition=1) == []


def test_after_a_restart_nothing_is_known_to_be_own() -> None:
    assert offsets(OwnRecords(), 0, 1) == [0, 1]
    assert offsets(OwnRecords()) == []


def test_records_of_a_topic_that_was_made_again_are_not_taken_for_those_of_the_old_log() -> None:
    own = OwnRecords()
    own.note(0, 4, 4)
    own.note(0, 0, 2)  # the broker's offsets went back
    assert offsets(own, *range(8)) == [2, 3, 4, 5, 6, 7]
    own.note(0, 8, 4)
    own.forget(0)
    assert offsets(own, 8, 9) == [8, 9]


@pytest.mark.parametrize("cut", [1, 3, 10])
def test_a_range_may_be_read_back_in_pieces(cut: int) -> None:
    own = OwnRecords()
    own.note(0, 0, 4)
    own.note(0, 4, 4)
    found = [offset for start in range(0, 12, cut) for offset in offsets(own, *range(start, min(start + cut, 12)))]
    assert found == [8, 9, 10, 11]


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 5))), st.integers(1, 7), st.sets(st.integers(0, 100)))
def test_nothing_is_lost_however_appends_and_reads_are_cut(
    appends: list[tuple[bool, int]], size: int, missing: set[int]
) -> None:
    own, end = OwnRecords(), 0
    others: list[int] = []
    for is_own, count in appends:
        if is_own:
            own.note(0, end, count)
        else:
            others += range(end, end + count)
        end += count
    log = [offset for offset in range(end) if offset not in missing]
    found = [each for at in range(0, len(log), size) for each in offsets(own, *log[at : at + size])]
    assert found == [offset for offset in others if offset not in missing]
