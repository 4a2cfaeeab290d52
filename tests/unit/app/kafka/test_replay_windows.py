"""A log is cut into windows: records that are due together are sent together."""

from itertools import pairwise

import pytest

from app.datasets.record import Record
from app.kafka.replay import WINDOW_BYTES, WINDOW_RECORDS, windows


def log(*times: float | None) -> list[Record]:
    return [Record("views", b"u", b"%d" % number, ts) for number, ts in enumerate(times)]


def cut(records: list[Record], speed: float | None) -> list[tuple[float, int]]:
    return [(window.due, len(window.records)) for window in windows(records, speed)]


def test_without_a_speed_everything_is_due_at_once() -> None:
    assert cut(log(*range(WINDOW_RECORDS + 1)), None) == [(0.0, WINDOW_RECORDS), (0.0, 1)]


#   event time  100       110                 200
#   played at     0         1                  10      (ten times faster)
def test_records_are_due_by_their_event_time_and_the_speed() -> None:
    assert cut(log(100, 110, 200), 10) == [(0.0, 1), (1.0, 1), (10.0, 1)]


def test_records_within_a_twentieth_of_a_second_go_together() -> None:
    assert cut(log(0, 0.02, 0.05, 0.06), 1) == [(0.05, 3), (0.06, 1)]


def test_a_log_that_steps_back_in_time_keeps_its_order() -> None:
    records = log(10, 20, 12, 30)
    assert cut(records, 1) == [(0.0, 1), (10.0, 2), (20.0, 1)]
    assert [record for window in windows(records, 1) for record in window.records] == records


def test_a_record_without_a_time_is_due_with_the_one_before_it() -> None:
    assert cut(log(None, 10, None, 15), 1) == [(0.0, 3), (5.0, 1)]


def test_large_records_make_short_windows() -> None:
    large = [Record("views", b"u", bytes(WINDOW_BYTES // 2), None) for _ in range(5)]
    assert cut(large, None) == [(0.0, 3), (0.0, 2)]


@pytest.mark.parametrize("odd", [0.0, 2_000_000_000.0])
@pytest.mark.parametrize("at", [0, 1, 2])
def test_a_date_in_the_wrong_year_does_not_stop_the_log(odd: float, at: int) -> None:
    times: list[float | None] = [1_000_000_000, 1_000_000_001]
    times.insert(at, odd)
    assert max(window.due for window in windows(log(*times), 1)) in (0.0, 1.0)


def test_days_on_which_the_shop_was_closed_take_no_time() -> None:
    day = 86_400.0
    assert cut(log(0, day, 4 * day, 4 * day + 3600), 3600) == [(0.0, 1), (24.0, 2), (25.0, 1)]


def test_an_empty_log_has_no_windows() -> None:
    assert cut([], 1) == []


def test_windows_are_never_due_before_an_earlier_one() -> None:
    times = [float((number * 7919) % 1000) for number in range(1000)]
    dues = [window.due for window in windows(log(*times), 100)]
    assert all(earlier <= later for earlier, later in pairwise(dues))
