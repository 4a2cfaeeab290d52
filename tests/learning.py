"""A worker's learning half without a worker, and a log for it to read."""

from dataclasses import replace

import numpy as np
import orjson
from asking import rankings
from prometheus_client import CollectorRegistry

from agents.catalogue import FollowCatalogue
from agents.learn import Learn
from agents.metrics import Metrics
from models.contract.event_codec import EventSettings
from models.contract.events import RawBatch
from models.contract.lists import Ranking
from models.duplicates import DuplicateFilter
from models.neighbours.index import NeighbourSettings
from models.profile import Profile, Seen
from models.recommender import Recommender, RecommenderSettings

SHOP = RecommenderSettings(neighbours=NeighbourSettings(postings=30, session_items=6))
EVENTS = EventSettings(duplicate_memory=2_000)
PARTITIONS = 2
START = 1_760_000_000.0
ITEMS = 60


def new_learn() -> Learn:
    recommender = Recommender(SHOP)
    seen = DuplicateFilter(EVENTS.duplicate_window_seconds, EVENTS.duplicate_memory)
    return Learn(recommender, seen, Metrics(CollectorRegistry()))


def follow(learn: Learn) -> FollowCatalogue:
    return FollowCatalogue(EVENTS, learn.recommender, went_away=lambda item_id: None)


def interactions(n: int, seed: int = 1) -> list[tuple[int, bytes]]:
    """Return n records of `interactions` with their partitions, in the order of time."""
    rng = np.random.default_rng(seed)
    users = rng.integers(0, 40, n).tolist()
    items = np.minimum(rng.zipf(1.4, n), ITEMS).tolist()
    kinds = rng.choice(["view", "click", "order"], n).tolist()
    offsets = [0] * PARTITIONS
    records = []
    for row, (user, item, kind) in enumerate(zip(users, items, kinds, strict=True)):
        partition = user % PARTITIONS
        event = {
            "event_id": f"e{row}",
            "user_id": f"u{user}",
            "item_id": f"item \N{SNOWMAN} {item}",
            "kind": kind,
            "ts": START + 60.0 * row,
            "session_id": f"s{user}-{row // 200}",
            "source": f"{kind}s-{partition}",
            "offset": offsets[partition],
        }
        offsets[partition] += 1
        records.append((partition, orjson.dumps(event)))
    return records


def catalogue(n: int = ITEMS) -> list[bytes]:
    return [
        orjson.dumps(
            {
                "item_id": f"item \N{SNOWMAN} {item}",
                "title": f"Item {item}",
                "category": f"shelf/{item % 4}",
                "brand": f"brand {item % 3}",
                "price": 0.5 * item,
                "available": item % 7 != 0,
            }
        )
        for item in range(1, n + 1)
    ]


def batch(topic: str, partition: int, first: int, values: list[bytes]) -> RawBatch:
    n = len(values)
    offsets = np.arange(first, first + n)
    times = START + 60 * PARTITIONS * offsets.astype(np.float64)
    return RawBatch(topic, partition, offsets, times, [None] * n, list(values))


def batches(records: list[tuple[int, bytes]], size: int = 50) -> list[RawBatch]:
    """The records as batches of `interactions`, partitions in turn."""
    logs = [[value for number, value in records if number == partition] for partition in range(PARTITIONS)]
    return [
        batch("interactions", partition, first, log[first : first + size])
        for first in range(0, max(map(len, logs)), size)
        for partition, log in enumerate(logs)
        if log[first : first + size]
    ]


def lists(recommender: Recommender) -> list[Ranking]:
    """What users with one, two and three recent items get, and one without any."""
    recommender.catalogue_changed()
    recent = [Seen(START, 0, f"item \N{SNOWMAN} {item}") for item in range(1, ITEMS + 1)]
    profiles = [Profile(), *(replace(Profile(), recent=tuple(recent[at : at + 1 + at % 3])) for at in range(ITEMS))]
    return rankings(recommender, profiles)
