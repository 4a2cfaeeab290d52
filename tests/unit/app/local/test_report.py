"""What `headrace run` tells of hidden items."""

from collections import Counter

from app.local.report import _hidden


def test_hidden_items_are_told_by_cause_with_where_to_look() -> None:
    [line] = _hidden(Counter(low_quality=2, unavailable=1_200))
    assert "hidden: 1,202 items" in line
    assert "1,200 unavailable, 2 low_quality" in line
    assert "GET /items/ITEM_ID" in line


def test_without_hidden_items_nothing_is_told() -> None:
    assert list(_hidden(Counter())) == []
