"""Fields in other forms than the contract's: which are understood, and that each is counted."""

from collections import Counter

import pytest
from builders import NOW, Fields, batch, event, without
from msgspec.structs import asdict

from models.contract.coercion import EVENT_FORMS, coerce, plain_number, plain_time
from models.contract.event_codec import EventSettings, check_event, decode
from models.contract.events import Kind
from models.contract.outcome import Reason

SETTINGS = EventSettings()

FORMS: list[tuple[Fields, Fields]] = [
    ({"event_id": 9_007_199_254_740_993}, {"event_id": "9007199254740993"}),
    ({"item_id": 0}, {"item_id": "0"}),
    ({"user_id": -5}, {"user_id": "-5"}),
    ({"session_id": 2**64 - 1}, {"session_id": "18446744073709551615"}),
    ({"request_id": 5}, {"request_id": "5"}),
    ({"price": "12.50"}, {"price": 12.5}),
    ({"price": " 7 "}, {"price": 7}),
    ({"quantity": "2"}, {"quantity": 2}),
    ({"position": "0"}, {"position": 0}),
    ({"ts": "2025-10-09 08:53:20 UTC"}, {"ts": NOW}),
    ({"ts": "2025-10-09T08:53:20.5 utc"}, {"ts": NOW + 0.5}),
    ({"ts": "2025-10-09 10:53:20.0 +0200"}, {"ts": NOW}),
    ({"ts": "2025-10-09 08:53 GMT"}, {"ts": NOW - 20}),
    ({"ts": "1760000000.25"}, {"ts": NOW + 0.25}),
]


@pytest.mark.parametrize(("sent", "meant"), FORMS, ids=lambda value: repr(value)[:40])
def test_another_form_means_the_same_as_the_contract_s_and_is_counted(sent: Fields, meant: Fields) -> None:
    decoded = decode(batch(event(**sent), event(**meant)), Kind.ORDER, SETTINGS)
    assert decoded.rejected == []
    other, agreed = decoded.accepted.events
    assert asdict(other) == asdict(agreed)
    assert decoded.coerced == Counter(list(sent))


@pytest.mark.parametrize(("sent", "meant"), FORMS, ids=lambda value: repr(value)[:40])
def test_where_strictness_is_asked_for_another_form_is_refused(sent: Fields, meant: Fields) -> None:
    decoded = decode(batch(event(**sent), event(**meant)), Kind.ORDER, EventSettings(strict=True))
    [rejected] = decoded.rejected
    assert (rejected.offset, rejected.reason) == (0, Reason.WRONG_TYPE)
    assert all(name in rejected.detail for name in sent)
    assert decoded.coerced == Counter()


def test_the_forms_of_a_rejected_event_are_not_counted() -> None:
    assert decode(batch(event(item_id=5, price=-1)), Kind.ORDER, SETTINGS).coerced == Counter()


def test_an_event_in_the_contract_s_form_is_left_as_it_is() -> None:
    sent = event(price=9.5, quantity=2, session_id="s", surface=None)
    assert coerce(sent, EVENT_FORMS) == (sent, ())
    assert check_event(without(sent, "surface"), Kind.ORDER, NOW) == check_event(sent, Kind.ORDER, NOW)


@pytest.mark.parametrize(
    "text",
    [
        "12,50",
        "1.249,00",
        "1 249.00",
        "$12.50",
        "12.50 EUR",
        "1e3",
        "NaN",
        "inf",
        "",
        "-",
        ".5",
        "5.",
        "1_000",
        "٣",
        "0x1",
    ],
)
def test_a_text_that_is_no_plain_number_stays_a_text(text: str) -> None:
    assert plain_number(text) == text


@pytest.mark.parametrize("text", ["12,50", " 1.249,00", "-0,5"])
def test_a_decimal_comma_is_refused_with_the_way_out(text: str) -> None:
    [rejected] = decode(batch(event(price=text)), Kind.ORDER, SETTINGS).rejected
    assert rejected.reason is Reason.WRONG_TYPE
    assert "write a decimal point" in rejected.detail


@pytest.mark.parametrize(
    "text",
    ["2025-10-09 08:53:20", "20251009", "2025-10-09 08:53:20 CEST", "09.10.2025 08:53 UTC", "08:53:20 UTC", "UTC", ""],
)
def test_a_time_that_is_not_certain_stays_a_text(text: str) -> None:
    assert plain_time(text) == text
