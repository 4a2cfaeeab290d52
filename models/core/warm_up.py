"""Compiles everything that a batch of events needs, so that the first user does not wait."""

from dataclasses import replace

import numpy as np
import orjson

from models.contract.event_codec import EventSettings
from models.contract.events import OLDEST_TS, Kind, RawBatch
from models.contract.partitioner import MURMUR2
from models.contract.placement import Placement
from models.core.unlearning import CancelledOrders, unlearn
from models.duplicates import DuplicateFilter
from models.processor import ListMaker, admit, decide, follow
from models.profile import Profile, Seen
from models.recommender import LearningBatch, Recommender, RecommenderSettings
from models.shown import Shown


def warm_up(settings: RecommenderSettings, events: EventSettings) -> None:
    """Compile everything that a batch needs, or load it from numba's cache, so that the first user
    does not wait.
    """
    recommender = Recommender(settings)
    recommender.warm_up()
    seen = DuplicateFilter(events.duplicate_window_seconds, events.duplicate_memory)
    seen.warm_up()
    maker = ListMaker.of(recommender, capacity=1)
    maker.table.find([])
    past = Seen(OLDEST_TS, int(Kind.ORDER), "b")
    slots = maker.table.add({"u": Profile(recent=(past,), bought=(past,), applied={"orders-0": 0})})
    record = orjson.dumps({"event_id": "e", "user_id": "u", "item_id": "a", "ts": OLDEST_TS + 1})
    batch = RawBatch("orders", 0, np.ones(1, np.int64), np.full(1, OLDEST_TS + 1), [None], [record])
    followed = follow(admit(batch, Kind.ORDER, seen, events, Placement(MURMUR2)), maker.table, slots)
    learned = followed.admitted.interactions.ts
    recommender.learn(LearningBatch(followed.items, followed.sessions, learned, np.full(1, Kind.ORDER, np.int32)))
    shown = Shown(recommender.settings.ranking.size, capacity=1)
    shown.put(["u"], 0, followed.own, decide([followed], maker, OLDEST_TS).lists.items)
    shown.holders_of(followed.items)
    cancelled = replace(batch, offsets=np.full(1, 2), values=[record[:-1] + b',"cancelled_at":%d}' % OLDEST_TS])
    follow(admit(cancelled, Kind.ORDER, seen, events), maker.table, slots)
    unlearn(recommender, CancelledOrders(followed.items, followed.sessions, learned, ["u"]))
    maker.table.discard(slots)
