"""What models say of items, on a real Redis Cluster: each script names keys of one node."""

from pathlib import Path

import numpy as np
from prometheus_client import CollectorRegistry
from redis.exceptions import RedisError
from redis_cluster import redis_cluster

from agents.metrics import Metrics
from agents.ports import Assessed
from app.concerns import RedisSettings
from app.health import Health
from app.retry import Retry
from app.store.assessments import RedisAssessments
from app.store.commands import execute
from app.store.connection import connect
from app.store.items import RedisItems
from app.store.keys import Keys
from app.store.packed import PackedRedis
from app.store.similar import RedisSimilar
from app.store.vector_set import VectorSet
from models.contract.events import Item
from models.contract.item_codec import Deleted
from models.quality.assessment import Assessment, pack_vector
from models.quality.text import QualitySettings

NAMES = [*(f"k{number}" for number in range(300)), "}odd", "}"]


async def test_what_models_say_of_items_is_written_and_forgotten_on_all_nodes(tmp_path: Path) -> None:
    with redis_cluster(tmp_path) as cluster:
        async with connect(RedisSettings(url=cluster.url)) as redis:
            await write_and_forget(redis, Keys("hr:"))


async def write_and_forget(redis: PackedRedis, keys: Keys) -> None:
    retry = Retry("Redis", (RedisError, OSError), Health(), Metrics(CollectorRegistry()).retries)
    store = RedisAssessments(redis, keys, retry, VectorSet(redis, keys, "m1"), QualitySettings())
    similar, catalogue = RedisSimilar(redis, keys, retry), RedisItems(redis, keys, retry)
    items = [Item(name, "Kettle") for name in NAMES]
    said = Assessment("00" * 8, "m1", pack_vector(np.array([1, 0], np.float32)), "q1", 0.9)
    await catalogue.write(items)
    assert await store.write([Assessed(each, said, True) for each in items]) == []
    await similar.write(dict.fromkeys(NAMES, b"[]"), await similar.moment())
    assert (await store.load(NAMES), await similar.missing(NAMES)) == ([said] * len(NAMES), [])
    assert await execute(redis, [("VCARD", keys.vectors())]) == [len(NAMES)]
    await catalogue.write([Deleted(name) for name in NAMES])
    await store.forget(NAMES)
    assert (await store.load(NAMES), await similar.missing(NAMES)) == ([None] * len(NAMES), NAMES)
    assert await execute(redis, [("VCARD", keys.vectors())]) == [0]
