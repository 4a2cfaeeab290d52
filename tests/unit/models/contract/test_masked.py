"""No id of a person is shown of a record, and everything else of it is."""

import base64
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.contract.masked import MOST_BYTES, SHOWN, masked_json, shown_key, shown_value


def named(user: str) -> str:
    return f"<{len(user)}>"


def test_ids_of_users_and_sessions_are_replaced_and_the_rest_stays() -> None:
    value = b'{"user_id":"ada","session_id":"s-1","item_id":"i1","price":-1}'
    assert shown_value(value, b"ada", named) == '{"user_id":"<3>","session_id":"<11>","item_id":"i1","price":-1}'


def test_ids_are_replaced_in_envelopes_as_numbers_and_where_they_stand_alone() -> None:
    value = b'[{"after":{"user_id":4217,"note":"4217"}},{"buyer":"ada"}]'
    assert shown_value(value, b"ada", named) == '[{"after":{"user_id":"<4>","note":"<4>"}},{"buyer":"<3>"}]'


NOT_UNDERSTOOD = {
    "nothing": None,
    "csv": b"1,ada,view",
    "xml": b"<order user='ada'/>",
    "bytes": b"\x00\x01ada",
    "empty": b"",
    "cut off": b'{"user_id":"ada","item_id":',
    "python": b"{'user_id': 'ada'}",
    "bare names": b'{user_id: "ada"}',
    "utf-16": '{"user_id":"ada"}'.encode("utf-16"),
    "utf-16 without a mark": '{"user_id":"ada"}'.encode("utf-16-le"),
    "a mark of utf-8": b'\xef\xbb\xbf{"user_id":"ada"}',
    "a name twice": b'{"user_id":"ada","user_id":"bob","buyer":"ada"}',
    "no number": b'{"user_id":NaN}',
    "half a character": b'{"title":"\\ud800"}',
    "python in a text": orjson.dumps({"payload": "{'user_id': 'ada'}"}),
    "a query in a text": orjson.dumps({"url": "https://shop.example/?userId=ada"}),
    "a query in a name": orjson.dumps({"user_id=ada": 1}),
    "base64 of no JSON": orjson.dumps({"data_base64": base64.b64encode(b"user_id=ada").decode()}),
    "too deep": b"[" * 90 + b'{"user_id":"ada"}' + b"]" * 90,
    "far too deep": b"[" * 90_000 + b"]" * 90_000,
    "too long": b'{"user_id":"ada","x":"' + b"x" * MOST_BYTES + b'"}',
    "too many values": orjson.dumps({"user_id": "ada", "x": list(range(20_000))}),
    "too many ids": orjson.dumps([{"user_id": f"ada-{number}"} for number in range(20)]),
}


@pytest.mark.parametrize("value", NOT_UNDERSTOOD.values(), ids=NOT_UNDERSTOOD)
def test_what_is_not_understood_is_not_shown(value: bytes | None) -> None:
    assert shown_value(value, b"ada", named) is None


def test_an_empty_id_is_shown_as_the_fault_that_it_is() -> None:
    value = b'{"user_id":"","session_id":"","item_id":"i1"}'
    assert shown_value(value, b"", named) == value.decode()
    assert shown_key(b"", names_user=True, named=named) == ""


def test_everything_below_a_field_of_a_person_is_a_pseudonym() -> None:
    value = orjson.dumps({"userId": {"id": "ada", "likes": [7, True, None, ""]}, "session_id": 12.5})
    assert shown_value(value, None, named) == (
        '{"userId":{"id":"<3>","<5>":["<1>","<4>",null,""]},"session_id":"<12>"}'
    )


def test_an_id_is_found_as_a_number_as_a_name_and_within_a_text() -> None:
    value = orjson.dumps({"user_id": "4217", "n": 4217, "f": 4217.0, "by": {"4217": 1}, "note": "for 4217!", "m": 42})
    assert shown_value(value, None, named) == (
        '{"user_id":"<4>","n":"<4>","f":"<4>","by":{"<4>":1},"note":"<4>","m":42}'
    )


