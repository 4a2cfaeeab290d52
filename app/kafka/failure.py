"""What Kafka's failures mean to other rooms, which do not import its client library."""

from collections.abc import Iterator
from contextlib import contextmanager

from aiokafka.errors import KafkaConnectionError, KafkaError  # type: ignore[import-untyped]  # ships no types

from app.errors import HeadraceError


class KafkaAway(HeadraceError):
    """Kafka did not do what it was asked. `reason` is empty where no connection could be made."""

    def __init__(self, error: Exception) -> None:
        super().__init__(repr(error))
        # aiokafka's text for a refused connection only repeats the address, in its own notation.
        self.reason = "" if isinstance(error, KafkaConnectionError) else str(error)


def kafka_retry_errors() -> tuple[type[Exception], ...]:
    """What a broker that is away raises."""
    return (KafkaError, OSError)


@contextmanager
def as_kafka_away() -> Iterator[None]:
    """Raise KafkaAway for what aiokafka raises inside the block: its own errors, OSError, and ValueError."""
    try:
        yield
    except (KafkaError, OSError, ValueError) as error:  # TimeoutError is an OSError; ValueError is a bad address
        raise KafkaAway(error) from error
