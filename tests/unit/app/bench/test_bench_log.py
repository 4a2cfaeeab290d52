"""The log of a measurement: as many events as wanted, and none of them a duplicate."""

from collections.abc import Callable, Iterator

import orjson
import pytest

from app.bench.log import bench_log, copy_of, count_events
from app.datasets.record import Record
from app.errors import HeadraceError


def event(topic: str, key: str, **fields: object) -> Record:
    return Record(topic, key.encode(), orjson.dumps(fields), 1.0)


def reading(*records: Record) -> Callable[[], Iterator[Record]]:
    return lambda: iter(records)


VIEW = event("views", "u1", event_id="1", user_id="u1", item_id="i1", ts=1)
ORDER = event("orders", "session:s1", event_id="2", session_id="s1", item_id="i2", ts=2)
MISFIT = Record("quarantine", None, b"?", None)


def test_without_a_number_the_log_stays_as_it_is() -> None:
    assert list(bench_log(reading(VIEW, ORDER), None)) == [VIEW, ORDER]


def test_a_shorter_number_cuts_the_log() -> None:
    assert list(bench_log(reading(VIEW, ORDER), 1)) == [VIEW]


def test_rows_that_go_to_quarantine_directly_are_left_out() -> None:
    assert list(bench_log(reading(MISFIT, VIEW), None)) == [VIEW]
    assert count_events(reading(MISFIT, VIEW), None) == 1


def test_copies_have_users_sessions_and_event_ids_of_their_own_and_the_same_items() -> None:
    log = list(bench_log(reading(VIEW, ORDER), 5))
    assert log[:2] == [VIEW, ORDER]
    assert [record.key for record in log] == [b"u1", b"session:s1", b"u1~2", b"session:s1~2", b"u1~3"]
    assert orjson.loads(log[2].value or b"") == {
        "event_id": "1~2", "user_id": "u1~2", "item_id": "i1", "ts": 1
    }  # fmt: skip
    assert orjson.loads(log[3].value or b"")["session_id"] == "s1~2"


@pytest.mark.parametrize("value", [b"not JSON", b"[1]", None])
def test_what_is_no_json_object_is_copied_as_it_is(value: bytes | None) -> None:
    record = Record("views", b"u1", value, None)
    assert copy_of(record, 2) == record


@pytest.mark.parametrize("events", [None, 10])
def test_a_log_without_events_is_an_error(events: int | None) -> None:
    with pytest.raises(HeadraceError, match="nothing can be measured"):
        list(bench_log(reading(MISFIT), events)) or count_events(reading(MISFIT), events)


def test_the_number_asked_for_is_the_number_of_events() -> None:
    assert count_events(reading(VIEW), 7) == len(list(bench_log(reading(VIEW), 7))) == 7


@pytest.mark.parametrize("skip", range(8))
def test_what_is_skipped_does_not_change_what_follows(skip: int) -> None:
    assert (
        list(bench_log(reading(VIEW, ORDER, VIEW), 4, skip))
        == list(bench_log(reading(VIEW, ORDER, VIEW), 12))[skip : skip + 4]
    )