def test_a_short_id_is_found_as_a_word_only() -> None:
    value = orjson.dumps({"user_id": "ada", "title": "Canada", "note": "by ada."})
    assert shown_value(value, None, named) == '{"user_id":"<3>","title":"Canada","note":"<3>"}'


def test_json_behind_the_prefix_of_a_registry_is_shown() -> None:
    assert shown_value(b'\0\0\0\0\7{"user_id":"ada"}', None, named) == '{"user_id":"<3>"}'


def test_a_long_value_is_cut() -> None:
    shown = shown_value(orjson.dumps({"item_id": "x" * 9_000}), None, named)
    assert shown is not None
    assert len(shown) == SHOWN


def test_a_key_is_replaced_only_if_it_names_a_user() -> None:
    assert shown_key(b"i1", names_user=False, named=named) == "i1"
    assert shown_key(b"ada", names_user=True, named=named) == "<3>"
    assert shown_key(None, names_user=True, named=named) is None


ID, NUMBER = "qz-secret-77", 918_273_645
FIELDS = ["user_id", "session_id", "userId", "userID", "sessionId", "USER_ID", "user-id"]
WRAPPED: dict[str, Callable[[Any], Any]] = {
    "as it is": lambda record: record,
    "a text": lambda record: orjson.dumps(record).decode(),
    "connect": lambda record: {"schema": None, "payload": record},
    "connect's text": lambda record: {"payload": orjson.dumps(record).decode()},
    "a text in a text": lambda record: {"payload": orjson.dumps(orjson.dumps(record).decode()).decode()},
    "debezium": lambda record: {"op": "c", "before": None, "after": record},
    "cloud event": lambda record: {"specversion": "1.0", "data": record},
    "base64": lambda record: {"data_base64": base64.b64encode(orjson.dumps(record)).decode()},
}
HELD: list[Callable[[Any], Any]] = [
    lambda planted: planted,
    lambda planted: [planted],
    lambda planted: {"id": planted},
    lambda planted: {str(planted): True},
    lambda planted: {"value": [{"id": planted}]},
    lambda planted: orjson.dumps({"id": planted}).decode(),
]
ELSEWHERE = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-9, 9)
    | st.floats(-9, 9)
    | st.sampled_from([ID, NUMBER, float(NUMBER), str(NUMBER), f"of {ID}.", f'{{"by":"{ID}"}}', f"[{NUMBER}]", "lamp"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([ID, str(NUMBER), "a"]), inner, max_size=3)
    ),
    max_leaves=8,
)


@pytest.mark.parametrize("planted", [ID, NUMBER, str(NUMBER)])
@given(
    field=st.sampled_from(FIELDS),
    held=st.sampled_from(HELD),
    wraps=st.lists(st.sampled_from(list(WRAPPED.values())), max_size=3),
    inner=ELSEWHERE,
    outer=ELSEWHERE,
)
def test_an_id_is_nowhere_in_what_is_shown(
    planted: Any, field: str, held: Callable[[Any], Any], wraps: list[Callable[[Any], Any]], inner: Any, outer: Any
) -> None:
    record: Any = {"x": inner, field: held(planted), "item_id": "lamp"}
    for wrap in wraps:
        record = wrap(record)
    # The record has the planted id only: another one elsewhere in it names nobody.
    value = orjson.dumps({"outer": outer, "record": record})
    shown = masked_json(value, None, named)
    assert shown is not None
    assert str(planted) not in shown
    assert str(planted) not in "".join(texts_in_base64(shown))


def texts_in_base64(shown: str) -> Iterator[str]:
    for found in re.findall(r"[A-Za-z0-9+/]{16,}=*", shown):
        with suppress(ValueError):
            text = base64.b64decode(found, validate=True).decode()
            yield from (text, *texts_in_base64(text))
