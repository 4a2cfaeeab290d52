"""The way of an event through `moved`: what it carries, and what comes out."""

from dataclasses import replace

import numpy as np
from builders import NOW, batch, event

from models.contract.events import RawBatch
from models.contract.moved import Moved, by_origin
from models.contract.outcome import Reason

SOURCES = {"views", "clicks"}


def moved(*events: Moved, first: int = 0) -> RawBatch:
    """A batch of `moved`, partition 1, that holds these."""
    count = len(events)
    return RawBatch(
        "moved",
        1,
        np.arange(first, first + count),
        np.full(count, NOW + 60),
        [each.user_id.encode() for each in events],
        [each.value for each in events],
        headers=[each.headers() for each in events],
    )


def view(offset: int, topic: str = "views", log: str = "17") -> Moved:
    raw = replace(batch(event(f"e{offset}"), topic=topic, partition=3, first=offset), log=log)
    return Moved.of(raw, 0, 1, "u1")


def test_a_moved_event_keeps_its_origin_its_time_and_its_bytes() -> None:
    [part], rejected = by_origin(moved(view(7)), SOURCES)
    assert (part.source, part.home, part.offsets.tolist(), part.times.tolist()) == ("views-3@17", 1, [7], [NOW])
    assert (part.keys, part.values, rejected) == ([b"u1"], [view(7).value], [])


def test_events_are_sorted_by_origin_in_their_order() -> None:
    parts, _ = by_origin(moved(view(1), view(4, "clicks"), view(2), view(9, log="18")), SOURCES)
    assert [(part.source, part.offsets.tolist()) for part in parts] == [
        ("views-3@17", [1, 2]),
        ("clicks-3@17", [4]),
        ("views-3@18", [9]),
    ]


def test_what_was_moved_twice_is_in_it_once() -> None:
    [part], _ = by_origin(moved(view(1), view(2), view(1), view(2), view(3)), SOURCES)
    assert part.offsets.tolist() == [1, 2, 3]


def test_what_another_program_wrote_is_rejected() -> None:
    strange = replace(moved(view(1), view(2, "orders")), headers=[(), view(2, "orders").headers()])
    parts, rejected = by_origin(strange, SOURCES)
    assert parts == []
    assert [(each.reason, each.topic, each.offset) for each in rejected] == [
        (Reason.INVALID_VALUE, "moved", 0),
        (Reason.INVALID_VALUE, "moved", 1),
    ]


def test_a_batch_of_a_source_is_left_as_it_is() -> None:
    raw = batch(event("a"))
    assert by_origin(raw, SOURCES) == ([raw], [])
    assert raw.home == raw.partition
