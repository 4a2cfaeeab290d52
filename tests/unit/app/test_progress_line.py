"""Progress is rewritten in a terminal, and rare elsewhere."""

from io import StringIO

from fakes import ManualClock

from app.progress_line import ProgressLine


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


def test_in_a_terminal_one_line_is_rewritten() -> None:
    clock, stream = ManualClock(100.0), Terminal()
    line = ProgressLine(stream, clock)
    line.show("a thousand")
    clock.now += 0.01
    line.show("too soon")
    clock.now += 0.2
    line.show("two")
    line.close()
    assert stream.getvalue() == "\ra thousand\rtwo       \rtwo\n"


def test_elsewhere_a_line_comes_every_few_seconds_and_at_the_end() -> None:
    clock, stream = ManualClock(100.0), StringIO()
    line = ProgressLine(stream, clock)
    for second in range(12):
        line.show(f"{second} s")
        clock.now += 1
    line.close()
    assert stream.getvalue() == "5 s\n10 s\n11 s\n"


def test_nothing_to_show_writes_nothing() -> None:
    stream = Terminal()
    ProgressLine(stream).close()
    assert stream.getvalue() == ""
