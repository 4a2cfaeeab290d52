"""What `headrace run` tells of hidden items, and of its servers."""

from collections import Counter

from app.local.report import _exports, _hidden


def test_hidden_items_are_told_by_cause_with_where_to_look() -> None:
    [line] = _hidden(Counter(low_quality=2, unavailable=1_200))
    assert "hidden: 1,202 items" in line
    assert "1,200 unavailable, 2 low_quality" in line
    assert "GET /items/ITEM_ID" in line


def test_without_hidden_items_nothing_is_told() -> None:
    assert list(_hidden(Counter())) == []


def test_a_line_for_a_shell_leads_other_commands_to_the_servers() -> None:
    [line] = _exports("127.0.0.1:9", "redis://127.0.0.1:8/0")
    assert line.endswith("export HEADRACE_KAFKA_BOOTSTRAP=127.0.0.1:9 HEADRACE_REDIS_URL=redis://127.0.0.1:8/0")


def test_no_line_for_a_shell_shows_a_password() -> None:
    assert list(_exports("127.0.0.1:9", "redis://:sesame@127.0.0.1:8/0")) == []
