"""Several look-ups at once: the answers of each alone, in fewer round trips."""

from collections.abc import Sequence
from typing import Any

from headrace.conversations import Command, Question, T, together


class Echo:
    """Answers each command with itself, and keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[Sequence[Command]] = []

    def answer(self, question: Question[T]) -> T:
        replies: list[Any] | None = None
        try:
            while True:
                commands = next(question) if replies is None else question.send(replies)
                self.asked.append(commands)
                replies = ["".join(map(str, each)) for each in commands]
        except StopIteration as done:
            answer: T = done.value
            return answer


def question(*rounds: tuple[str, ...]) -> Question[list[str]]:
    """Return a question that asks for these names, a tuple of them a round trip."""
    heard: list[str] = []
    for names in rounds:
        heard += yield [("GET", name) for name in names]
    return heard


def test_each_answer_is_the_one_that_it_would_be_alone() -> None:
    asked = [(("a", "b"), ("c",)), (("d",),), (), (("a",), ("e", "a"), ("f",))]
    alone = [Echo().answer(question(*rounds)) for rounds in asked]
    assert Echo().answer(together(question(*rounds) for rounds in asked)) == alone


def test_the_round_trips_are_those_of_the_longest_and_a_command_is_asked_once() -> None:
    echo = Echo()
    echo.answer(together([question(("a", "b"), ("c",)), question(("b",)), question(("b", "d"))]))
    assert echo.asked == [[("GET", "a"), ("GET", "b"), ("GET", "d")], [("GET", "c")]]


def test_no_questions_need_no_round_trip() -> None:
    echo = Echo()
    assert echo.answer(together([])) == []
    assert echo.asked == []
