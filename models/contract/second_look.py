"""Judges a quarantined record again, with the settings and the time of now.

What was from the future may be past, and what was refused for its form may be understood.
"""

import numpy as np

from models.contract.event_codec import EventSettings, decode
from models.contract.events import KIND_OF_TOPIC, RawBatch
from models.contract.item_codec import decode_items
from models.contract.quarantined import Quarantined

ITEMS = "items"
REPLAYABLE = (*KIND_OF_TOPIC, ITEMS)


def is_replayable(record: Quarantined) -> bool:
    """Return whether the record came from a topic that workers read; its topic has no prefix."""
    return record.topic in REPLAYABLE


def refused_now(record: Quarantined, settings: EventSettings, now: float) -> str:
    """Return the reason for which the record would be rejected now; empty if it would not be.

    `now` is in seconds since 1970. The record is one that is replayable. What a worker decides
    later than on its form and time, such as a title that is worse than before, is not known here.
    """
    batch = RawBatch(
        record.topic,
        record.partition,
        np.array([record.offset], np.int64),
        np.array([now]),
        [record.key],
        [record.value],
    )
    if record.topic == ITEMS:
        [item] = decode_items(batch, settings)
        return "" if item.rejected is None else item.rejected.reason
    rejected = decode(batch, KIND_OF_TOPIC[record.topic], settings).rejected
    return rejected[0].reason if rejected else ""
