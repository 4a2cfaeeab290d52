"""One server, or all nodes of its cluster once it said that it is one, without touching Redis.

The client and the asynchronous one run the same conversation, and ask each node for what it names.
"""

from collections.abc import Sequence

from redis.exceptions import ConnectionError, MovedError, ResponseError

from headrace.refusals import DEMOTED
from headrace.slots import Address, Command, Conversation, Replies, SlotMap, converse, is_unsettled


class Nodes:
    """What is known of the nodes. Every answer may be the exception with which a node failed."""

    def __init__(self, first: Address, more: Sequence[Address] = ()) -> None:
        """`more` are other nodes of the cluster."""
        self._first = first
        self._slots = SlotMap([first, *more])
        self._is_cluster = self._stale = bool(more)

    def exchange(self, commands: Sequence[Command]) -> Conversation:
        """Return the reply to each command; an error reply is an exception among them.

        Raises what a node failed with.
        """
        if self._stale:
            yield from self._learn()
        if not self._is_cluster:
            replies = self._heard(self._first, (yield {self._first: list(commands)})[self._first])
            if not any(isinstance(reply, MovedError) for reply in replies):
                return replies
            self._is_cluster = self._stale = True
            yield from self._learn()
        conversation = converse(commands, self._slots)
        try:
            asked = next(conversation)
            while True:
                answers = yield asked
                asked = conversation.send({node: self._heard(node, each) for node, each in answers.items()})
        except StopIteration as done:
            found: Replies = done.value
            return found

    def _heard(self, node: Address, answer: Replies | Exception) -> Replies:
        if isinstance(answer, Exception):
            self._stale = self._is_cluster
            self._slots.avoid(node)
            raise answer
        self._stale = self._stale or (self._is_cluster and any(map(is_unsettled, answer)))
        return answer

    def _learn(self) -> Conversation:
        fault: Exception = ConnectionError("no node of the Redis Cluster answers")
        for node in list(self._slots.nodes):
            answer = (yield {node: [("CLUSTER", "SLOTS")]})[node]
            if isinstance(answer, Exception):
                self._slots.avoid(node)
                fault = answer
                continue
            [found] = answer
            if isinstance(found, ResponseError):  # no right to ask, or no cluster
                raise found
            if isinstance(found, Exception):
                fault = found
            elif self._slots.learn(found, node):
                self._stale = False
                return []
        raise fault


def is_demoted(replies: Sequence[object]) -> bool:
    """Whether the server said that it is no primary any more: pooled connections lead to it too."""
    return any(isinstance(reply, DEMOTED) for reply in replies)
