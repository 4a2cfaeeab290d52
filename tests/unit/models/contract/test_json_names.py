"""Item ids as JSON strings, made for many at once."""

from itertools import pairwise

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.contract.json_names import JsonNames
from models.vocabulary import Vocabulary

UNUSUAL = ["a", '"', '","', ",", "\\", '\\","', "", "é€", "\n", ",,", '",', ',"']


def quoted(names: JsonNames) -> list[bytes]:
    text, starts = names.catch_up()
    joined, edges = text.tobytes(), starts.tolist()
    return [joined[a:b] for a, b in pairwise(edges)][: len(names.vocabulary)]


@given(st.lists(st.lists(st.sampled_from(UNUSUAL) | st.text(alphabet='a,"\\', max_size=4), max_size=6), max_size=4))
def test_every_name_is_the_json_string_of_it_however_many_came_at_once(steps: list[list[str]]) -> None:
    vocabulary = Vocabulary()
    names = JsonNames(vocabulary)
    for step in steps:
        vocabulary.numbers(step)
        assert quoted(names) == [orjson.dumps(name) for name in vocabulary.names]


@pytest.mark.parametrize("name", UNUSUAL)
def test_an_unusual_name_between_others_moves_none_of_them(name: str) -> None:
    vocabulary = Vocabulary()
    vocabulary.numbers(["x", name, "y"])
    assert quoted(JsonNames(vocabulary)) == [orjson.dumps(each) for each in vocabulary.names]
