"""Faults are put into a log as stated, and the worker's checks find each of them."""

from collections import Counter

import numpy as np
import orjson
import pytest

from models.contract.event_codec import EventSettings
from models.faults.consumers import ACCEPTED, consume, consume_unchecked
from models.faults.cost import detections, rejected_sound, repair_accuracy
from models.faults.detection import Detection
from models.faults.events import EXPECTED, INVENTED, LOST, Arrival, Fault, SoundEvent, corrupt, perfectly_read

START = 1_600_000_000.0


def sound_log(size: int = 600) -> list[SoundEvent]:
    """Orders of 20 users, one every 10 seconds."""
    events = []
    for n in range(size):
        fields = {
            "event_id": f"e{n}",
            "user_id": f"u{n % 20}",
            "session_id": f"s{n % 20}-{n // 200}",
            "item_id": f"i{n * 7 % 40}",
            "ts": START + 10 * n,
            "price": 5.0 + n % 3,
            "quantity": 1 + n % 4,
        }
        events.append(SoundEvent("orders", b"u", orjson.dumps(fields), START + 10 * n))
    return events


def corrupted(faults: list[Fault], rate: float = 0.2) -> list[Arrival]:
    return corrupt(sound_log(), rate, faults, np.random.default_rng(1))


BY_STATISTICS = (Fault.ROBOT, Fault.DECIMAL_SHIFT)


@pytest.mark.parametrize("fault", [each for each in Fault if each not in BY_STATISTICS])
def test_each_fault_is_found_in_all_records_that_have_it_and_in_no_other(fault: Fault) -> None:
    arrivals = corrupted([fault])

    found = detections(arrivals, consume(arrivals, EventSettings()).outcomes)

    assert found == {fault: Detection(injected=120, found=120, others=0)}
    assert (found[fault].precision, found[fault].recall) == (1.0, 1.0)


@pytest.mark.parametrize("fault", BY_STATISTICS)
def test_what_only_statistics_tell_is_found_nearly_always_and_nothing_else_is(fault: Fault) -> None:
    arrivals = corrupt(sound_log(3_000), 0.1, [fault], np.random.default_rng(1))

    found = detections(arrivals, consume(arrivals, EventSettings()).outcomes)[fault]

    assert found.injected == 300
    assert found.precision == 1.0
    assert found.recall >= 0.8


def test_all_faults_have_equal_shares_and_spoil_different_records() -> None:
    faults = [Fault.CUT_OFF, Fault.NO_USER, Fault.MILLISECONDS]

    arrivals = corrupted(faults, rate=0.3)

    assert Counter(each.fault for each in arrivals) == {"": 420} | dict.fromkeys(faults, 60)
    assert sorted(each.row for each in arrivals) == list(range(600))


def test_the_same_seed_draws_the_same_faults() -> None:
    assert corrupted(list(Fault)) == corrupted(list(Fault))


def test_only_orders_with_the_fields_get_the_faults_of_orders() -> None:
    views = [SoundEvent("views", None, each.value, each.time) for each in sound_log()]

    arrivals = corrupt(
        views, 0.2, [Fault.ZERO_PRICE, Fault.RETURNED, Fault.NON_PRODUCT, Fault.QUANTITY], np.random.default_rng(1)
    )

    assert {each.fault for each in arrivals} == {""}


def test_repeats_follow_the_good_record_of_their_event() -> None:
    arrivals = corrupted([Fault.CUT_OFF, Fault.REPEATED])

    repeats = [row for row, each in enumerate(arrivals) if each.fault == Fault.REPEATED]

    first: dict[bytes, int] = {}
    for row, each in enumerate(arrivals):
        first.setdefault(each.value, row)
    assert len(repeats) == 60
    assert all(first[arrivals[row].value] < row for row in repeats)
    assert all(arrivals[row].row == INVENTED for row in repeats)


def test_a_consumer_without_checks_takes_what_parses() -> None:
    broken = {Fault.CUT_OFF, Fault.NO_ITEM, Fault.NO_USER, Fault.WRONG_ENCODING}
    arrivals = corrupted(list(Fault), rate=0.5)

    taken = consume_unchecked(arrivals)

    assert {each.fault for each, is_taken in zip(arrivals, taken.is_taken, strict=True) if not is_taken} == broken
    assert set(taken.outcomes) == {ACCEPTED}


def test_sound_records_that_are_rejected_are_counted() -> None:
    arrivals = corrupted([Fault.CUT_OFF])

    strict = consume(arrivals, EventSettings(quantity_limit=3))

    quarter = sum(not each.fault and orjson.loads(each.value)["quantity"] == 4 for each in arrivals)
    assert rejected_sound(arrivals, strict) == quarter / 480
    assert rejected_sound(arrivals, consume(arrivals, EventSettings())) == 0


def test_every_fault_has_an_outcome() -> None:
    assert set(EXPECTED) == set(Fault)


def test_what_a_perfect_stage_reads_is_true_and_leaves_out_only_what_nobody_can_read() -> None:
    arrivals = corrupted(list(Fault), rate=0.5)

    perfect = perfectly_read(sound_log(), arrivals)

    lost = {each.row for each in arrivals if each.fault in LOST}
    assert [each.row for each in perfect] == list(range(600))
    assert [each.value for each in perfect] == [
        b"" if row in lost else event.value for row, event in enumerate(sound_log())
    ]


def test_mended_events_are_learned_as_they_were() -> None:
    arrivals = corrupted([Fault.MILLISECONDS, Fault.CUT_OFF, Fault.REPEATED])
    sound = consume_unchecked([Arrival(*each, row) for row, each in enumerate(sound_log())])

    mended = consume(arrivals, EventSettings(repair=True))

    assert repair_accuracy(arrivals, mended, sound) == {"milliseconds": 1.0, "cut_off": 0.0}
    assert detections(arrivals, mended.outcomes)["milliseconds"].recall == 1.0
    assert repair_accuracy(arrivals, consume(arrivals, EventSettings()), sound)["milliseconds"] == 0.0
