"""Two real Redis servers behind one address, of which the second takes over from the first."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import redis
from lines import Line, line_to
from workers import free_port, until

from app.local.servers import embedded_redis


@dataclass(frozen=True, slots=True)
class Pair:
    """Two servers, and the address that leads to the primary one."""

    line: Line
    first: "redis.Redis"
    second: "redis.Redis"

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.line.port}/0"

    def fail_over(self) -> None:
        """Promote the second server; the first follows it. Open connections stay with the first."""
        self.promote_second()
        self.first.replicaof("127.0.0.1", self.line.target)

    def promote_second(self) -> None:
        """Lead new connections to the second server, which becomes a primary."""
        self.second.replicaof("NO", "ONE")
        self.line.target = int(self.second.connection_pool.connection_kwargs["port"])


@contextmanager
def two_servers(tmp_path: Path) -> Iterator[Pair]:
    with embedded_redis(tmp_path / "first") as first, embedded_redis(tmp_path / "second") as second:
        ports = [int(url.rsplit(":", 1)[1].split("/")[0]) for url in (first, second)]
        with redis.Redis(port=ports[0]) as one, redis.Redis(port=ports[1]) as other:
            other.replicaof("127.0.0.1", ports[0])
            until(lambda: other.info("replication")["master_link_status"] == "up")
            with line_to(ports[0], free_port()) as line:
                yield Pair(line, one, other)
