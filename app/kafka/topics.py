"""Names the Kafka topics, creates missing ones, and checks that existing ones fit together."""

import asyncio
from dataclasses import dataclass
from time import monotonic

from aiokafka.admin import (  # type: ignore[import-untyped]  # ships no types
    AIOKafkaAdminClient,
    NewTopic,
)
from aiokafka.errors import (  # type: ignore[import-untyped]  # ships no types
    KafkaConnectionError,
    KafkaError,
    for_code,
)

from app.concerns import KafkaSettings
from app.errors import HeadraceError
from app.kafka.clients import make_admin
from app.kafka.login_fault import find_login_fault, kafka_away
from models.contract.events import TOPIC_OF_KIND, Kind

SOURCES = tuple(TOPIC_OF_KIND.values())  # the topics of events
TOPIC_ALREADY_EXISTS = 36
LISTED_SECONDS = 30.0
LISTED_POLL_SECONDS = 0.2
# A worker joins profiles, sources and interactions of a user by partition number, so these topics
# need equal partitions.
PARTITIONED_BY_USER = (*SOURCES, "moved", "interactions", "forget")
OF_ONE_PARTITION = ("ranker",)  # its versions of the weights have one order
# Topics that hold ids of users, and what they did.
OF_USERS = (*PARTITIONED_BY_USER, "recommendations", "quarantine")
MILLISECONDS_A_DAY = 86_400_000

# Such a record is the original plus headers. It must fit wherever the original fitted.
WITH_HEADERS = ("quarantine", "moved")
QUARANTINE_HEADROOM_BYTES = 65_536

# freshness is measured from the broker's clock
SOURCE_CONFIG = {"message.timestamp.type": "LogAppendTime"}
# A worker that rebuilds its catalogue must find every deletion, however long it was away.
COMPACTED = {"cleanup.policy": "compact", "delete.retention.ms": str(365 * 24 * 3600 * 1000)}
# Weights are published every few seconds. Compaction begins behind the newest segment.
WEIGHTS = COMPACTED | {"segment.bytes": str(16 * 1024 * 1024)}
CONFIGS: dict[str, dict[str, str]] = {
    **dict.fromkeys(SOURCES, SOURCE_CONFIG),
    "moved": {},
    "items": COMPACTED,
    "vectors": COMPACTED,
    "ranker": WEIGHTS,
    "interactions": {},
    "recommendations": {},
    "quarantine": {},
    "forget": {},
}


@dataclass(frozen=True, slots=True)
class Topics:
    """The full name of every topic, including the prefix of `HEADRACE_KAFKA_TOPIC_PREFIX`."""

    views: str
    clicks: str
    carts: str
    orders: str
    moved: str
    items: str
    vectors: str
    ranker: str
    interactions: str
    recommendations: str
    quarantine: str
    forget: str

    @property
    def of_kinds(self) -> dict[str, Kind]:
        """The kind of the events of each topic of events."""
        return {getattr(self, name): kind for kind, name in TOPIC_OF_KIND.items()}


def topics(settings: KafkaSettings) -> Topics:
    """Return the names of the topics under these settings."""
    return Topics(**{name: settings.topic_prefix + name for name in CONFIGS})


async def create_topics(settings: KafkaSettings) -> dict[str, int]:
    """Create the topics that are missing. Returns the number of partitions by full name.

    Existing topics are not changed. Raises HeadraceError when the broker cannot be reached or
    refuses, and when existing topics do not fit together: the topics of events, moved, forget and
    interactions need the same number of partitions.
    """
    admin = make_admin(settings)
    try:
        await admin.start()
        existing = await _partitions(admin, settings)
        _require_equal(existing, settings)
        await _create(admin, settings, existing)
        # another worker may have created them first
        existing = await _all_partitions(admin, settings)
        _require_equal(existing, settings)
        return {settings.topic_prefix + name: count for name, count in existing.items()}
    except KafkaConnectionError as error:
        advice = "; where it is not set, `headrace run` starts a broker of its own"
        raise await kafka_away(settings, error, advice) from error
    except KafkaError as error:
        if (fault := await find_login_fault(settings)) is not None:
            raise HeadraceError(str(fault)) from error
        raise HeadraceError(f"Kafka at {settings.bootstrap} did not create the topics: {error!r}") from error
    finally:
        await admin.close()


