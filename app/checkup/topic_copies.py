"""Checks that records outlive a broker that is lost, and that writing goes on meanwhile."""

from collections.abc import Iterator

from app.checkup.doctor import Finding, ok, warn
from app.kafka.admin import ExistingTopics

CHECK = "topic copies"
INSYNC = "min.insync.replicas"


def check_copies(found: ExistingTopics) -> Iterator[Finding]:
    """Compare how many brokers hold each topic with how many must have a record.

    Headrace and a careful producer wait for that many (`acks=all`). One broker alone has no copies
    to compare.
    """
    if found.brokers < 2:
        return
    insync = {name: _whole(given.get(INSYNC, "")) for name, given in found.configs.items()}
    copied = {name: copies for name, copies in found.copies.items() if copies > 1}
    single = [name for name, copies in found.copies.items() if copies == 1]
    # Kafka 4 takes a larger number for the number of copies.
    strict = [name for name, copies in copied.items() if insync.get(name, 0) >= copies]
    loose = [name for name in copied if insync.get(name, 0) == 1]
    if single:
        detail = f"one broker alone holds {_all(single, found)}: its loss takes their records along"
        advice = "move them to more brokers (kafka-reassign-partitions); HEADRACE_KAFKA_REPLICATION=3 is for new topics"
        yield warn(CHECK, detail, advice)
    if strict:
        detail = f"{_all(strict, found)} can take no record while one of their brokers is away"
        yield warn(CHECK, detail, f"set {INSYNC} to one less than the number of copies (kafka-configs --alter)")
    if loose:
        detail = f"an acknowledged record of {_all(loose, found)} may be on one broker alone"
        yield warn(CHECK, detail, f"set {INSYNC}=2 where there are 3 copies (kafka-configs --alter)")
    if not (single or strict or loose) and copied:
        yield ok(CHECK, f"at least {min(copied.values())} brokers hold each topic")


def _all(names: list[str], found: ExistingTopics) -> str:
    return "all topics" if len(names) == len(found.copies) else ", ".join(names)


def _whole(text: str) -> int:
    return int(text) if text.isdigit() else 0
