"""Checks that Kafka can be reached, and that the topics fit together."""

from collections.abc import Mapping

from app.checkup.doctor import Finding, Findings, fail, ok, warn
from app.checkup.topic_copies import check_copies
from app.concerns import KafkaSettings
from app.kafka.admin import describe_brokers, describe_topics
from app.kafka.failure import KafkaAway
from app.kafka.login import OPEN
from app.kafka.login_fault import find_login_fault
from app.kafka.topics import CONFIGS, PARTITIONED_BY_USER, SOURCES

GIVE_RIGHTS = "give this user the rights that docs/operations.md lists (Rights in Kafka)"
SHORTEST_RETENTION_MILLISECONDS = 24 * 3_600_000


async def check_broker(settings: KafkaSettings) -> Findings:
    """List the brokers that answer at the address, and the addresses that they advertise."""
    try:
        brokers = ", ".join(await describe_brokers(settings))
    except KafkaAway as away:
        fault = await find_login_fault(settings)
        return [fail("kafka", fault.detail, fault.advice) if fault else _unreachable(settings, away)]
    if not brokers:
        return [fail("kafka", f"{settings.bootstrap} answers, but names no brokers", "see the broker's log")]
    return [ok("kafka", f"answers at {settings.bootstrap}; brokers {brokers}")]


async def check_topics(settings: KafkaSettings) -> Findings:
    """Check that all topics exist, have fitting partitions and fitting settings.

    The topics that are partitioned by user need the same number of partitions.
    """
    try:
        found = await describe_topics(settings)
    except KafkaAway as away:
        return [unchecked("topics", away)]
    partitions = found.partitions
    return [
        _existing(partitions, settings),
        *_partitions(partitions),
        *_configured(found.configs, settings),
        *_retained(found.configs),
        *check_copies(found),
    ]


def unchecked(name: str, away: KafkaAway) -> Finding:
    """Return the finding of a check that could not ask Kafka."""
    if "AuthorizationFailed" in away.reason:
        return fail(name, f"not checked, because this user may not: {away.reason}", GIVE_RIGHTS)
    # `kafka` reports an unreachable Kafka, with advice. Another error is reported by this check.
    reason = f": {away.reason}" if away.reason else ""
    return fail(name, f"not checked, because Kafka does not answer{reason}", "see `kafka` above")


def _unreachable(settings: KafkaSettings, away: KafkaAway) -> Finding:
    reason = f": {away.reason}" if away.reason else ""
    return fail(
        "kafka",
        f"no Kafka answers at {settings.bootstrap}{reason}",
        "start Kafka, or set HEADRACE_KAFKA_BOOTSTRAP to where it is; `headrace run` starts a broker of its own",
    )


def _existing(found: Mapping[str, int], settings: KafkaSettings) -> Finding:
    missing = [settings.topic_prefix + name for name in CONFIGS if name not in found]
    if not missing:
        return ok("topics", f"all {len(found)} are there")
    advice = "`headrace worker` makes them when it starts, if it may; or check HEADRACE_KAFKA_TOPIC_PREFIX"
    if settings.security_protocol != OPEN:  # Kafka does not list what a user may not describe
        advice += f"; where they are there, {GIVE_RIGHTS}"
    return warn("topics", f"missing: {', '.join(missing)}", advice)


def _partitions(found: Mapping[str, int]) -> list[Finding]:
    counts = {name: found[name] for name in PARTITIONED_BY_USER if name in found}
    if not counts:
        return []
    listed = ", ".join(f"{name} {count}" for name, count in counts.items())
    if len(set(counts.values())) == 1:
        return [ok("partitions", listed)]
    advice = "add partitions to the smaller ones before there are events in them, or start with new topics"
    return [fail("partitions", f"must be equal, but are {listed}", f"{advice} (HEADRACE_KAFKA_TOPIC_PREFIX)")]


def _configured(configs: Mapping[str, Mapping[str, str]], settings: KafkaSettings) -> list[Finding]:
    wrong = []
    for name, given in configs.items():
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
    return [ok("topic settings", "as Headrace makes them")] if configs else []


def _retained(configs: Mapping[str, Mapping[str, str]]) -> list[Finding]:
    """Look for topics of which Kafka removes records before workers can be back after an outage."""
    short = []
    for name in (*SOURCES, "moved", "forget", "interactions"):
        given = configs.get(name, {})
        milliseconds = given.get("retention.ms", "")
        deletes = "delete" in given.get("cleanup.policy", "delete")
        if deletes and milliseconds.isdigit() and int(milliseconds) < SHORTEST_RETENTION_MILLISECONDS:
            short.append(f"{name} for {int(milliseconds) / 3_600_000:,.3g} h")
    if not short:
        return []
    advice = (
        "raise retention.ms to the longest outage that you want to catch up (kafka-configs --alter); "
        "what interactions has lost, a new worker does not know"
    )
    return [warn("retention", f"Kafka keeps {', '.join(short)} only", advice)]


def _is_not(given: Mapping[str, str], key: str, wanted: str) -> bool:
    return key in given and wanted not in given[key].split(",")
