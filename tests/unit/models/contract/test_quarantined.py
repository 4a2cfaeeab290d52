"""Records of the quarantine are read back with their marks, in the order of the log."""

from typing import Any

import numpy as np
import orjson
import pytest

from models.contract.events import RawBatch
from models.contract.formats import NewerFormat
from models.contract.offending import offending_field
from models.contract.quarantined import (
    CLAIMED,
    IN_DOUBT,
    REPLAYED,
    WAITING,
    Quarantined,
    ReplayMark,
    Replays,
    decode_quarantine,
    record_id,
)

Headers = list[tuple[str, bytes]]


def headers(**given: str) -> Headers:
    said = {"reason": "invalid_value", "detail": "price -1 is not above 0", "source_topic": "orders"}
    said |= {"source_partition": "2", "source_offset": "7", "format": "1", **given}
    return [(name.replace("_", "-"), value.encode()) for name, value in said.items()]


def batch(*rows: tuple[bytes | None, Headers]) -> RawBatch:
    return RawBatch(
        "quarantine",
        0,
        np.arange(len(rows)),
        np.full(len(rows), 1_760_000_000.0),
        [b"ada"] * len(rows),
        [value for value, _ in rows],
        headers=[given for _, given in rows],
    )


def test_a_record_tells_its_reason_its_source_and_its_bytes() -> None:
    [found] = decode_quarantine(batch((b"{}", headers())))
    assert isinstance(found, Quarantined)
    assert (found.reason, found.topic, found.partition, found.offset) == ("invalid_value", "orders", 2, 7)
    assert (found.key, found.value, found.time) == (b"ada", b"{}", 1_760_000_000.0)


def test_a_record_that_is_there_twice_has_one_id_and_others_have_another() -> None:
    ids = [each.record_id for each in decode_quarantine(batch((b"{}", headers()), (b"{}", headers())))]  # type: ignore[union-attr]  # no marks
    assert ids[0] == ids[1]
    others = {record_id("orders", 2, 8, b"ada", b"{}"), record_id("orders", 2, 7, b"ad", b"a{}")}
    assert not others & set(ids)


def test_what_headrace_did_not_write_is_passed_over() -> None:
    odd = batch((b"x", []), (b"x", headers(source_offset="soon")), (b"no json", headers(replay="claimed")))
    assert decode_quarantine(odd) == []


@pytest.mark.parametrize("name", ["reason", "detail", "source-topic", "source-partition", "source-offset", "replay"])
def test_a_record_with_a_header_without_a_value_is_passed_over(name: str) -> None:
    # Kafka permits it, and the types of its clients do not tell.
    without: Any = [(each, value) for each, value in headers() if each != name] + [(name, None)]
    body = orjson.dumps({"claim": "c1", "ids": [], "over": []})
    assert decode_quarantine(batch((body, without), (b"{}", headers()))) == decode_quarantine(batch((b"{}", headers())))


@pytest.mark.parametrize(
    ("name", "largest"), [("source_partition", 2_147_483_647), ("source_offset", 9_223_372_036_854_775_807)]
)
def test_a_place_that_kafka_cannot_have_is_passed_over(name: str, largest: int) -> None:
    def read(place: int) -> int:
        return len(decode_quarantine(batch((b"{}", headers(**{name: str(place)})))))

    assert (read(0), read(largest)) == (1, 1)
    assert (read(-1), read(largest + 1), read(10**22)) == (0, 0, 0)


def test_a_newer_version_is_refused() -> None:
    with pytest.raises(NewerFormat):
        decode_quarantine(batch((b"{}", headers(format="2"))))


def test_a_mark_is_read_as_it_was_written() -> None:
    mark = ReplayMark(CLAIMED, "c1", ("a", "b"), ("c0",))
    assert decode_quarantine(batch(mark.record())) == [mark]


def test_the_first_claim_to_a_record_holds_it_until_a_later_one_names_it_as_ended() -> None:
    replays = Replays()
    replays.follow([ReplayMark(CLAIMED, "c1", ("a",)), ReplayMark(CLAIMED, "c2", ("a", "b"))])
    assert (replays.holder("a"), replays.holder("b"), replays.holder("c")) == ("c1", "c2", "")
    replays.follow([ReplayMark(CLAIMED, "c3", ("a", "b"), over=("c1",))])
    assert (replays.holder("a"), replays.holder("b")) == ("c3", "c2")


def test_a_record_waits_is_in_doubt_once_claimed_and_then_replayed() -> None:
    replays = Replays()
    assert replays.state("a") == WAITING
    replays.follow([ReplayMark(CLAIMED, "c1", ("a",))])
    assert replays.state("a") == IN_DOUBT
    replays.follow([ReplayMark(REPLAYED, "c1", ("a",))])
    assert replays.state("a") == REPLAYED


@pytest.mark.parametrize(
    ("reason", "detail", "name"),
    [
        ("missing_field", "item_id is missing", "item_id"),
        ("from_the_future", "updated_at 9e9 is after the broker's time", "updated_at"),
        ("no_user", "neither user_id nor session_id", "user_id"),
        ("worse_than_before", "the title is remark; 'Lamp' is kept", "title"),
        ("not_an_object", "an array instead of an object", ""),
        ("a reason of another version", "something", ""),
    ],
)
def test_the_field_at_fault_is_named(reason: str, detail: str, name: str) -> None:
    assert offending_field(reason, detail) == name
