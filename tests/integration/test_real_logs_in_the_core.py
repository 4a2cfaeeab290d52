"""Real logs through the pure core: what it writes is what orjson would write, to the last byte."""

from pathlib import Path

import numpy as np
import orjson
import pytest
from prometheus_client import CollectorRegistry

from agents.learn import Learn
from agents.metrics import Metrics
from app.bench.core import batches
from app.datasets.folder import open_dataset
from models.contract.event_codec import EventSettings
from models.contract.events import KIND_OF_TOPIC
from models.duplicates import DuplicateFilter
from models.processor import ListMaker, admit, decide, follow
from models.recommender import Recommender, RecommenderSettings
from models.users.stored import decode_profile
from models.users.table import MISSING


@pytest.mark.parametrize("name", ["rees46_multicategory_3h", "bolcom_serenade_toy"])
def test_lists_and_profiles_of_a_real_log_are_written_as_orjson_writes_them(shop_data: Path, name: str) -> None:
    events = EventSettings()
    recommender = Recommender(RecommenderSettings())
    seen = DuplicateFilter(events.duplicate_window_seconds, events.duplicate_memory)
    learn, maker = Learn(recommender, seen, Metrics(CollectorRegistry())), ListMaker.of(recommender, 1_000_000)
    lists = 0
    records = [record for record in open_dataset(shop_data / name).events() if record.topic in KIND_OF_TOPIC]
    for batch in batches(records[:20_000], partitions=4, size=1_000):
        admitted = admit(batch, KIND_OF_TOPIC[batch.topic], seen, events)
        slots = maker.table.find(admitted.users)
        new = [user for user, slot in zip(admitted.users, slots.tolist(), strict=True) if slot == MISSING]
        slots[slots == MISSING] = maker.table.add(dict.fromkeys(new))
        followed = follow(admitted, maker.table, slots)
        learn.learn_own([followed])
        writes = decide([followed], maker, float(np.max(batch.times))).writes
        for user, slot, fields, encoded in zip(writes.user_ids, slots, writes.profiles, writes.lists, strict=True):
            readable = [value for name, value in fields.items() if name in ("recent", "counts") and value is not None]
            assert [orjson.dumps(orjson.loads(each)) for each in (*readable, encoded)] == [*readable, encoded]
            assert decode_profile(user, fields) == maker.table.profile(int(slot))
        lists += len(writes.lists)
    assert lists > 3_000
