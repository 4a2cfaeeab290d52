"""Which events are repeats: the same id with the same content, and no others."""

import struct
from math import nan

import pytest
from builders import NOW, Fields, PureWorker, batch, event, without
from hypothesis import given
from hypothesis import strategies as st
from xxhash import xxh64_intdigest

from models.contract.event_codec import EventSettings, decode
from models.contract.events import Kind
from models.contract.identity import identities
from models.contract.typed_event import EventRecord
from models.contract.wire import decode_interaction

LINE = event("order-7001", item_id="tea-1", price=4.5, quantity=1)


@pytest.mark.parametrize(
    "other",
    [{"item_id": "cup-2"}, {"user_id": "u2"}, {"price": 4.0}, {"price": None}, {"quantity": 2}, {"quantity": None}],
    ids=repr,
)
def test_an_event_under_a_known_id_with_other_content_is_learned(other: Fields) -> None:
    outcome = PureWorker().decide(batch(LINE, LINE | other, topic="orders"), Kind.ORDER)
    assert (outcome.accepted, outcome.duplicates, outcome.rejected) == (2, 0, [])


@pytest.mark.parametrize(
    "again",
    [{}, {"ts": NOW + 60}, {"price": 4.50, "quantity": 1.0}, {"surface": "basket"}, {"price": "4.50"}],
    ids=repr,
)
def test_a_retry_that_is_stamped_or_written_anew_counts_once(again: Fields) -> None:
    outcome = PureWorker().decide(batch(LINE, LINE | again, topic="orders"), Kind.ORDER)
    assert (outcome.accepted, outcome.duplicates) == (1, 1)


def test_a_guest_s_repeat_is_told_by_the_session() -> None:
    guest = without(LINE, "user_id") | {"session_id": "s1"}
    outcome = PureWorker().decide(batch(guest, guest, guest | {"session_id": "s2"}), Kind.VIEW)
    assert (outcome.accepted, outcome.duplicates) == (2, 1)


def test_a_basket_under_one_id_is_bought_whole_and_its_repeat_counts_once() -> None:
    worker = PureWorker()
    lines = [
        LINE | {"item_id": item, "price": price} for item, price in (("tea-1", 4.5), ("cup-2", 8.0), ("spoon-3", 2))
    ]
    outcome = worker.decide(batch(*lines, lines[0], topic="orders"), Kind.ORDER)
    assert (outcome.accepted, outcome.duplicates) == (3, 1)
    assert {seen.item_id for seen in outcome.profiles["u1"].bought} == {"tea-1", "cup-2", "spoon-3"}


def test_the_log_tells_the_same_events_apart_as_the_stream() -> None:
    lines = [LINE, LINE | {"item_id": "cup-2", "price": 8}]
    sent = decode(batch(*lines, topic="orders"), Kind.ORDER, EventSettings()).accepted.identities
    emitted = PureWorker().decide(batch(*lines, topic="orders"), Kind.ORDER).interactions
    read = [decode_interaction(value) for value in emitted]
    assert identities(read, [each.user_id for each in read]).tolist() == sent.tolist()


texts = st.text("ab1é\0", min_size=1, max_size=40)
amounts = st.none() | st.floats(0.5, 9, width=16)
contents = st.tuples(texts, texts, texts, amounts, amounts)
Content = tuple[str, str, str, float | None, float | None]


def numbers(*of: Content) -> list[int]:
    """What tells these events apart: ids of event, user and item, price and quantity of each."""
    events = [
        EventRecord(event_id, item_id, NOW, price=price, quantity=quantity)
        for event_id, _, item_id, price, quantity in of
    ]
    found: list[int] = identities(events, [user_id for _, user_id, *_ in of]).tolist()
    return found


@given(contents, contents)
def test_two_events_share_a_number_only_if_all_is_the_same(one: Content, other: Content) -> None:
    [first, second] = numbers(one, other)
    assert (first == second) == (one == other)


@given(st.lists(contents, max_size=5))
def test_the_number_is_the_xxh64_of_each_field_with_the_hash_before_it_as_seed(events: list[Content]) -> None:
    assert numbers(*events) == [naive(*each) for each in events]


def naive(event_id: str, user_id: str, item_id: str, price: float | None, quantity: float | None) -> int:
    key = 0
    for text in (event_id, user_id, item_id):
        key = xxh64_intdigest(text.encode(), seed=key)
    if price is None and quantity is None:
        return key
    return xxh64_intdigest(struct.pack("<2d", *(nan if each is None else each for each in (price, quantity))), seed=key)