async def _partitions(admin: AIOKafkaAdminClient, settings: KafkaSettings) -> dict[str, int]:
    """Return the number of partitions of those of our topics that exist, by name without prefix."""
    # All topics are requested, because a request for one topic by name may create it.
    found = {topic["topic"]: len(topic["partitions"]) for topic in await admin.describe_topics()}
    # A topic that was created a moment ago may have no partitions yet.
    found = {name: count for name, count in found.items() if count}
    return {name: found[settings.topic_prefix + name] for name in CONFIGS if settings.topic_prefix + name in found}


async def _all_partitions(admin: AIOKafkaAdminClient, settings: KafkaSettings) -> dict[str, int]:
    """Return the same once all topics are listed.

    A broker may learn of new topics a moment later.
    """
    deadline = monotonic() + LISTED_SECONDS
    while True:
        found = await _partitions(admin, settings)
        missing = [settings.topic_prefix + name for name in CONFIGS if name not in found]
        if not missing:
            return found
        if monotonic() > deadline:
            raise HeadraceError(
                f"Kafka at {settings.bootstrap} does not list the topics {', '.join(missing)}, "
                f"{LISTED_SECONDS:g} s after they were created; check that this user may describe them"
            )
        await asyncio.sleep(LISTED_POLL_SECONDS)


async def _create(admin: AIOKafkaAdminClient, settings: KafkaSettings, existing: dict[str, int]) -> None:
    by_user = next((existing[name] for name in PARTITIONED_BY_USER if name in existing), settings.partitions)
    missing = [
        NewTopic(
            settings.topic_prefix + name,
            num_partitions=_partitions_of(name, by_user, settings),
            replication_factor=settings.replication,
            topic_configs=config
            | _retention(name, settings)
            | {"max.message.bytes": str(_largest_message(name, settings))},
        )
        for name, config in CONFIGS.items()
        if name not in existing
    ]
    if not missing:
        return
    answer = await admin.create_topics(missing)
    for topic, code, *message in answer.topic_errors:
        if code not in (0, TOPIC_ALREADY_EXISTS):
            reason = next(filter(None, message), for_code(code).__name__)
            raise HeadraceError(f"Kafka at {settings.bootstrap} did not create the topic {topic}: {reason}")


def _partitions_of(name: str, by_user: int, settings: KafkaSettings) -> int:
    if name in OF_ONE_PARTITION:
        return 1
    return by_user if name in PARTITIONED_BY_USER else settings.partitions


def _retention(name: str, settings: KafkaSettings) -> dict[str, str]:
    if name not in OF_USERS or not settings.retention_days:
        return {}
    return {"retention.ms": str(round(settings.retention_days * MILLISECONDS_A_DAY))}


def _largest_message(name: str, settings: KafkaSettings) -> int:
    return settings.max_message_bytes + (QUARANTINE_HEADROOM_BYTES if name in WITH_HEADERS else 0)


def _require_equal(existing: dict[str, int], settings: KafkaSettings) -> None:
    counts = {settings.topic_prefix + name: existing[name] for name in PARTITIONED_BY_USER if name in existing}
    if len(set(counts.values())) > 1:
        listed = ", ".join(f"{name} has {count}" for name, count in counts.items())
        raise HeadraceError(
            f"these topics need the same number of partitions, but {listed}; add partitions to the smaller ones "
            "(before there are events in them), or set HEADRACE_KAFKA_TOPIC_PREFIX to start with new topics"
        )
