"""Runs the embedded broker and Redis so that a folder keeps what they hold.

The embedded broker has no files of its own. It can store its records in S3, so a small S3 server
(nanio) on that folder stands behind it. Each batch of records is a file: slower than memory, and
for trying out.
"""

import fcntl
import secrets
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from pathlib import Path

from app.errors import HeadraceError, install_line
from app.local.servers import RunningServer, Server, exchange, running, running_broker, running_redis

BUCKET = "headrace"
USER = "headrace"


@contextmanager
def kept_servers(folder: Path, log_dir: Path) -> Iterator[tuple[RunningServer, ...]]:
    """Run a broker, Redis and the store of the broker, in this order, until the block ends.

    Raises HeadraceError when another command has the folder, when it cannot be written, or when a
    server is not installed or does not start.
    """
    if find_spec("nanio") is None:
        raise HeadraceError(f"--keep needs one more package; install the extra, {install_line('keep')}")
    password = secrets.token_hex(16)
    with ExitStack() as stack:
        stack.enter_context(_alone_in(folder))
        store = stack.enter_context(running(_store(folder / "kafka", password), log_dir))
        environ = {
            "AWS_ACCESS_KEY_ID": USER,
            "AWS_SECRET_ACCESS_KEY": password,
            "AWS_ENDPOINT": store.address,
            "AWS_ALLOW_HTTP": "true",
            "AWS_DEFAULT_REGION": "us-east-1",
        }
        broker = stack.enter_context(running_broker(log_dir, f"s3://{BUCKET}/", environ))
        redis = stack.enter_context(running_redis(log_dir, folder / "redis"))
        yield broker, redis, store


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    try:
        for each in (folder / "kafka" / BUCKET, folder / "redis"):
            each.mkdir(parents=True, exist_ok=True)
        lock = (folder / "lock").open("w")
    except OSError as error:
        raise HeadraceError(f"cannot keep anything in {folder}: {error.strerror}; name another folder") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise HeadraceError(f"another `headrace up` uses {folder}; stop it, or name another folder") from error
        yield


def _store(folder: Path, password: str) -> Server:
    def command(port: int) -> list[str]:
        options = ["--data-dir", str(folder), "--host", "127.0.0.1", "--port", str(port), "--no-access-log"]
        return [sys.executable, "-P", "-m", "nanio", "serve", *options]

    environ = {"NANIO_ACCESS_KEY": USER, "NANIO_SECRET_KEY": password}
    return Server("store", command, _store_answers, "http://127.0.0.1:{port}", environ)


def _store_answers(port: int, pid: int) -> bool:
    return exchange(port, b"GET / HTTP/1.0\r\n\r\n", size=5) == b"HTTP/"
