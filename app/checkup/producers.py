"""Do producers put a user's events where Headrace expects them?"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from app.checkup.doctor import Findings, fail, ok, warn
from app.checkup.kafka_server import unchecked
from app.concerns import KafkaSettings
from app.kafka.admin import describe_topics
from app.kafka.failure import KafkaAway
from app.kafka.newest import read_newest
from app.kafka.topics import SOURCES
from app.kafka.unreadable import ADVICE, UnreadableRecords
from models.contract.event_codec import EventSettings, decode
from models.contract.events import KIND_OF_TOPIC, RawBatch
from models.contract.partitioner import CRC32, MOVE, MURMUR2, TRUST
from models.contract.placement import Placement, places

CHECK = "keys"
NEWEST = 200  # events of each partition that are looked at
NEARLY_ALL = 0.95


async def check_keys(settings: KafkaSettings, events: EventSettings) -> Findings:
    """Whether the newest events lie in their users' partitions, and have their user ids as keys."""
    try:
        partitions = (await describe_topics(settings)).partitions
        # Before the first worker there is no `interactions`; it gets as many as the sources have.
        count = partitions.get("interactions") or max((partitions.get(name, 1) for name in SOURCES), default=1)
        batches = await read_newest(settings, SOURCES, NEWEST)
    except UnreadableRecords as error:
        return [fail(CHECK, error.detail, ADVICE)]
    except KafkaAway as error:
        return [unchecked(CHECK, error)]
    found = _count(batches, settings, events, count)
    seen, foreign = found["seen"], found["foreign"]
    if not seen:
        return [ok(CHECK, "no events yet")]
    said = f"of the newest {seen:,} events, {foreign:,} have a key that is not their user id"
    away_from = {name: seen - found[name] for name in (MURMUR2, CRC32)}
    if settings.partitioner == TRUST:
        return [ok(CHECK, f"{said}; where they lie is trusted (HEADRACE_KAFKA_PARTITIONER)")]
    away = away_from[settings.partitioner]
    if not away:
        return [ok(CHECK, f"{said}; all lie where {settings.partitioner} puts their users")]
    what = "moved to it, which takes time" if settings.misplaced == MOVE else "refused"
    said += f", and {away:,} lie in another partition than {settings.partitioner} gives their users; these are {what}"
    return [warn(CHECK, said, _advice(settings.partitioner, away_from, seen))]


def _count(batches: Sequence[RawBatch], settings: KafkaSettings, events: EventSettings, count: int) -> Counter[str]:
    """Events that can be read, those with another key, and those that lie where each partitioner
    puts them.
    """
    found: Counter[str] = Counter()
    for batch in batches:
        kind = KIND_OF_TOPIC[batch.topic.removeprefix(settings.topic_prefix)]
        accepted = decode(batch.dated(math.inf), kind, events).accepted
        keys = [batch.keys[row] for row in np.searchsorted(batch.offsets, accepted.offsets).tolist()]
        for name in (MURMUR2, CRC32):
            where = places(Placement(name, count), batch.partition, keys, accepted.user_ids)
            found[name] += int(np.count_nonzero(where.homes == batch.partition))
        found["seen"] += len(accepted)
        found["foreign"] += int(np.count_nonzero(~where.keyed)) if len(accepted) else 0
    return found


def _advice(partitioner: str, away_from: Mapping[str, int], seen: int) -> str:
    other = CRC32 if partitioner == MURMUR2 else MURMUR2
    if away_from[other] <= (1 - NEARLY_ALL) * seen:
        return f"{other} explains nearly all of them: set HEADRACE_KAFKA_PARTITIONER={other}"
    return (
        "let all producers use the user id as key and one partitioner: with librdkafka, partitioner=murmur2_random. "
        "Where they choose partitions in a way of their own, and all alike, set HEADRACE_KAFKA_PARTITIONER=trust"
    )
