"""Texts that show nothing, and texts that need what cannot be seen."""

import pytest

from models.contract.visible import is_visible


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "\t\n", "\x00\x7f", "\u00a0", "\u200b\u200b", "\ufeff", "\u200e\u200f", "\u2060", "\u00ad", "\u3000",
        "\u3164", "\u115f\u1160", "\uffa0", "\u2800", "\u180e", "\u034f", "\ufe0f", "\u2028", "\U000e0001", "\u0301",
    ],
    ids=ascii,
)  # fmt: skip
def test_what_nobody_sees_is_not_visible(text: str) -> None:
    assert not is_visible(text)


@pytest.mark.parametrize(
    "text",
    [
        "a", "7", "?", "é", "商品", "\u0645\u06cc\u200c\u062e\u0648", "\U0001f469\u200d\U0001f467", "\u200bTea",
    ],
    ids=ascii,
)  # fmt: skip
def test_what_shows_anything_is_visible(text: str) -> None:
    assert is_visible(text)
