"""A real Redis Cluster: three primaries with a replica each, from the embedded server."""

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import redis
from workers import free_port, until

from app.local.children import start
from app.local.servers import _redis_binary
from headrace.slots import SLOTS, slot_of

PRIMARIES = 3
NODE_TIMEOUT_MILLISECONDS = 1_500
STOP_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class ClusterNode:
    """One server of a cluster."""

    port: int
    process: "subprocess.Popen[bytes]"
    client: "redis.Redis"

    def ask(self, *words: object) -> Any:
        return self.client.execute_command(*words)  # type: ignore[no-untyped-call]  # redis-py has no types here


@dataclass(frozen=True, slots=True)
class RedisCluster:
    """The nodes: first the primaries, then a replica of each, in the same order."""

    nodes: list[ClusterNode]

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.nodes[0].port}/0"

    def owner(self, key: str) -> ClusterNode:
        """The node that owns the key now, as a node says that lives."""
        living = next(node for node in self.nodes if node.process.poll() is None)
        for first, last, (_, port, *_), *_ in living.ask("CLUSTER", "SLOTS"):
            if first <= slot_of(key) <= last:
                return next(node for node in self.nodes if node.port == port)
        raise AssertionError(f"nobody owns the slot of {key}")

    def get(self, key: str) -> Any:
        return self.owner(key).ask("GET", key)

    def url_of(self, user: str, password: str, rights: Sequence[str]) -> str:
        """The address for a user who may do this and no more, on each node."""
        for node in self.nodes:
            node.ask("ACL", "SETUSER", user, *rights)
        return self.url.replace("//", f"//{user}:{password}@")

    def refused(self) -> list[object]:
        """Which commands and keys a user was not allowed, on the nodes that live."""
        return [each for node in self.nodes if node.process.poll() is None for each in node.client.acl_log()]

    def kill(self, node: ClusterNode) -> None:
        """End it as a power failure would."""
        node.process.kill()
        node.process.wait()


@contextmanager
def redis_cluster(folder: Path) -> Iterator[RedisCluster]:
    """Run six servers until the block ends, once they agree on who owns what."""
    ports = [(free_port(), free_port()) for _ in range(2 * PRIMARIES)]
    with ExitStack() as stack:
        nodes = [_node(stack, folder / f"node-{number}", ports, number) for number in range(2 * PRIMARIES)]
        until(lambda: all(map(_is_well, nodes)))
        yield RedisCluster(nodes)


def _node(stack: ExitStack, folder: Path, ports: Sequence[tuple[int, int]], number: int) -> ClusterNode:
    folder.mkdir(parents=True)
    # All of them know each other from the start, as after a restart.
    (folder / "nodes.conf").write_text(_known_nodes(ports, number))
    options = {
        "bind": "127.0.0.1",
        "port": ports[number][0],
        "cluster-port": ports[number][1],
        "cluster-enabled": "yes",
        "cluster-node-timeout": NODE_TIMEOUT_MILLISECONDS,
        "cluster-allow-replica-migration": "no",
        "save": "",
        "repl-diskless-sync-delay": 0,
        "repl-ping-replica-period": 1,  # a replica counts once it has heard of its primary
        "dir": folder,
    }
    words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
    with (folder / "redis.log").open("wb") as log:
        process = start(
            stack, [_redis_binary(), *words], stop_seconds=STOP_SECONDS, stdout=log, stderr=subprocess.STDOUT
        )
    client = stack.enter_context(redis.Redis(port=ports[number][0]))
    return ClusterNode(ports[number][0], process, client)


def _known_nodes(ports: Sequence[tuple[int, int]], myself: int) -> str:
    bounds = [SLOTS * number // PRIMARIES for number in range(PRIMARIES + 1)]
    lines = []
    for number, (port, bus) in enumerate(ports):
        primary = number % PRIMARIES
        role = "master -" if number == primary else f"slave {primary:040x}"
        flags = f"myself,{role}" if number == myself else role
        slots = f" {bounds[number]}-{bounds[number + 1] - 1}" if number == primary else ""
        lines.append(f"{number:040x} 127.0.0.1:{port}@{bus} {flags} 0 0 {primary + 1} connected{slots}\n")
    return "".join(lines) + f"vars currentEpoch {PRIMARIES} lastVoteEpoch 0\n"


def _is_well(node: ClusterNode) -> bool:
    """Whether it is up, takes writes, and knows a replica that follows of each primary."""
    try:
        state, rows = node.ask("CLUSTER", "INFO"), node.ask("CLUSTER", "SLOTS")
        link = node.client.info("replication").get("master_link_status", "up")
    except redis.ConnectionError:
        return False
    return b"cluster_state:ok" in state and link == "up" and [len(row) for row in rows] == [4] * PRIMARIES
