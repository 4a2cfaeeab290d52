"""Real Sentinels that watch a primary and its replicas, all from the embedded server's binary."""

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import redis
from workers import free_port, until

from app.local.children import start
from app.local.servers import _redis_binary

NAME = "shop-lists"
SENTINELS, SERVERS, QUORUM = 3, 3, 2
DOWN_AFTER_MILLISECONDS = 1_000
STOP_SECONDS = 5.0
# What docs/operations.md allows a client of the Sentinels.
SENTINEL_RIGHTS = ("resetchannels", "-@all", "+ping", "+hello", "+client|setinfo", "+sentinel|masters")


@dataclass(frozen=True, slots=True)
class WatchedServer:
    """One process that speaks Redis' protocol: a server or a Sentinel."""

    port: int
    process: "subprocess.Popen[bytes]"
    client: "redis.Redis"

    def ask(self, *words: object) -> Any:
        return self.client.execute_command(*words)  # type: ignore[no-untyped-call]  # redis-py has no types here

    def kill(self) -> None:
        """End it as a power failure would."""
        self.process.kill()
        self.process.wait()


@dataclass(frozen=True, slots=True)
class RedisSentinels:
    """The servers, of which the first is the primary at the start, and those that watch them."""

    servers: list[WatchedServer]
    sentinels: list[WatchedServer]

    @property
    def hosts(self) -> str:
        return ",".join(f"127.0.0.1:{each.port}" for each in self.sentinels)

    @property
    def url(self) -> str:
        return f"redis+sentinel://{self.hosts}/{NAME}/0"

    def primary(self) -> WatchedServer:
        """The server that most Sentinels name now."""
        found = [int(each.ask("SENTINEL", "GET-MASTER-ADDR-BY-NAME", NAME)[1]) for each in self._living_sentinels()]
        named = max(set(found), key=found.count)
        return next(each for each in self.servers if each.port == named)

    def get(self, key: str) -> Any:
        """What the primary holds; None where it does not answer."""
        with suppress(redis.RedisError):
            return self.primary().ask("GET", key)
        return None

    def url_of(self, user: str, password: str, rights: Sequence[str], sentinel_password: str) -> str:
        """The address for a user who may do this and no more, on all servers and Sentinels."""
        for each in self.servers:
            each.ask("ACL", "SETUSER", user, *rights)
        for each in self.sentinels:
            each.ask("ACL", "SETUSER", user, "on", f">{sentinel_password}", *SENTINEL_RIGHTS)
        login = f"?sentinel_username={user}&sentinel_password={sentinel_password}"
        return self.url.replace("//", f"//{user}:{password}@", 1) + login

    def refused(self) -> list[object]:
        """Which commands and keys a user was not allowed, on those that live."""
        living = [each for each in (*self.servers, *self.sentinels) if each.process.poll() is None]
        return [entry for each in living for entry in each.client.acl_log()]

    def _living_sentinels(self) -> list[WatchedServer]:
        return [each for each in self.sentinels if each.process.poll() is None]


@contextmanager
def redis_sentinels(folder: Path) -> Iterator[RedisSentinels]:
    """Run them until the block ends, once all Sentinels know of each other and of the replicas."""
    with ExitStack() as stack:
        primary, *others = (free_port() for _ in range(SERVERS))
        servers = [_server(stack, folder / "server-0", primary, 0)]
        servers += [_server(stack, folder / f"server-{row}", port, primary) for row, port in enumerate(others, 1)]
        until(lambda: all(_follows(each) for each in servers[1:]))
        sentinels = [_sentinel(stack, folder / f"sentinel-{row}", free_port(), primary) for row in range(SENTINELS)]
        until(lambda: all(map(_knows_all, sentinels)))
        yield RedisSentinels(servers, sentinels)


def _server(stack: ExitStack, folder: Path, port: int, primary: int) -> WatchedServer:
    options = {
        "bind": "127.0.0.1",
        "port": port,
        "save": "",
        "repl-diskless-sync-delay": 0,
        "repl-ping-replica-period": 1,
        "dir": folder,
    }
    words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
    words += ["--replicaof", f"127.0.0.1 {primary}"] if primary else []
    return _started(stack, folder, port, words)


def _sentinel(stack: ExitStack, folder: Path, port: int, primary: int) -> WatchedServer:
    folder.mkdir(parents=True)
    settings = folder / "sentinel.conf"
    settings.write_text(
        f"port {port}\nbind 127.0.0.1\ndir {folder}\n"
        f"sentinel monitor {NAME} 127.0.0.1 {primary} {QUORUM}\n"
        f"sentinel down-after-milliseconds {NAME} {DOWN_AFTER_MILLISECONDS}\n"
        f"sentinel failover-timeout {NAME} 5000\n"
    )
    return _started(stack, folder, port, [str(settings), "--sentinel"])


def _started(stack: ExitStack, folder: Path, port: int, words: Sequence[str]) -> WatchedServer:
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "redis.log").open("wb") as log:
        command = [_redis_binary(), *words]
        process = start(stack, command, stop_seconds=STOP_SECONDS, stdout=log, stderr=subprocess.STDOUT)
    client = stack.enter_context(redis.Redis(port=port))
    until(lambda: _answers(client))
    return WatchedServer(port, process, client)


def _answers(client: "redis.Redis") -> bool:
    with suppress(redis.ConnectionError):
        return bool(client.ping())
    return False


def _follows(server: WatchedServer) -> bool:
    return bool(server.client.info("replication").get("master_link_status") == "up")


def _knows_all(sentinel: WatchedServer) -> bool:
    # redis-py sorts a Sentinel's answer into a dictionary.
    known = cast(dict[str, dict[str, int]], sentinel.client.sentinel_masters())[NAME]
    return known["num-other-sentinels"] == SENTINELS - 1 and known["num-slaves"] == SERVERS - 1
