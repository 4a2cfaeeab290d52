"""No id of a person is shown of a record, and everything else of it is."""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.contract.masked import SHOWN, shown_key, shown_value


def named(user: str) -> str:
    return f"<{len(user)}>"


def test_ids_of_users_and_sessions_are_replaced_and_the_rest_stays() -> None:
    value = b'{"user_id":"ada","session_id":"s-1","item_id":"i1","price":-1}'
    assert shown_value(value, b"ada", named) == '{"user_id":"<3>","session_id":"<11>","item_id":"i1","price":-1}'


def test_ids_are_replaced_in_envelopes_as_numbers_and_where_they_stand_alone() -> None:
    value = b'[{"after":{"user_id":4217,"note":"4217"}},{"buyer":"ada"}]'
    assert shown_value(value, b"ada", named) == '[{"after":{"user_id":"<4>","note":"<4>"}},{"buyer":"<3>"}]'


@pytest.mark.parametrize(
    "value", [b'{"user_id":"ada-lovelace","item_id":', b'{"user_id": "ada-lovelace', b'{"a":"ada-lovelace","x"}']
)
def test_ids_are_replaced_in_json_that_is_broken(value: bytes) -> None:
    shown = shown_value(value, b"ada-lovelace", named)
    assert shown is not None
    assert "ada-lovelace" not in shown
    assert "<12>" in shown


@pytest.mark.parametrize("value", [None, b"1,ada,view", b"<order user='ada'/>", b"\x00\x01ada", b""])
def test_what_does_not_begin_like_json_is_not_shown(value: bytes | None) -> None:
    assert shown_value(value, b"ada", named) is None


def test_a_long_value_is_cut() -> None:
    shown = shown_value(orjson.dumps({"item_id": "x" * 9_000}), None, named)
    assert shown is not None
    assert len(shown) == SHOWN


def test_a_deep_value_is_shown_to_a_depth() -> None:
    deep = b"[" * 900 + b"]" * 900
    assert (shown_value(deep, None, named) or "").count("[") < 30


def test_a_key_is_replaced_only_if_it_names_a_user() -> None:
    assert shown_key(b"i1", names_user=False, named=named) == "i1"
    assert shown_key(b"ada", names_user=True, named=named) == "<3>"
    assert shown_key(None, names_user=True, named=named) is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.sampled_from(["secret-1", "other"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["user_id", "session_id", "a"]), inner, max_size=3)
    ),
)


@given(JSON.map(lambda inner: {"user_id": "secret-1", "x": inner}))
def test_an_id_is_found_at_no_depth(value: object) -> None:
    assert "secret-1" not in (shown_value(orjson.dumps(value), None, named) or "")
