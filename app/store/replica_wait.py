"""Waits until a replica has a write, so that a failover of its primary loses nothing."""

import asyncio
import logging
from collections.abc import Sequence
from typing import Protocol

from headrace.slots import Command, Replies

READS = frozenset(
    {"GET", "HGET", "HMGET", "HGETALL", "EXISTS", "SMEMBERS", "ZREVRANGE", "ZSCORE", "SCAN", "VSIM", "VCARD"}
    | {"PING", "TIME", "INFO", "COMMAND", "CLUSTER", "ECHO"}
)
REPLICA_MILLISECONDS = 1_000
# A primary whose replicas did not answer in time is not waited for again so soon.
DOUBT_SECONDS = 5.0

logger = logging.getLogger(__name__)


class Node(Protocol):
    """One server with its connections."""

    async def exchange_here(self, commands: Sequence[Command]) -> Replies:
        """The reply to each command, of this server. Raises ConnectionError and TimeoutError."""

    async def aclose(self) -> None:
        """Close all connections."""


class ReplicaWait:
    """Asks a primary to answer a write once a replica has it."""

    def __init__(self, primary: str) -> None:
        """`primary` is how the log names it."""
        self._primary = primary
        self._doubted_until = 0.0

    async def exchange(self, node: Node, commands: Sequence[Command]) -> Replies:
        """The reply to each command. Writes are answered once a replica has them, or after a
        second.
        """
        if self._doubted_until > asyncio.get_running_loop().time() or all(each[0] in READS for each in commands):
            return await node.exchange_here(commands)
        *replies, replicas = await node.exchange_here([*commands, ("WAIT", 1, REPLICA_MILLISECONDS)])
        if not isinstance(replicas, int) or replicas < 1:
            self._doubt()
        return replies

    def _doubt(self) -> None:
        logger.warning(
            "no replica of %s had a write within %g s; if this primary fails now, its last writes are lost",
            self._primary,
            REPLICA_MILLISECONDS / 1000,
        )
        self._doubted_until = asyncio.get_running_loop().time() + DOUBT_SECONDS
