"""Finds out which rights a user of Redis lacks, with commands that change nothing."""

from collections.abc import Sequence
from typing import Any

from redis.exceptions import NoPermissionError

from app.store.keys import Keys
from app.store.packed import Command, PackedRedis

NOBODY = "headrace doctor looks for a right"
NO_SCRIPT = "0" * 40


async def missing_rights(redis: PackedRedis, keys: Keys, *, vectors: bool, cluster: bool, replicas: bool) -> list[str]:
    """Return the commands that this user may not give, or not on Headrace's keys.

    With `replicas`, Headrace waits for them although the server is no node of a cluster.

    HSET, HSETNX and SADD are not tried: they would write. Raises RedisError.
    """
    key = keys.profile(NOBODY)
    commands: list[Command] = [
        ("GET", key),
        ("SET", key, "", "XX"),  # as all that follows, without effect where the key does not exist
        ("DEL", key),
        ("UNLINK", key),
        ("EXISTS", key),
        ("EXPIRE", key, 1),
        ("PEXPIRE", key, 1),
        ("HGET", key, "field"),
        ("HMGET", key, "field"),
        ("HGETALL", key),
        ("HDEL", key, "field"),
        ("SREM", key, "member"),
        ("SMEMBERS", key),
        ("ZADD", key, "XX", 1, "member"),
        ("ZREM", key, "member"),
        ("ZREMRANGEBYSCORE", key, 0, 0),
        ("ZREMRANGEBYRANK", key, 0, 0),
        ("ZREVRANGE", key, 0, 0),
        ("ZSCORE", key, "member"),
        ("SCAN", 0, "COUNT", 1),
        ("TIME",),
        ("EVAL", "return 1", 0),
        ("EVALSHA", NO_SCRIPT, 0),
    ]
    if vectors:
        commands += [("VCARD", key), ("VREM", key, "element"), ("VSIM", key, "ELE", "element")]
        commands += [("VGETATTR", key, "element")]
    if replicas:
        commands += [("WAIT", 0, 1)]
    if cluster:
        # Asked of one node: a cluster's client needs them before it can ask the others.
        needed: list[Command] = [("CLUSTER", "SLOTS"), ("WAIT", 0, 1), ("ASKING",)]
        if missing := _refused(needed, await redis.exchange_here(needed)):
            return missing
    return _refused(commands, await redis.exchange(commands))


def _refused(commands: Sequence[Command], replies: Sequence[Any]) -> list[str]:
    return [
        str(command[0])
        for command, reply in zip(commands, replies, strict=True)
        if isinstance(reply, NoPermissionError)
    ]
