"""Texts as one array of bytes, whatever they hold."""

from hypothesis import given
from hypothesis import strategies as st

from models.contract.joined import JoinedTexts

texts = st.lists(st.text("aé\0", max_size=3), max_size=5)


@given(texts)
def test_each_text_is_found_again(given_texts: list[str]) -> None:
    assert JoinedTexts.of(given_texts).each() == [text.encode() for text in given_texts]


@given(texts, st.data())
def test_others_are_compared_one_by_one(given_texts: list[str], data: st.DataObject) -> None:
    others = [data.draw(st.sampled_from([text.encode(), None, b"a"])) for text in given_texts]
    expected = [(other or b"") == text.encode() for other, text in zip(others, given_texts, strict=True)]
    assert JoinedTexts.of(given_texts).equal(others).tolist() == expected


def test_texts_that_hold_the_separator_are_not_taken_for_others() -> None:
    assert JoinedTexts.of(["a\0b", "c"]).equal([b"a", b"b\0c"]).tolist() == [False, False]
    assert JoinedTexts.of(["a", "b"]).equal([b"a\0b", b""]).tolist() == [False, False]
