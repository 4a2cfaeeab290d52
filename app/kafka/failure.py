"""Turns Kafka's failures into errors for other rooms, which do not import its client library."""

from collections.abc import Iterator
from contextlib import contextmanager

from aiokafka.errors import KafkaConnectionError, KafkaError  # type: ignore[import-untyped]  # ships no types

from app.errors import HeadraceError


class KafkaAway(HeadraceError):
    """Kafka did not answer or refused. `reason` is empty when no connection could be made."""

    def __init__(self, error: Exception) -> None:
        super().__init__(repr(error))
        # For a refused connection, aiokafka's text only repeats the address in its own notation.
        self.reason = "" if isinstance(error, KafkaConnectionError) else str(error)


def kafka_retry_errors() -> tuple[type[Exception], ...]:
    """Return the errors that aiokafka raises while the broker is away."""
    return (KafkaError, OSError)


@contextmanager
def as_kafka_away() -> Iterator[None]:
    """Raise KafkaAway for aiokafka's own errors, OSError and ValueError inside the block."""
    try:
        yield
    # TimeoutError is an OSError; ValueError is a bad address
    except (KafkaError, OSError, ValueError) as error:
        raise KafkaAway(error) from error
