"""A start that compiles says so; one that finds compiled code says nothing."""

import logging
from collections.abc import Iterator
from threading import Event

import pytest
from typing_extensions import override

from app.worker.compiling import told_if_slow


class Told(logging.Handler):
    """Keeps the first message, and sets `event` then."""

    def __init__(self) -> None:
        super().__init__()
        self.event, self.said = Event(), ""

    @override
    def emit(self, record: logging.LogRecord) -> None:
        self.said = record.getMessage()
        self.event.set()


@pytest.fixture
def told() -> Iterator[Told]:
    handler = Told()
    logger = logging.getLogger("app.worker.compiling")
    logger.addHandler(handler)
    yield handler
    logger.removeHandler(handler)


def test_a_slow_block_is_told_of_while_it_runs(told: Told) -> None:
    with told_if_slow(0.0):
        assert told.event.wait(10)
    assert "compiling the numerical code" in told.said


def test_a_fast_block_is_not_told_of(told: Told) -> None:
    with told_if_slow(3_600):
        pass
    assert told.said == ""
