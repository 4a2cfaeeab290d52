"""What other programs read: interactions, as the contract writes them."""

import numpy as np
import orjson
import pytest
from builders import NOW, Fields, interaction, without

from models.contract.events import Kind
from models.contract.interactions import Interactions
from models.contract.typed_event import EventRecord
from models.contract.wire import WITH_CARTS, Learned, decode_interaction, decode_log, encode_interactions


def two_orders() -> Interactions:
    return Interactions.of(
        "orders-3",
        Kind.ORDER,
        np.array([7, 9]),
        np.array([NOW, NOW]),
        [
            EventRecord("e1", "i1", NOW - 2.5, "u1", price=9.5, quantity=2, currency="EUR"),
            EventRecord("e2", "i2", NOW - 1, "u2", "s2"),
        ],
    )


def test_an_interaction_carries_its_session_its_source_and_what_else_was_said() -> None:
    first, second = encode_interactions(two_orders(), ["u1@1", "s2"])
    assert orjson.loads(first) == {
        "event_id": "e1",
        "user_id": "u1",
        "item_id": "i1",
        "kind": "order",
        "ts": NOW - 2.5,
        "session_id": "u1@1",
        "source": "orders-3",
        "offset": 7,
        "price": 9.5,
        "quantity": 2,
        "currency": "EUR",
    }
    assert orjson.loads(second)["offset"] == 9


def test_only_the_chosen_rows_are_written() -> None:
    [value] = encode_interactions(two_orders().only(np.array([False, True])), ["s2"])
    assert orjson.loads(value)["event_id"] == "e2"


def test_what_was_written_can_be_read_back() -> None:
    first, _ = encode_interactions(two_orders(), ["u1@1", "s2"])
    assert decode_interaction(first) == Learned("e1", "u1", "i1", "order", NOW - 2.5, "u1@1", "orders-3", 7, 9.5, 2)


def test_only_a_cart_says_that_it_is_of_the_second_format() -> None:
    cart = Interactions.of(
        "carts-0", Kind.CART, np.array([4]), np.array([NOW]), [EventRecord("e1", "i1", NOW, "u1", "s1")]
    )
    [value] = encode_interactions(cart, ["s1"])
    assert (orjson.loads(value)["kind"], orjson.loads(value)["format"]) == ("cart", WITH_CARTS)
    assert decode_interaction(value) == Learned("e1", "u1", "i1", "cart", NOW, "s1", "carts-0", 4, format=2)
    assert b"format" not in b"".join(encode_interactions(two_orders(), ["u1@1", "s2"]))


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"{",
        b"[1]",
        b"17",
        b"null",
        {},
        *(without(interaction(), name) for name in interaction()),
        *(interaction() | {name: None} for name in interaction()),
        interaction(kind="poke"),
        interaction(kind=["view"]),
        interaction(event_id=1),
        interaction(user_id=1),
        interaction(item_id=["i1"]),
        interaction(session_id=5),
        interaction(source=["views-0"]),
        interaction(ts="NaN"),
        interaction(ts="inf"),
        interaction(ts=[1]),
        interaction() | {"offset": -1},
        interaction() | {"offset": 1e30},
        interaction() | {"offset": "7"},
        interaction() | {"offset": 7.5},
        interaction() | {"offset": 2**63},
    ],
    ids=lambda value: "".join(repr(value).split("'e0', 'user_id': 'u1'"))[-90:],
)
def test_what_headrace_did_not_write_is_a_value_error(value: Fields | bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        decode_interaction(value if isinstance(value, bytes) else orjson.dumps(value))


def test_a_time_in_whole_seconds_is_a_time() -> None:
    assert decode_interaction(orjson.dumps(interaction(ts=int(NOW)))).ts == NOW


def test_a_log_is_read_as_its_interactions_are() -> None:
    first, second = encode_interactions(two_orders(), ["u1@1", "s2"])
    assert decode_log([first, second]) == [decode_interaction(first), decode_interaction(second)]
    assert decode_log([]) == []


@pytest.mark.parametrize("stranger", [None, b"", b"{}", b"17", b"\xff", b"[" * 100_000, b"\n", b" "])
def test_what_another_program_wrote_hides_nothing_beside_it(stranger: bytes | None) -> None:
    first, second = encode_interactions(two_orders(), ["u1@1", "s2"])
    assert decode_log([first, stranger, second]) == [decode_interaction(first), None, decode_interaction(second)]


def test_line_breaks_within_values_move_nothing() -> None:
    """Two interactions in one value are none, though their lines and an empty value beside them add
    up.
    """
    first, second = encode_interactions(two_orders(), ["u1@1", "s2"])
    assert decode_log([first + b"\n" + second, b"", second]) == [None, None, decode_interaction(second)]
    pretty = orjson.dumps(orjson.loads(first), option=orjson.OPT_INDENT_2)
    assert decode_log([pretty, second]) == [decode_interaction(first), decode_interaction(second)]
