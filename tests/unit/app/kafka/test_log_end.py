"""The end of a partition is the higher one of what the broker answers and what a fetch reports."""

import pytest

from app.kafka.log_end import true_end


@pytest.mark.parametrize(
    ("answered", "fetched", "end"),
    [
        (3, None, 3),  # nothing was fetched yet
        (1, 5, 5),  # the answer is too low: the embedded broker
        (7, 5, 7),  # records were added after the fetch
        (0, 0, 0),
    ],
)
def test_the_higher_of_the_two_ends_is_the_true_one(answered: int, fetched: int | None, end: int) -> None:
    assert true_end(answered, fetched) == end
