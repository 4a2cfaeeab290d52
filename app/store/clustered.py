"""What makes a client of one Redis server one of a whole cluster, once the server says that it is a
node of one.
"""

from collections.abc import AsyncIterator, Sequence
from typing import Any, cast

from redis.asyncio import Redis
from redis.exceptions import MovedError
from typing_extensions import override

from app.errors import UnusableSetting
from app.store.cluster import ClusterNodes, in_cluster
from app.store.replica_wait import Node, ReplicaWait
from headrace.slots import Address, Command

# Of a walk through all keys: the number of the node, and Redis' cursor there.
Place = tuple[int, int]
START: Place = (0, 0)


class Clustered(Redis):
    """A client that asks each node of a cluster for what it owns; `exchange_here` asks one
    server.
    """

    _cluster: ClusterNodes | None = None
    _wait: ReplicaWait | None = None

    async def exchange(self, commands: Sequence[Command]) -> list[Any]:
        """The reply to each command; an error reply is an exception among them.

        Raises ConnectionError and TimeoutError. Some of the commands may have been carried out
        then.
        """
        if self._cluster is not None:
            return await self._cluster.exchange(commands) if commands else []
        if self._wait is not None:
            return await self._wait.exchange(self, commands) if commands else []
        replies = await self.exchange_here(commands)
        if any(isinstance(reply, MovedError) for reply in replies):
            return await self.as_cluster().go_on(commands, replies)
        return replies

    async def exchange_here(self, commands: Sequence[Command]) -> list[Any]:
        """As `exchange`, with this server alone, also where it is a node of a cluster.

        The subclass that holds the connections implements it.
        """
        raise NotImplementedError

    async def keys_like(self, pattern: str, at_once: int) -> AsyncIterator[list[bytes]]:
        """Yield all keys that match, some at a time, of all nodes of a cluster; one may come
        twice. Raises RedisError and OSError.
        """
        for node in await self._primaries():
            cursor: str | bytes = "0"
            while True:
                [answer] = await node.exchange_here([("SCAN", cursor, "MATCH", pattern, "COUNT", at_once)])
                if isinstance(answer, Exception):
                    raise answer
                cursor, found = answer
                yield found
                if cursor == b"0":
                    break

    async def some_keys(self, pattern: str, place: Place, at_once: int) -> tuple[list[bytes], Place | None]:
        """Return some keys that match, from `place` on, and the next place; None at the end.

        A key may come twice, and none may come although more follow. Where a primary fails, or the
        cluster changes its size, between two calls, keys may be missing: a place counts the
        primaries by address, and another server's cursors are others. Who needs all keys compares
        `servers` before and after, and begins again at START. Raises RedisError and OSError.
        """
        number, cursor = place
        nodes = await self._primaries()
        if number >= len(nodes):  # the cluster was made smaller
            return [], None
        [answer] = await nodes[number].exchange_here([("SCAN", cursor, "MATCH", pattern, "COUNT", at_once)])
        if isinstance(answer, Exception):
            raise answer
        after, found = int(answer[0]), answer[1]
        if after:
            return found, (number, after)
        return found, (number + 1, 0) if number + 1 < len(nodes) else None

    def with_replicas(self) -> None:
        """Take a write as done once a replica has it: this server's failover must lose nothing."""
        self._wait = ReplicaWait("Redis")

    async def servers(self) -> tuple[tuple[str, str], ...]:
        """Return who holds the keys now: for each primary its run id, and whether it still is one.

        Servers that do not tell are told apart by their number alone. Raises RedisError and
        OSError.
        """
        return tuple([await _identity(node) for node in await self._primaries()])

    def as_cluster(self, *more: Address) -> ClusterNodes:
        """The cluster that this server is a node of; `more` are others of its nodes."""
        if self._cluster is None:
            given = self.connection_pool.connection_kwargs
            if "host" not in given and "path" in given:
                raise UnusableSetting(
                    "HEADRACE_REDIS_URL is the Unix socket of a node of a Redis Cluster; set it to host and port"
                )
            first = (given.get("host", "localhost"), int(given.get("port", 6379)))
            self._cluster = ClusterNodes([first, *more], self._open_node)
        return self._cluster

    def _open_node(self, address: Address) -> Node:
        pool = self.connection_pool
        given = {**pool.connection_kwargs, "host": address[0], "port": address[1]}
        pool_there = type(pool)(connection_class=pool.connection_class, **given)
        return cast(Node, type(self).from_pool(pool_there))

    async def _primaries(self) -> list[Node]:
        if self._cluster is None:
            [info] = await self.exchange_here([("INFO", "cluster")])
            # Who may not ask for INFO is told by MOVED, with the first key.
            if isinstance(info, Exception) or not in_cluster(info):
                return [self]
        return await self.as_cluster().primaries()

    @override
    async def aclose(self, close_connection_pool: bool | None = None) -> None:
        """Close all connections, also those to the other nodes."""
        if self._cluster is not None:
            await self._cluster.aclose()
        await super().aclose(close_connection_pool)


async def _identity(node: Node) -> tuple[str, str]:
    told = await node.exchange_here([("INFO", "server"), ("INFO", "replication")])
    return _told(told[0], "run_id"), _told(told[1], "role")


def _told(info: Any, name: str) -> str:
    if isinstance(info, Exception):  # this user may not ask
        return ""
    lines = bytes(info).decode().splitlines()
    return next((line.partition(":")[2] for line in lines if line.startswith(f"{name}:")), "")
