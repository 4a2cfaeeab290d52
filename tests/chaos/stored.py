"""What Redis holds, read in one place."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import redis

from chaos.oracle import Profile
from chaos.state import read_state

ITEM_TEXTS = ("title", "category", "brand", "currency")
AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Stored:
    """Everything that is compared: profiles, items, and the event time of each user's list."""

    profiles: Mapping[str, Profile]
    items: Mapping[str, Mapping[str, Any]]
    lists: Mapping[str, float]


def read_stored(port: int, prefix: str) -> Stored:
    with redis.Redis(port=port, socket_timeout=30) as store:
        return Stored(
            profiles={user: _profile(found) for user, found in _hashes(store, f"{prefix}profile:").items()},
            items=_items(store, prefix),
            lists=_lists(store, f"{prefix}rec:"),
        )


def read_items(port: int, prefix: str) -> Mapping[str, Mapping[str, Any]]:
    with redis.Redis(port=port, socket_timeout=30) as store:
        return _items(store, prefix)


def _items(store: "redis.Redis", prefix: str) -> dict[str, dict[str, Any]]:
    return {item_id: _item(found) for item_id, found in _hashes(store, f"{prefix}item:").items()}


def _profile(found: Mapping[str, bytes]) -> Profile:
    recent, state = json.loads(found["recent"]), read_state(found["state"])
    return Profile(
        recent=[(item_id, ts, kind) for item_id, ts, kind in recent],
        bought=state.bought,
        counts=state.counts,
        at=state.at,
        offsets={source_of(name): offset for name, offset in state.offsets.items()},
    )


def source_of(name: str) -> tuple[str, int]:
    """The topic and the partition in a source such as `views-3@1795316155048`."""
    topic, _, partition = name.partition("@")[0].rpartition("-")
    return short_name(topic), int(partition)


def short_name(topic: str) -> str:
    """The topic's name without a prefix that ends in a hyphen."""
    return topic.rpartition("-")[2]


def _item(found: Mapping[str, bytes]) -> dict[str, Any]:
    said: dict[str, Any] = {name: found[name].decode() for name in ITEM_TEXTS if name in found}
    if "price" in found:
        said["price"] = float(found["price"]) if found["price"] else None
    for name in ("available", "deleted"):
        if name in found:
            said[name] = found[name] == b"1"
    return said


def _lists(store: "redis.Redis", prefix: str) -> dict[str, float]:
    keys = _keys(store, prefix)
    values: list[Any] = []
    for start in range(0, len(keys), AT_ONCE):
        found = store.mget(keys[start : start + AT_ONCE])
        assert isinstance(found, list)  # redis-py declares the asynchronous client's answer too
        values += found
    bodies = [json.loads(value) for value in values]
    return {body["user_id"]: body["event_ts"] for body in bodies}


def _hashes(store: "redis.Redis", prefix: str) -> dict[str, dict[str, bytes]]:
    keys = _keys(store, prefix)
    found: dict[str, dict[str, bytes]] = {}
    for start in range(0, len(keys), AT_ONCE):
        part = keys[start : start + AT_ONCE]
        pipeline = store.pipeline(transaction=False)
        for key in part:
            pipeline.hgetall(key)
        for key, fields in zip(part, pipeline.execute(), strict=True):
            name = key.decode().removeprefix(prefix).removeprefix("{").removesuffix("}")
            found[name] = {field.decode(): value for field, value in fields.items()}
    return found


def _keys(store: "redis.Redis", prefix: str) -> list[bytes]:
    return list(store.scan_iter(f"{prefix}{{*", AT_ONCE))
