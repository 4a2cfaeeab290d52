"""The shop's way to Redis, without asyncio: many commands in one round trip to each node."""

from collections.abc import Sequence
from typing import Any

from redis import ConnectionPool, Redis
from redis.exceptions import ConnectionError, MovedError, NoPermissionError, RedisError

from app.store.packed import DEMOTED
from app.store.slots import Address, Command, Conversation, Replies, SlotMap, converse, is_unsettled


class BlockingRedis:
    """A server, or all nodes of its cluster once it said that it is one; threads may share it."""

    def __init__(self, pool: ConnectionPool, more: Sequence[Address] = ()) -> None:
        """`more` are other nodes of the cluster."""
        given = pool.connection_kwargs
        self._pool = pool
        self._first: Address = (given.get("host", "localhost"), int(given.get("port", 6379)))
        self._nodes: dict[Address, Redis] = {self._first: Redis.from_pool(pool)}
        self._slots = SlotMap([self._first, *more])
        self._is_cluster = self._stale = bool(more)

    def exchange(self, commands: Sequence[Command]) -> Replies:
        """The reply to each command; an error reply is an exception among them.

        Raises RedisError and OSError where a node does not answer.
        """
        if self._stale:
            self._learn()
        if self._is_cluster:
            return self._drive(converse(commands, self._slots))
        replies = self._ask(self._first, commands)
        if any(isinstance(reply, MovedError) for reply in replies):
            self._is_cluster = self._stale = True
            self._learn()
            return self._drive(converse(commands, self._slots))
        return replies

    def close(self) -> None:
        """Close the pooled connections; later commands open new ones."""
        for node in list(self._nodes.values()):
            node.close()

    def _drive(self, conversation: Conversation) -> Replies:
        try:
            asked = next(conversation)
            while True:
                asked = conversation.send({node: self._ask(node, sent) for node, sent in asked.items()})
        except StopIteration as done:
            replies: Replies = done.value
            return replies

    def _ask(self, address: Address, commands: Sequence[Command]) -> list[Any]:
        node = self._node(address)
        try:
            with node.pipeline(transaction=False) as pipeline:
                for command in commands:
                    pipeline.execute_command(*command)  # type: ignore[no-untyped-call]  # redis-py has no types here
                replies = pipeline.execute(raise_on_error=False)
        except (RedisError, OSError):
            self._stale = self._is_cluster
            self._slots.avoid(address)
            raise
        if any(isinstance(reply, DEMOTED) for reply in replies):
            node.connection_pool.disconnect(inuse_connections=False)
        self._stale = self._stale or (self._is_cluster and any(map(is_unsettled, replies)))
        return replies

    def _node(self, address: Address) -> Redis:
        if address not in self._nodes:
            given = {**self._pool.connection_kwargs, "host": address[0], "port": address[1]}
            pool = type(self._pool)(connection_class=self._pool.connection_class, **given)
            self._nodes[address] = Redis.from_pool(pool)
        return self._nodes[address]

    def _learn(self) -> None:
        fault: Exception = ConnectionError("no node of the Redis Cluster answers")
        for address in list(self._slots.nodes):
            try:
                [answer] = self._ask(address, [("CLUSTER", "SLOTS")])
            except (RedisError, OSError) as error:
                fault = error
                continue
            if isinstance(answer, NoPermissionError):
                raise answer
            if isinstance(answer, Exception):
                fault = answer
            elif self._slots.learn(answer, address):
                self._stale = False
                return
        raise fault
