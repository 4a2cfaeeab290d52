"""Conversations with Redis: each yields commands a round trip at a time, and ends with its answer.

They never touch Redis themselves: the look-up process (async) and the shop's client (sync) run the
same code.
"""

from collections.abc import Generator, Iterable, Sequence
from typing import Any, TypeVar

from headrace.errors import HeadraceError, UnreadableAnswer
from headrace.refusals import refuses, translate

Command = tuple[str | int, ...]
T = TypeVar("T")
Question = Generator[list[Command], list[Any], T]

# Without an answer when the item has no vector, or Redis no vector sets.
MAY_FAIL = frozenset({"VSIM"})


def checked(commands: Sequence[Command], replies: Sequence[Any]) -> list[Any]:
    """The replies, None for a command that may fail and did.

    A refusal stays among them; any other error is raised, as it is about all of them.
    """
    pairs = list(zip(commands, replies, strict=True))
    for command, reply in pairs:
        if isinstance(reply, Exception) and command[0] not in MAY_FAIL and not refuses(reply):
            raise reply
    return [None if isinstance(reply, Exception) and command[0] in MAY_FAIL else reply for command, reply in pairs]


def alone(question: Question[T]) -> Question[T]:
    """The answer to a question that ends with the first refusal. Raises it."""
    try:
        commands = next(question)
        while True:
            replies = yield commands
            for reply in replies:
                if isinstance(reply, Exception):
                    raise reply
            commands = question.send(replies)
    except StopIteration as done:
        answer: T = done.value
        return answer


def together(questions: Iterable[Question[T]]) -> Question[list[T | HeadraceError]]:
    """The answers to several questions, in their order, in as many round trips as the longest one
    takes; an error in place of the answer that cannot be read.

    A command that several of them ask for is asked once: what they read is the same for all.
    """
    asking = list(questions)
    waiting: dict[int, list[Command]] = {}
    answered: dict[int, T | HeadraceError] = {}
    heard: dict[int, list[Any] | None] = dict.fromkeys(range(len(asking)))
    while heard:
        for number, replies in heard.items():
            refusal = next((each for each in replies or () if isinstance(each, Exception)), None)
            if refusal is not None:
                answered[number] = translate(refusal)
                continue
            try:
                waiting[number] = next(asking[number]) if replies is None else asking[number].send(replies)
            except StopIteration as done:
                answered[number] = done.value
            except UnreadableAnswer as unreadable:
                answered[number] = unreadable
        commands = list(dict.fromkeys(each for asked in waiting.values() for each in asked))
        if not commands:
            break
        found = dict(zip(commands, (yield commands), strict=True))
        heard = {number: [found[each] for each in asked] for number, asked in waiting.items()}
        waiting = {}
    return [answered[number] for number in range(len(asking))]
