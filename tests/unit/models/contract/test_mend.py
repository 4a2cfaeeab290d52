"""Events are mended where it is plain what was meant, only if asked, and say so."""

from dataclasses import replace

import orjson
import pytest
from builders import DAY, NOW, Fields, batch, event, without

from models.contract.event_codec import Decoded, EventSettings, decode
from models.contract.events import Kind
from models.contract.mend import EVENT_RULES
from models.contract.outcome import Reason
from models.contract.wire import decode_interaction, encode_interactions

MENDING = replace(EventSettings(), repair=True)


def decoded(value: Fields | bytes, settings: EventSettings = MENDING) -> Decoded:
    return decode(batch(value, topic="orders"), Kind.ORDER, settings)


@pytest.mark.parametrize(
    ("value", "rule", "reason"),
    [
        (event(ts=NOW * 1_000), "time_unit", Reason.FROM_THE_FUTURE),
        (event(ts=NOW * 1e9), "time_unit", Reason.FROM_THE_FUTURE),
        (event(ts=NOW + DAY), "time_of_arrival", Reason.FROM_THE_FUTURE),
        (event(ts=12.0), "time_of_arrival", Reason.TOO_OLD),
        (event(ts="2025-10-09T08:53:20"), "time_of_arrival", Reason.INVALID_TIME),
        (event(price=0), "price_left_out", Reason.ZERO_PRICE),
        (event(price=-2.5), "price_left_out", Reason.NEGATIVE_PRICE),
        (event(quantity=4_006_381_333_931), "quantity_left_out", Reason.IMPLAUSIBLE_QUANTITY),
        (
            orjson.dumps(event(surface="café")).replace("é".encode(), "é".encode("latin-1")),
            "event_encoding",
            Reason.INVALID_UTF8,
        ),
    ],
)
def test_what_is_plain_is_mended_and_noted(value: Fields | bytes, rule: str, reason: Reason) -> None:
    found = decoded(value)

    assert found.rejected == []
    [repair] = found.accepted.repairs[0]
    assert (repair.rule, repair.reason) == (rule, reason)
    assert 0 < repair.confidence <= 1
    assert found.accepted.ts[0] == pytest.approx(NOW, abs=60)
    assert decoded(value, EventSettings()).rejected[0].reason is reason


def test_several_faults_of_one_event_are_mended_together() -> None:
    found = decoded(event(ts=NOW * 1_000, price=-1, quantity=10**12))

    assert [each.rule for each in found.accepted.repairs[0]] == ["time_unit", "price_left_out", "quantity_left_out"]
    assert (found.accepted.events[0].price, found.accepted.events[0].quantity) == (None, None)


@pytest.mark.parametrize(
    "value",
    [without(event(), "user_id"), without(event(), "item_id"), b"{", event(quantity=-1), event("e" * 129), b"\xff"],
)
def test_what_is_not_plain_stays_refused(value: Fields | bytes) -> None:
    assert len(decoded(value).rejected) == 1


def test_an_event_that_stays_refused_has_its_first_reason_and_its_bytes() -> None:
    broken = orjson.dumps(without(event(ts=NOW * 1_000), "item_id"))

    [rejected] = decoded(broken).rejected

    assert (rejected.reason, rejected.value) == (Reason.MISSING_FIELD, broken)


def test_interactions_carry_the_repairs_with_before_and_after() -> None:
    raw = batch(event("a"), event("b", ts=NOW * 1_000), topic="orders")
    accepted = decode(raw, Kind.ORDER, MENDING).accepted

    plain, mended = encode_interactions(accepted, ["s", "s"])

    assert "repairs" not in orjson.loads(plain)
    assert orjson.loads(mended)["repairs"] == [
        {
            "field": "ts",
            "rule": "time_unit",
            "before": repr(str(NOW * 1_000)),
            "after": str(NOW),
            "confidence": 0.99,
            "reason": "from_the_future",
        }
    ]
    assert decode_interaction(mended).ts == NOW


def test_every_rule_is_tried_in_this_file() -> None:
    tried = {"time_unit", "time_of_arrival", "price_left_out", "quantity_left_out", "event_encoding"}
    assert set(EVENT_RULES) == tried
