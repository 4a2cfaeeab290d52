"""A broker behind a link, and a Redis server that can be killed and started again on its port."""

import signal
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import redis
from kafka_lines import running_broker_that_says
from workers import free_port

from app.local import servers as embedded
from app.local.children import start
from chaos.links import Link, Links

STOP_SECONDS = 5.0
FOREVER = ("--appendonly", "yes", "--appendfsync", "always")  # what was acknowledged survives a kill
NEVER = ("--appendonly", "no")


@dataclass(slots=True)
class RedisServer:
    """One Redis server; with `is_persistent` it loses nothing when it is killed."""

    folder: Path
    is_persistent: bool
    stack: ExitStack
    port: int = field(default_factory=free_port)
    starts: int = 0
    _process: "subprocess.Popen[bytes] | None" = None

    def start(self) -> None:
        """Start it, unless it runs; it may need a moment before it answers."""
        if self._process is not None and self._process.poll() is None:
            return
        self.starts += 1
        options = ["--bind", "127.0.0.1", "--port", str(self.port), "--dir", str(self.folder), "--save", ""]
        command = [embedded._redis_binary(), *options, *(FOREVER if self.is_persistent else NEVER)]
        with (self.folder / f"redis-{self.starts}.log").open("wb") as log:
            self._process = start(self.stack, command, stop_seconds=STOP_SECONDS, stdout=log, stderr=subprocess.STDOUT)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def command(self, *words: str | int) -> bool:
        """Send a command; False where the server does not answer."""
        with suppress(redis.RedisError), redis.Redis(port=self.port, socket_timeout=2) as store:
            store.execute_command(*words)
            return True
        return False

    def answers(self) -> bool:
        return self.command("PING")


@dataclass(frozen=True, slots=True)
class Broker:
    """A broker's address; process and link are None for one that runs already, which is left
    alone.
    """

    bootstrap: str
    link: Link | None = None
    process: "subprocess.Popen[bytes] | None" = None

    def pause(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGCONT)


@contextmanager
def broker_behind_a_link(links: Links, folder: Path) -> Iterator[Broker]:
    """An embedded broker that tells its clients the link's port."""
    port = free_port()
    with running_broker_that_says(port, folder) as server:
        broker = Broker(f"127.0.0.1:{port}", links.to(server.port, port), server.process)
        try:
            yield broker
        finally:
            broker.go_on()
