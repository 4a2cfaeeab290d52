"""A line that is logged over and over is logged a few times, and counted."""

import logging

import orjson
import pytest

from app.logs import FIRST_LINES, IN_HAND, REPEAT_SECONDS, JsonFormatter, RepeatFilter


class Log:
    """A handler's filter with its own clock, and the lines that it passed."""

    def __init__(self) -> None:
        self.now = 100.0
        self.lines: list[str] = []
        self.filter = RepeatFilter(lambda: self.now)

    def say(self, message: str, *args: object, name: str = "aiokafka", level: int = logging.WARNING) -> None:
        record = logging.LogRecord(name, level, "", 0, message, args, None)
        if self.filter.filter(record):
            self.lines.append(record.getMessage())


@pytest.fixture
def log() -> Log:
    return Log()


def test_a_repeated_warning_is_let_through_a_few_times_and_then_counted(log: Log) -> None:
    for _ in range(100):
        log.say("node %s does not answer", 1)
    assert log.lines == ["node 1 does not answer"] * FIRST_LINES
    log.now += REPEAT_SECONDS
    log.say("node %s does not answer", 2)
    left_out = 100 - FIRST_LINES
    assert log.lines[FIRST_LINES:] == [f"node 2 does not answer (and {left_out} more like this, left out)"]


def test_what_goes_on_is_told_of_once_in_a_while(log: Log) -> None:
    for _ in range(1000):
        log.say("away")
        log.now += REPEAT_SECONDS / 120  # a number without rounding
    assert log.lines[FIRST_LINES] == f"away (and {120 - FIRST_LINES} more like this, left out)"
    assert log.lines[FIRST_LINES + 1 :] == ["away (and 119 more like this, left out)"] * 7


def test_after_a_while_without_repeats_nothing_was_left_out(log: Log) -> None:
    log.say("once")
    log.now += REPEAT_SECONDS
    log.say("once")
    assert log.lines == ["once", "once"]


def test_lines_of_other_people_differ_by_their_words_and_ours_by_their_arguments_too(log: Log) -> None:
    for number in range(10):
        log.say("node %s is away", number)
        log.say("%s is away", number, name="app.retry")
    assert [line for line in log.lines if "node" in line] == ["node 0 is away", "node 1 is away", "node 2 is away"]
    assert [line for line in log.lines if "node" not in line] == [f"{number} is away" for number in range(10)]


def test_info_lines_are_never_left_out(log: Log) -> None:
    for _ in range(10):
        log.say("saved", level=logging.INFO)
    assert log.lines == ["saved"] * 10


def test_a_percent_sign_in_a_line_with_a_count_is_no_format(log: Log) -> None:
    for _ in range(5):
        log.say("%s full", "100 %")
    log.now += REPEAT_SECONDS
    log.say("%s full", "100 %")
    assert log.lines[-1] == "100 % full (and 2 more like this, left out)"


def test_a_line_of_json_names_the_batches_that_its_task_has_in_hand() -> None:
    record = logging.LogRecord("app.retry", logging.WARNING, "", 0, "Redis is away", (), None)
    formatter = JsonFormatter(lambda text: text)
    assert "batches" not in orjson.loads(formatter.format(record))
    token = IN_HAND.set([("views", 3, 120, 40)])
    try:
        line = orjson.loads(formatter.format(record))
    finally:
        IN_HAND.reset(token)
    assert line["batches"] == [{"topic": "views", "partition": 3, "offset": 120, "records": 40}]
