"""Makes every Kafka client of Headrace: consumers, producers, admin clients and Faust's.

Consumers read committed records only: what a producer rolled back never happened.
"""

from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer  # type: ignore[import-untyped]  # ships no types
from aiokafka.admin import AIOKafkaAdminClient  # type: ignore[import-untyped]  # ships no types
from faust.auth import OAuthCredentials, SASLCredentials, SSLCredentials
from faust.types.auth import CredentialsT

from app.concerns import KafkaSettings
from app.kafka.login import client_arguments

ISOLATION = "read_committed"
NO_COMPRESSION = "none"


def make_consumer(settings: KafkaSettings, **more: Any) -> AIOKafkaConsumer:
    """Return a consumer that commits nothing by itself. Raises UnusableSetting."""
    return AIOKafkaConsumer(**client_arguments(settings), enable_auto_commit=False, isolation_level=ISOLATION, **more)


def make_producer(settings: KafkaSettings, **more: Any) -> AIOKafkaProducer:
    """Return a producer that compresses as the settings say. Raises UnusableSetting."""
    return AIOKafkaProducer(**client_arguments(settings), compression_type=compression_type(settings), **more)


def make_admin(settings: KafkaSettings, **more: Any) -> AIOKafkaAdminClient:
    """Return an admin client. Raises UnusableSetting."""
    return AIOKafkaAdminClient(**client_arguments(settings), **more)


def compression_type(settings: KafkaSettings) -> str | None:
    """Return the codec by the name that aiokafka knows; None for no compression."""
    return None if settings.compression == NO_COMPRESSION else settings.compression


def faust_credentials(settings: KafkaSettings) -> CredentialsT | None:
    """Return the same login for Faust's clients; None without any. Raises UnusableSetting."""
    arguments = client_arguments(settings)
    context = arguments.get("ssl_context")
    if "sasl_oauth_token_provider" in arguments:
        return OAuthCredentials(oauth_cb=arguments["sasl_oauth_token_provider"], ssl_context=context)
    if "sasl_mechanism" in arguments:
        return SASLCredentials(
            username=arguments["sasl_plain_username"],
            password=arguments["sasl_plain_password"],
            mechanism=arguments["sasl_mechanism"],
            ssl_context=context,
        )
    return SSLCredentials(context) if context is not None else None
