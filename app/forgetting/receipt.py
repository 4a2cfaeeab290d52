"""What was erased where, and what is left until retention removes it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class ErasedUser:
    """What the workers erased of one user.

    `answered` are the partitions whose owners did; `left` is the number of entries that Redis has
    of the user now.
    """

    user_id: str
    answered: int
    erased: Mapping[str, int]
    left: int


@dataclass(slots=True)
class TopicState:
    """What became of a topic.

    `erased` is what was done, `refused` why that failed. `left` records mention the users, the
    newest of `newest` (seconds since 1970); None if nobody looked. `gone_by` is when retention has
    removed them; None for never, or where that is not known.
    """

    name: str
    erased: str = ""
    refused: str = ""
    left: int | None = None
    newest: float = 0.0
    gone_by: float | None = None


@dataclass(slots=True)
class Receipt:
    """The receipt of a request; times in seconds since 1970."""

    requested_at: float
    partitions: int
    purge: bool
    users: list[ErasedUser] = field(default_factory=list)
    topics: list[TopicState] = field(default_factory=list)

    @property
    def is_answered(self) -> bool:
        """Whether the owners of all partitions erased every user."""
        return all(user.answered == self.partitions for user in self.users)

    @property
    def is_done(self) -> bool:
        """Whether all is erased that was asked for."""
        stored = any(user.left for user in self.users)
        kept = any(topic.refused for topic in self.topics)
        return self.is_answered and not stored and not (kept or (self.purge and self._is_left))

    @property
    def _is_left(self) -> bool:
        return any(topic.left for topic in self.topics)


def as_json(receipt: Receipt) -> dict[str, Any]:
    """The receipt as JSON."""
    return {
        "done": receipt.is_done,
        "requested_at": _moment(receipt.requested_at),
        "purge": receipt.purge,
        "partitions": receipt.partitions,
        "users": [
            {
                "user_id": user.user_id,
                "partitions_answered": user.answered,
                "erased": dict(user.erased),
                "left_in_redis": user.left,
            }
            for user in receipt.users
        ],
        "topics": [
            {
                "topic": topic.name,
                "erased": topic.erased or None,
                "refused": topic.refused or None,
                "records_left": topic.left,
                "newest": _moment(topic.newest) if topic.newest else None,
                "gone_by": _moment(topic.gone_by) if topic.gone_by else None,
            }
            for topic in receipt.topics
        ],
    }


def as_text(receipt: Receipt) -> Iterator[str]:
    """The receipt for people."""
    for user in receipt.users:
        erased = user.erased
        yield (
            f"{user.user_id}: {erased['profiles']} profile and {erased['lists']} list erased in Redis, "
            f"{erased['sessions']} sessions in the index, {erased['interactions']} interactions marked as forgotten"
        )
        if user.left:
            yield f"    Redis has {user.left} entries of the user: events were processed meanwhile"
    if not receipt.is_answered:
        yield (
            f"Not all of the {receipt.partitions} partitions were answered. The request stays in the topic forget, "
            "and is carried out when a worker reads it: start one, then run the command again for a receipt"
        )
    for topic in receipt.topics:
        yield f"{topic.name:16}{'; '.join(_parts(topic, purge=receipt.purge))}"
    yield "done" if receipt.is_done else "NOT done, see above"


def _parts(topic: TopicState, *, purge: bool) -> Iterator[str]:
    if topic.erased:
        yield topic.erased
    if topic.refused:
        yield f"not erased: {topic.refused}"
    if topic.left is None:
        yield "not searched"
    elif not topic.left:
        yield "nothing left"
    else:
        when = f"retention removes them by {_moment(topic.gone_by)}" if topic.gone_by else "NO retention removes them"
        yield f"{topic.left:,} records left, {when}" + ("" if purge else " (--purge removes them now)")


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
