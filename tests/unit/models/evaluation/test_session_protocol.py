"""Split sessions into those to learn from and those to predict."""

import pytest

from models.evaluation.session_protocol import Case, Visit, fault_of, read_lines, split_by_column, split_by_time, walk


def row(session: str, item: str, ts: str, split: str = "") -> dict[str, str]:
    return {"session_id": session, "item_id": item, "ts": ts, "split": split}


def test_a_case_knows_the_current_and_the_distinct_recent_items() -> None:
    case = list(walk(["a", "b", "a", "c"]))[-1]

    assert case == Case(("a", "b", "a"), "c")
    assert case.current == "a"
    assert case.recent == ["a", "b"]


def test_a_session_of_one_item_asks_nothing() -> None:
    assert list(walk(["a"])) == []


def test_the_split_column_decides_and_time_orders() -> None:
    rows = [
        row("2", "y", "5", "test"),
        row("1", "b", "2", "train"),
        row("1", "a", "1", "train"),
        row("3", "v", "9", "valid"),
        row("2", "x", "4", "test"),
        row("3", "w", "10", "valid"),
    ]

    experiment = split_by_column(rows)

    assert experiment.train == [Visit("1", "a", 1.0), Visit("1", "b", 2.0)]
    assert experiment.cases == [Case(("x",), "y")]
    assert split_by_column(rows, test="valid").cases == [Case(("v",), "w")]


def test_a_session_under_way_at_the_split_is_learnt_from_but_not_asked_about() -> None:
    rows = [row("1", "a", "1"), row("1", "b", "11"), row("2", "x", "10"), row("2", "y", "12")]

    experiment = split_by_time(rows, since=10)

    assert experiment.train == [Visit("1", "a", 1.0)]
    assert experiment.cases == [Case(("x",), "y")]


def test_without_session_ids_half_an_hour_of_silence_ends_a_session() -> None:
    rows = [
        {"user_id": user, "item_id": item, "ts": ts}
        for user, item, ts in (("u", "c", 4000), ("u", "a", 100), ("v", "x", 1000), ("u", "b", 1900), ("u", "d", 5800))
    ]

    experiment = split_by_time(rows, since=4000)

    assert experiment.train == [
        Visit("u@100.000", "a", 100, "u"),
        Visit("v@1000.000", "x", 1000, "v"),
        Visit("u@100.000", "b", 1900, "u"),
    ]
    assert experiment.cases == [Case(("c",), "d")]


def test_a_time_may_have_a_zone() -> None:
    rows = [{"session_id": "s", "item_id": "a", "ts": "1970-01-01T01:00:10+01:00"}]

    assert split_by_time(rows, since=11).train == [Visit("s", "a", 10.0)]


def test_lines_are_read_in_their_order_and_empty_ones_count_for_nothing() -> None:
    experiment = read_lines(["a b\n", "\n", "b\r\n"], ["a  b\tc\n", "\n"])

    assert experiment.train == [Visit("1", "a", 0.0), Visit("1", "b", 1.0), Visit("3", "b", 2.0)]
    assert experiment.cases == [Case(("a", "b"), "c")]


@pytest.mark.parametrize("line", ["a b", "\tc", "a\t", "a\tb c", " \t "])
def test_a_case_of_another_form_is_named(line: str) -> None:
    if not line.strip():
        assert read_lines([], [line]).cases == []
        return
    with pytest.raises(ValueError, match="case 2"):
        read_lines([], ["a\tb", line])


@pytest.mark.parametrize(
    "bad",
    [
        {"session_id": "1", "item_id": "a"},
        {"item_id": "a", "ts": "1"},
        {"session_id": "1", "item_id": "a", "ts": "2020-06-01T00:00:00"},
        {"session_id": "1", "item_id": 7, "ts": 1},
        {"session_id": "1", "item_id": "a", "ts": True},
        row("1", "a", "yesterday"),
        row("1", "a", "nan"),
        row("", "a", "1"),
        row("1", "", "1"),
    ],
)
def test_a_row_that_lacks_a_value_is_named(bad: dict[str, object]) -> None:
    assert "needs item_id" in str(fault_of(bad))
    with pytest.raises(ValueError, match="needs item_id"):
        split_by_time([row("1", "a", "1"), bad], since=0)


def test_a_row_that_has_what_it_needs_has_no_fault() -> None:
    assert fault_of(row("1", "a", "1")) is None
