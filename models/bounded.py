"""Work in bounded steps: a generator that yields after each, so that its caller may do other things
meanwhile.
"""

from collections.abc import Generator, Iterator
from typing import TypeVar

T = TypeVar("T")


def run_through(work: Generator[None, None, T]) -> T:
    """Do all steps at once. Returns the result of the work."""
    while True:
        try:
            next(work)
        except StopIteration as done:
            result: T = done.value
            return result


def parts(count: int, at_once: int) -> Iterator[slice]:
    """Slices of at most `at_once` > 0 that cover `count` places in their order."""
    return (slice(first, min(first + at_once, count)) for first in range(0, count, at_once))
