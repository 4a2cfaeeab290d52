"""Runs a Redis server that lets in only a user with the rights that docs/operations.md names."""

import re
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import redis
from certificates import Certificates
from workers import free_port, until

from app.local.children import start
from app.local.servers import _redis_binary

OPERATIONS = Path(__file__).parents[1] / "docs" / "operations.md"
USER, PASSWORD = "shop", "ses#ame/open"
QUOTED = "ses%23ame%2Fopen"
STOP_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class SecuredRedis:
    """`url` is that of the user with few rights; `admin` may do everything."""

    url: str
    admin: "redis.Redis"

    def refused(self) -> list[str]:
        """Which commands and keys the user was not allowed."""
        log: list[dict[str, Any]] = list(self.admin.acl_log())
        return [f"{each['reason']} {each['object']} in {each['context']}" for each in log]


def rights(prefix: str, *, vectors: bool, cluster: bool = False) -> list[str]:
    """The rights of the user, as docs/operations.md has them."""
    text = OPERATIONS.read_text(encoding="utf-8")
    lines = re.findall(r"^ACL SETUSER headrace (.*)$", text, re.MULTILINE)
    assert len(lines) == 3, "one line for every Redis, one for Redis 8, one for a cluster"
    words = lines[0].split() + (lines[1].split() if vectors else []) + (lines[2].split() if cluster else [])
    changed = {"~hr:*": f"~{prefix}*", ">PASSWORD": f">{PASSWORD}"}
    return [changed.get(word, word) for word in words]


def server_with_tls() -> str:
    """A server of this machine that speaks TLS, as the embedded one does not; empty without one."""
    return shutil.which("redis-server") or ""


@contextmanager
def redis_on_a_socket(folder: Path, prefix: str) -> Iterator[SecuredRedis]:
    """The embedded server on a Unix socket, not on any port."""
    path = folder / "redis.sock"
    command = [_redis_binary(), "--port", "0", "--unixsocket", str(path), "--dir", str(folder), "--save", ""]
    with _running(command, folder), redis.Redis(unix_socket_path=str(path)) as admin:
        until(lambda: path.exists() and admin.ping() is True)
        admin.execute_command("ACL", "SETUSER", USER, *rights(prefix, vectors=True))
        yield SecuredRedis(f"unix://{USER}:{QUOTED}@{path}?db=0", admin)


@contextmanager
def redis_over_tls(folder: Path, prefix: str, made: Certificates) -> Iterator[SecuredRedis]:
    """A server that speaks TLS only, and asks for a client's certificate."""
    port = free_port()
    files = {
        "tls-port": str(port),
        "tls-cert-file": str(made.server),
        "tls-key-file": str(made.server_key),
        "tls-ca-cert-file": str(made.ca),
        "tls-auth-clients": "yes",
        "dir": str(folder),
    }
    words = [word for name, value in files.items() for word in (f"--{name}", value)]
    options = {"ssl_ca_certs": made.ca, "ssl_certfile": made.client, "ssl_keyfile": made.client_key}
    query = "&".join(f"{name}={value}" for name, value in options.items())
    with _running([server_with_tls(), "--port", "0", "--save", "", *words], folder):
        until(lambda: _listens(port))
        with redis.Redis.from_url(f"rediss://localhost:{port}/0?{query}") as admin:
            admin.execute_command("ACL", "SETUSER", USER, *rights(prefix, vectors=False))
            yield SecuredRedis(f"rediss://{USER}:{QUOTED}@localhost:{port}/0?{query}", admin)


@contextmanager
def _running(command: list[str], folder: Path) -> Iterator[None]:
    with ExitStack() as stack, (folder / "redis.log").open("wb") as log:
        start(stack, command, stop_seconds=STOP_SECONDS, stdout=log, stderr=subprocess.STDOUT)
        yield


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True
