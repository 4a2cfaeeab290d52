"""Count an event id once within 24 hours of event time.

An offset that is read again is no duplicate.
"""

import numpy as np
import pytest
from builders import DAY, HOUR, NOW, keys_of

from models.duplicates import DuplicateFilter

ROUND = 1_000


def repeats(
    seen: DuplicateFilter, *ids: str, source: str = "views-0", first: int = 0, ts: float = NOW, now: float = NOW
) -> list[bool]:
    """Return the filter's answers for consecutive records, all with the same event time."""
    count = len(ids)
    offsets = np.arange(first, first + count, dtype=np.int64)
    found = seen.remember(source, offsets, np.full(count, now), np.full(count, ts), keys_of(ids))
    return [bool(each) for each in found]


def a_filter(memory: int = 100_000) -> DuplicateFilter:
    return DuplicateFilter(DAY, memory)


def test_a_repeat_in_the_same_batch_is_a_duplicate() -> None:
    assert repeats(a_filter(), "a", "b", "a") == [False, False, True]


def test_a_repeat_in_a_later_batch_is_a_duplicate() -> None:
    seen = a_filter()
    repeats(seen, "a")
    assert repeats(seen, "b", "a", first=1) == [False, True]


def test_a_repeat_in_another_topic_or_partition_is_a_duplicate() -> None:
    seen = a_filter()
    repeats(seen, "a", "b", source="views-0")
    assert repeats(seen, "a", source="clicks-0", first=0) == [True]
    assert repeats(seen, "b", source="views-1", first=1) == [True]


def test_the_same_offset_read_again_is_no_duplicate() -> None:
    seen = a_filter()
    first_time = repeats(seen, "a", "b", "a", "c", first=5)
    assert repeats(seen, "a", "b", "a", "c", first=5) == first_time == [False, False, True, False]


def test_the_first_appearance_stays_the_first_when_both_are_read_again() -> None:
    seen = a_filter()
    repeats(seen, "a", source="views-0")
    repeats(seen, "a", source="clicks-0")
    assert repeats(seen, "a", source="clicks-0") == [True]
    assert repeats(seen, "a", source="views-0") == [False]


def test_a_repeat_counts_as_one_up_to_24_hours_of_event_time_before_and_after() -> None:
    for away, is_repeat in [(DAY, True), (DAY + 1, False), (-DAY, True), (-DAY - 1, False), (0.0, True)]:
        seen = a_filter()
        repeats(seen, "a", ts=NOW)
        assert repeats(seen, "a", first=1, ts=NOW + away) == [is_repeat]


def test_after_the_window_the_new_appearance_is_the_one_to_compare_with() -> None:
    seen = a_filter()
    repeats(seen, "a", ts=NOW)
    repeats(seen, "a", first=1, ts=NOW + 30 * HOUR)
    assert repeats(seen, "a", first=2, ts=NOW + 50 * HOUR) == [True]


def fill(seen: DuplicateFilter, count: int, *, source: str, first: int, start: float, span: float) -> list[str]:
    """Take in so many ids of a partition whose broker's times run over a span, in rounds; the
    ids.
    """
    ids = [f"{source} {first + number}" for number in range(count)]
    times = start + span * np.arange(count) / count
    for at in range(0, count, ROUND):
        some = slice(at, at + ROUND)
        offsets = np.arange(first + at, first + at + len(ids[some]), dtype=np.int64)
        assert not seen.remember(source, offsets, times[some], times[some], keys_of(ids[some])).any()
    return ids


def are_known(seen: DuplicateFilter, ids: list[str], ts: float) -> bool:
    return all(repeats(seen, *ids, source="elsewhere", first=10**9, ts=ts, now=ts))


