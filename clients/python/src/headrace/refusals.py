"""What the failures of Redis mean, the same for the look-up process and the shop's client."""

from typing import TypedDict

from redis.backoff import NoBackoff
from redis.exceptions import (
    AskError,
    AuthenticationError,
    ClusterDownError,
    MasterDownError,
    NoPermissionError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisError,
    ResponseError,
    TryAgainError,
)

from headrace.errors import HeadraceError, StoreAway, UnreadableAnswer, in_words

# What a server says that is no primary any more, or not one yet: the same address may lead to
# another by now.
DEMOTED = (ReadOnlyError, MasterDownError)
# Refusals that pass by themselves; redis-py has no classes for the last three. A cluster that still
# redirects after some rounds is changing.
PASSING = (OutOfMemoryError, ReadOnlyError, TryAgainError, ClusterDownError, AskError)  # MovedError is an AskError
PASSING_TEXTS = ("BUSY Redis", "MISCONF ", "NOREPLICAS ")


class Timeouts(TypedDict):
    """The keyword arguments that bound each step of a Redis call, in seconds."""

    socket_timeout: float
    socket_connect_timeout: float


RETRIES = 1  # a pooled connection may have died since its last use; a fresh one is worth one try
PAUSE_BETWEEN_RETRIES = NoBackoff()
BAD_OPTION = "an option after the ? has a value that cannot be read"
ADDRESS = "the client's argument, or HEADRACE_REDIS_URL of a command"


def timeouts(seconds: float) -> Timeouts:
    """Bound connecting and answering alike."""
    return {"socket_timeout": seconds, "socket_connect_timeout": seconds}


def translate(error: Exception) -> HeadraceError:
    """The error that callers see. Its text never holds the Redis URL, which may carry a
    password.
    """
    if isinstance(error, RedisError) and refuses(error):
        return UnreadableAnswer(f"Redis refused the look-up: {in_words(error)}. {advice(error)}")
    if isinstance(error, AuthenticationError):
        return StoreAway(
            f"Redis does not let us in: {in_words(error)}. Are user and password in the address right ({ADDRESS})?"
        )
    return StoreAway(f"Redis does not answer: {in_words(error)}. Is it up, is the address right ({ADDRESS})?")


def refuses(error: Exception) -> bool:
    """Whether Redis understood the command and would not carry it out the next time either."""
    if not isinstance(error, ResponseError) or isinstance(error, PASSING):
        return False
    return not any(text in str(error) for text in PASSING_TEXTS)


def advice(error: Exception) -> str:
    """What to do about a refusal that does not pass."""
    if isinstance(error, NoPermissionError):
        return "Give this user the rights that docs/operations.md lists."
    if "cluster support disabled" in str(error):
        return "Only the nodes of a Redis Cluster may be several hosts in HEADRACE_REDIS_URL: name one."
    return "Does another program use the same HEADRACE_REDIS_PREFIX?"
