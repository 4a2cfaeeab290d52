"""Joins what a worker needs to take over partitions of events from another one."""

from collections.abc import Awaitable, Callable
from uuid import uuid4

from agents.learn import Learn
from agents.unfinished import Unfinished
from app.kafka.log_span import KafkaEventLog
from app.settings import Settings
from app.store.begun import RedisBegun
from app.worker.outside import Outside
from models.contract.events import RawBatch
from models.contract.placement import Placement


def build_unfinished(
    settings: Settings,
    outside: Outside,
    learn: Learn,
    placement: Placement,
    owns: Callable[[RawBatch], Awaitable[bool]],
) -> Unfinished:
    """Return the notes of batches that were begun. Nothing is read yet. `owns` asks the group
    whether a batch's partition is this worker's.
    """
    store = outside.store
    return Unfinished(
        kinds=outside.kinds,
        topics={*outside.kinds, outside.names.moved},
        placement=placement,
        events=settings.events,
        seen=learn.seen,
        applied=learn.applied,
        store=RedisBegun(store.redis, store.keys, store.retry),
        log=KafkaEventLog(settings.kafka, outside.retry_kafka),
        owns=owns,
        new_claim=lambda: uuid4().hex,
    )