def test_ids_older_than_the_window_by_the_brokers_clock_go_first_when_there_is_no_room() -> None:
    seen = a_filter(memory=4 * ROUND)
    old = fill(seen, ROUND, source="views-0", first=0, start=NOW - 3 * DAY, span=HOUR)
    fill(seen, 2 * ROUND, source="views-0", first=ROUND, start=NOW - HOUR, span=HOUR / 2)
    late = fill(seen, ROUND + ROUND // 2, source="views-0", first=3 * ROUND, start=NOW - HOUR / 2, span=HOUR / 2)
    assert are_known(seen, late, NOW)
    assert not any(repeats(seen, *old, first=10**8, ts=NOW - 3 * DAY, now=NOW))


def test_a_small_partition_read_first_keeps_its_newest_ids_beside_a_large_one() -> None:
    seen = a_filter(memory=20 * ROUND)
    small = fill(seen, 2 * ROUND, source="views-0", first=0, start=NOW - 7 * DAY, span=7 * DAY)
    large = fill(seen, 40 * ROUND, source="views-1", first=0, start=NOW - 7 * DAY, span=7 * DAY)
    # 10,000 are sure to be remembered; the last day has 6,000.
    assert are_known(seen, small[-ROUND // 5 :], NOW)
    assert are_known(seen, large[-5 * ROUND :], NOW)
    assert len(seen) <= 20 * ROUND


@pytest.mark.parametrize("partitions", [1, 7, 60])
def test_the_newest_half_of_the_memory_is_remembered_whatever_the_order_of_partitions(partitions: int) -> None:
    rng = np.random.default_rng(partitions)
    times = np.sort(rng.uniform(NOW - DAY, NOW, 12 * ROUND))
    places = rng.choice(partitions, len(times), p=rng.dirichlet(np.full(partitions, 0.3)))
    seen = a_filter(memory=4 * ROUND)
    for partition in rng.permutation(partitions).tolist():
        rows = np.flatnonzero(places == partition)
        ids = [f"e{row}" for row in rows]
        for at in range(0, len(rows), 300):
            some = rows[at : at + 300]
            seen.remember(f"views-{partition}", some, times[some], times[some], keys_of(ids[at : at + 300]))
            assert len(seen) <= 4 * ROUND
    newest = [f"e{row}" for row in range(len(times) - 2 * ROUND, len(times))]
    assert are_known(seen, newest, NOW)


def test_an_id_that_came_late_into_a_generation_is_still_remembered_for_the_window() -> None:
    # days: x 0 ── a 0.49 ── y 0.51 ── z 1.02 ── a again, 0.91 later
    seen = a_filter()
    for offset, (event_id, day) in enumerate([("x", 0.0), ("a", 0.49), ("y", 0.51), ("z", 1.02)]):
        repeats(seen, event_id, first=offset, now=NOW + day * DAY)
    assert repeats(seen, "a", first=4, now=NOW + 1.4 * DAY) == [True]


def test_a_quiet_shop_does_not_forget_early() -> None:
    seen = a_filter()
    for day in range(5):
        repeats(seen, f"a{day}", first=2 * day, now=NOW + 0.9 * day * DAY)
        assert repeats(seen, f"a{day}", first=2 * day + 1, now=NOW + 0.9 * (day + 1) * DAY) == [True]


def test_memory_is_bounded_and_the_newest_half_is_always_remembered() -> None:
    seen = a_filter(memory=4 * ROUND)
    for number in range(20):
        ids = [f"{number}-{each}" for each in range(ROUND)]
        assert not any(repeats(seen, *ids, first=number * ROUND))
        assert len(seen) <= 4 * ROUND
        if number >= 2:
            remembered = [f"{number - 1}-{each}" for each in range(ROUND)]
            assert all(repeats(seen, *remembered, first=10**9))
    assert not any(repeats(seen, *[f"0-{each}" for each in range(ROUND)], first=10**6))


def test_ids_survive_the_growth_of_the_table() -> None:
    seen = a_filter(memory=1_000_000)
    ids = [f"id {number}" for number in range(50_000)]
    for start in range(0, len(ids), 7_000):
        assert not any(repeats(seen, *ids[start : start + 7_000], first=start))
    assert all(repeats(seen, *ids, first=10**9))
    assert len(seen) == len(ids)


def test_a_batch_larger_than_the_memory_is_still_checked_within_itself() -> None:
    ids = [f"{number}" for number in range(500)]
    assert repeats(a_filter(memory=100), *ids, *ids) == [False] * 500 + [True] * 500


def test_an_empty_batch_is_nothing() -> None:
    seen = a_filter()
    assert repeats(seen) == []
    assert len(seen) == 0
