"""Which events are repeats: the same id with the same content, and no others."""

import pytest
from builders import NOW, Fields, PureWorker, batch, event, without
from hypothesis import given
from hypothesis import strategies as st

from models.contract.events import Kind
from models.contract.identity import identity
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
    outcome = PureWorker().decide(batch(LINE, LINE | {"item_id": "cup-2", "price": 8}, topic="orders"), Kind.ORDER)
    found = [decode_interaction(value).identity for value in outcome.interactions]
    assert found == [identity("order-7001", "u1", "tea-1", 4.5, 1), identity("order-7001", "u1", "cup-2", 8, 1)]


texts = st.text("ab1 \0", min_size=1, max_size=4)
amounts = st.none() | st.floats(0.5, 9, width=16)
contents = st.tuples(texts, texts, texts, amounts, amounts)


@given(contents, contents)
def test_two_events_share_an_identity_only_if_all_is_the_same(
    one: tuple[str, str, str, float | None, float | None], other: tuple[str, str, str, float | None, float | None]
) -> None:
    assert (identity(*one) == identity(*other)) == (one == other)
