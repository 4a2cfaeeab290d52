"""The Kafka of a measurement: an embedded broker, or one that runs already."""

import asyncio
import secrets
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from app.concerns import KafkaSettings
from app.kafka.login import without_login, without_login_variables
from app.kafka.removal import remove_topics
from app.local.servers import embedded_broker

# The broker lets a new group's first member in after half of this; it plays no part in the speed.
SESSION_SECONDS = 6.0


@contextmanager
def bench_kafka(
    settings: KafkaSettings, environ: Mapping[str, str], given: str | None, folder: Path
) -> Iterator[tuple[KafkaSettings, dict[str, str]]]:
    """Yield the settings of the Kafka to measure on, and the environment for what is started on it.

    `given` is the address of a Kafka that runs already, into which the login of `settings` leads.
    The measurement has topics and a group of its own there, and removes the topics at the end. None
    stands for an embedded broker that lives as long as the block.
    """
    if given is None:
        with embedded_broker(folder) as bootstrap:
            kafka = replace(without_login(settings), bootstrap=bootstrap, session_timeout_seconds=SESSION_SECONDS)
            yield kafka, without_login_variables(environ) | _variables(kafka)
        return
    name = f"{settings.topic_prefix}bench-{secrets.token_hex(4)}"
    kafka = replace(
        settings, bootstrap=given, topic_prefix=f"{name}.", group=name, session_timeout_seconds=SESSION_SECONDS
    )
    try:
        yield kafka, dict(environ) | _variables(kafka)
    finally:
        if reason := asyncio.run(remove_topics(kafka)):
            sys.stderr.write(f"the topics {kafka.topic_prefix}… are still there: {reason}; delete them by hand\n")


def _variables(kafka: KafkaSettings) -> dict[str, str]:
    return {
        "HEADRACE_KAFKA_BOOTSTRAP": kafka.bootstrap,
        "HEADRACE_KAFKA_TOPIC_PREFIX": kafka.topic_prefix,
        "HEADRACE_KAFKA_GROUP": kafka.group,
        "HEADRACE_KAFKA_SESSION_TIMEOUT_SECONDS": str(kafka.session_timeout_seconds),
    }
