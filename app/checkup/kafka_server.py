"""Can Kafka be reached, and do the topics fit together?"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiokafka.admin import AIOKafkaAdminClient  # type: ignore[import-untyped]  # ships no types
from aiokafka.admin.config_resource import (  # type: ignore[import-untyped]  # ships no types
    ConfigResource,
    ConfigResourceType,
)
from aiokafka.errors import KafkaConnectionError, KafkaError  # type: ignore[import-untyped]  # ships no types

from app.checkup.doctor import Finding, Findings, fail, ok, warn
from app.concerns import KafkaSettings
from app.kafka.topics import CONFIGS, PARTITIONED_BY_USER

REQUEST_MILLISECONDS = 5_000
CONFIG_ENTRIES = 4  # place of the list in aiokafka's answer to describe_configs


async def check_broker(settings: KafkaSettings) -> Findings:
    """The brokers that answer at the address, and where they say they are."""
    try:
        async with _admin(settings) as admin:
            cluster = await admin.describe_cluster()
    except (KafkaError, OSError, ValueError) as error:
        return [_unreachable(settings, error)]
    brokers = ", ".join(f"{each['host']}:{each['port']}" for each in cluster["brokers"])
    if not brokers:
        return [fail("kafka", f"{settings.bootstrap} answers, but names no brokers", "see the broker's log")]
    return [ok("kafka", f"answers at {settings.bootstrap}; brokers {brokers}")]


async def check_topics(settings: KafkaSettings) -> Findings:
    """All topics are there, those of users have equally many partitions, and their configuration fits."""
    try:
        async with _admin(settings) as admin:
            # Asked for all, because asking for a topic by name may create it.
            listed = {topic["topic"]: len(topic["partitions"]) for topic in await admin.describe_topics()}
            prefix = settings.topic_prefix
            found = {name: listed[prefix + name] for name in CONFIGS if prefix + name in listed}
            configs = await _configs(admin, [prefix + name for name in found])
    except (KafkaError, OSError, ValueError) as error:
        return [unchecked("topics", error)]
    return [_existing(found, settings), *_partitions(found), *_configured(found, configs, settings)]


@asynccontextmanager
async def _admin(settings: KafkaSettings) -> AsyncIterator[AIOKafkaAdminClient]:
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.bootstrap, request_timeout_ms=REQUEST_MILLISECONDS)
    try:
        await admin.start()
        yield admin
    finally:
        await admin.close()


async def _configs(admin: AIOKafkaAdminClient, topics: list[str]) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    # One request each: the embedded broker answers for the first of several only.
    for topic in topics:
        for answer in await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic)]):
            for resource in answer.resources:
                found[topic] = {entry[0]: entry[1] for entry in resource[CONFIG_ENTRIES]}
    return found


def unchecked(name: str, error: Exception) -> Finding:
    """What a check comes to that could not ask Kafka."""
    # That it cannot be reached is said once, with advice; another error is this check's own.
    reason = "" if isinstance(error, KafkaConnectionError) else f": {error}"
    return fail(name, f"not checked, because Kafka does not answer{reason}", "see `kafka` above")


def _unreachable(settings: KafkaSettings, error: Exception) -> Finding:
    # aiokafka's words for a refused connection are the address once more, in its own notation.
    reason = "" if isinstance(error, KafkaConnectionError) else f": {error}"
    return fail(
        "kafka",
        f"no Kafka answers at {settings.bootstrap}{reason}",
        "start Kafka, or set HEADRACE_KAFKA_BOOTSTRAP to where it is; `headrace run` starts a broker of its own",
    )


def _existing(found: dict[str, int], settings: KafkaSettings) -> Finding:
    missing = [settings.topic_prefix + name for name in CONFIGS if name not in found]
    if not missing:
        return ok("topics", f"all {len(found)} are there")
    advice = "`headrace worker` makes them when it starts, if it may; or check HEADRACE_KAFKA_TOPIC_PREFIX"
    return warn("topics", f"missing: {', '.join(missing)}", advice)


def _partitions(found: dict[str, int]) -> list[Finding]:
    counts = {name: found[name] for name in PARTITIONED_BY_USER if name in found}
    if not counts:
        return []
    listed = ", ".join(f"{name} {count}" for name, count in counts.items())
    if len(set(counts.values())) == 1:
        return [ok("partitions", listed)]
    advice = "add partitions to the smaller ones before there are events in them, or start with new topics"
    return [fail("partitions", f"must be equal, but are {listed}", f"{advice} (HEADRACE_KAFKA_TOPIC_PREFIX)")]


def _configured(found: dict[str, int], configs: dict[str, dict[str, str]], settings: KafkaSettings) -> list[Finding]:
    wrong = []
    for name in found:
        given = configs.get(settings.topic_prefix + name, {})
        wrong += [
            f"{name} has {key}={given[key]}, not {want}"
            for key, want in CONFIGS[name].items()
            if _is_not(given, key, want)
        ]
        size = given.get("max.message.bytes", "")
        if size.isdigit() and int(size) < settings.max_message_bytes:
            wrong.append(f"{name} has max.message.bytes={size}, less than {settings.max_message_bytes}")
    if wrong:
        advice = "change the topics with kafka-configs, or set HEADRACE_KAFKA_MAX_MESSAGE_BYTES to what they take"
        return [warn("topic settings", "; ".join(wrong), advice)]
    return [ok("topic settings", "as Headrace makes them")] if found else []


def _is_not(given: dict[str, str], key: str, wanted: str) -> bool:
    return key in given and wanted not in given[key].split(",")
