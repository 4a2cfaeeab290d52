"""Reads a log's events in time order, with their kinds, for the prequential protocol."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import orjson

from app.datasets.misfits import telling
from app.datasets.named_rows import LeftOut
from app.datasets.record import QUARANTINE, Dataset, Record
from app.errors import HeadraceError
from models.contract.events import KIND_OF_TOPIC
from models.contract.fields import Refused, moment
from models.evaluation.prequential import EventStream
from models.processor import hash_session
from models.recommender import LearningBatch
from models.users.open_sessions import OpenSessions
from models.vocabulary import Vocabulary


class _Event(NamedTuple):
    ts: float
    item_id: str
    user: str
    session_id: str
    kind: int


def read_stream(dataset: Dataset, items: Vocabulary) -> EventStream:
    """Return all events of a log that name an item and a user or a session, in time order.

    Where no session is named, half an hour of silence ends it. Rows that cannot be used are left
    out and logged. Raises HeadraceError when no event is left.
    """
    left_out = LeftOut(Path(dataset.name))
    events = sorted(_events(telling(dataset.events(), "is left out"), left_out), key=lambda each: each.ts)
    left_out.tell()
    if not events:
        raise HeadraceError(f"{dataset.name} has no events that can be used: nothing to predict")
    begun = OpenSessions()
    sessions = np.zeros(len(events), np.uint64)
    for row, each in enumerate(events):
        sessions[row] = hash_session(each.session_id or begun.name(each.user, each.ts))
    users = np.array([hash_session(each.user or each.session_id) for each in events], np.uint64)
    batch = LearningBatch(
        items=items.numbers(each.item_id for each in events),
        sessions=sessions,
        ts=np.array([each.ts for each in events]),
        kinds=np.array([each.kind for each in events], np.int32),
    )
    return EventStream(batch, users)


def _events(records: Iterable[Record], left_out: LeftOut) -> Iterator[_Event]:
    for record in records:
        if record.topic == QUARANTINE or record.topic not in KIND_OF_TOPIC:
            continue
        try:
            row = orjson.loads(record.value or b"{}")
            item_id, user, session = (str(row.get(name) or "") for name in ("item_id", "user_id", "session_id"))
            ts = moment("ts", row.get("ts"))
        except (orjson.JSONDecodeError, Refused, AttributeError) as error:
            left_out.add(record.row, str(error))
            continue
        if row.get("cancelled_at") is not None:
            left_out.add(record.row, "a cancellation; what is evaluated learns orders as they came")
            continue
        if not item_id or not (user or session):
            left_out.add(record.row, "needs item_id, and user_id or session_id")
            continue
        yield _Event(ts, item_id, user, session, int(KIND_OF_TOPIC[record.topic]))
