"""The nodes of a Redis Cluster behind one client: asks each for what it owns, and follows them when
they change.

A write is answered once a replica has it, so that the failover of a primary loses nothing.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from redis.exceptions import ConnectionError, RedisError, ResponseError

from app.store.replica_wait import Node, ReplicaWait
from headrace.slots import Address, Command, Conversation, Replies, SlotMap, converse, is_unsettled


class ClusterNodes:
    """All nodes that are known, each with its own connections; opened when first needed."""

    def __init__(self, first: Sequence[Address], open_node: Callable[[Address], Node]) -> None:
        """`first` are the nodes to ask for the others, at least one."""
        self.slots = SlotMap(list(first))
        self._open = open_node
        self._nodes: dict[Address, Node] = {}
        self._stale = True
        self._learning: asyncio.Task[None] | None = None
        self._waits: dict[Address, ReplicaWait] = {}

    async def exchange(self, commands: Sequence[Command]) -> Replies:
        """The reply to each command; an error reply is an exception among them.

        Raises ConnectionError and TimeoutError where a node does not answer, NoPermissionError for
        a user who may not ask where the slots are. Some of the commands may have been carried out
        then.
        """
        await self._be_sure()
        conversation = converse(commands, self.slots)
        return await self._drive(conversation, next(conversation))

    async def go_on(self, commands: Sequence[Command], heard: Replies) -> Replies:
        """Go on where the first node, asked for all, has answered so.

        Only what it did not carry out is sent again.
        """
        # Another exchange may have learned the owners since: that one node was asked for all.
        conversation = converse(commands, SlotMap(self.slots.first[:1]))
        [node] = next(conversation)
        return await self._drive(conversation, conversation.send({node: heard}))

    async def primaries(self) -> list[Node]:
        """The nodes that own slots. Raises as `exchange`."""
        await self._be_sure()
        return [self._node(address) for address in self.slots.primaries()]

    async def aclose(self) -> None:
        """Close the connections to all nodes."""
        if self._learning is not None:
            self._learning.cancel()
            await asyncio.wait([self._learning])
        for node in self._nodes.values():
            await node.aclose()
        self._nodes.clear()

    async def _drive(self, conversation: Conversation, asked: Mapping[Address, list[Command]]) -> Replies:
        try:
            while True:
                asked = conversation.send(await self._ask(asked))
        except StopIteration as done:
            replies: Replies = done.value
            return replies

    async def _ask(self, asked: Mapping[Address, list[Command]]) -> dict[Address, Replies]:
        calls = [self._ask_node(address, commands) for address, commands in asked.items()]
        answers = [await calls[0]] if len(calls) == 1 else await asyncio.gather(*calls, return_exceptions=True)
        found: dict[Address, Replies] = {}
        for address, answer in zip(asked, answers, strict=True):
            if isinstance(answer, BaseException):
                raise answer
            found[address] = answer
        return found

    async def _ask_node(self, address: Address, commands: list[Command]) -> Replies:
        node, wait = self._node(address), self._waits[address]
        try:
            if address in self.slots.replicated:
                replies = await wait.exchange(node, commands)
            else:
                replies = await node.exchange_here(commands)
        except (RedisError, OSError):
            self._stale = True
            self.slots.avoid(address)
            raise
        if any(map(is_unsettled, replies)):
            self._stale = True
        return replies

    async def _be_sure(self) -> None:
        if not self._stale:
            return
        if self._learning is None:
            self._learning = asyncio.create_task(self._learn())
            self._learning.add_done_callback(self._learned)
        # Shared by all who need it: one that gives up does not take it away from the others.
        await asyncio.shield(self._learning)

    def _learned(self, learning: "asyncio.Task[None]") -> None:
        self._learning = None
        if not learning.cancelled():
            learning.exception()  # whoever waits gets it; if nobody does, it is no news

    async def _learn(self) -> None:
        fault: Exception = ConnectionError("no node of the Redis Cluster is known")
        for address in list(self.slots.nodes):
            try:
                [answer] = await self._node(address).exchange_here([("CLUSTER", "SLOTS")])
            except (RedisError, OSError) as error:
                fault = error
                self.slots.avoid(address)
                continue
            if isinstance(answer, ResponseError):  # no right to ask, or no cluster
                raise answer
            if isinstance(answer, Exception):
                fault = answer
                continue
            if self.slots.learn(answer, address):
                self._stale = False
                await self._leave_strangers()
                return
        raise fault

    async def _leave_strangers(self) -> None:
        for address in self._nodes.keys() - set(self.slots.nodes):
            await self._nodes.pop(address).aclose()

    def _node(self, address: Address) -> Node:
        if address not in self._nodes:
            self._nodes[address] = self._open(address)
            self._waits[address] = ReplicaWait("{}:{}".format(*address))
        return self._nodes[address]


def in_cluster(reply: Any) -> bool:
    """Whether this reply to INFO is a cluster's node's."""
    return "cluster_enabled:1" in (reply.decode(errors="replace") if isinstance(reply, bytes) else str(reply))
