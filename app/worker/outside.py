"""Gives all parts of a worker the same Kafka and Redis."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version

from prometheus_client import ProcessCollector

from agents.metrics import Metrics, tell_build
from app.health import Health
from app.kafka.failure import kafka_retry_errors
from app.kafka.outbox import KafkaOutbox, make_batch_producer
from app.kafka.topics import Topics, topics
from app.retry import Retry
from app.settings import Settings
from app.store.sources import RedisSources
from app.store.store import Store, open_store
from app.store.users import RedisUsers
from models.contract.events import Kind


@dataclass(frozen=True, slots=True)
class Outside:
    """What the parts of a worker share: Kafka, Redis, metrics and health."""

    names: Topics
    kinds: Mapping[str, Kind]
    store: Store
    retry_kafka: Retry
    outbox: KafkaOutbox
    users: RedisUsers
    sources: RedisSources
    metrics: Metrics
    health: Health


def open_outside(settings: Settings, metrics: Metrics) -> Outside:
    """Return Kafka and Redis by their settings. Nothing is connected yet.

    Raises HeadraceError for an address that cannot be used.
    """
    names, health = topics(settings.kafka), Health()
    ProcessCollector(registry=metrics.registry)
    tell_build(metrics.registry, version("headrace"), "worker")
    store = open_store(settings.redis, health, metrics.retries)
    broker = Retry("Kafka", kafka_retry_errors(), health, metrics.retries)
    return Outside(
        names=names,
        kinds=names.of_kinds,
        store=store,
        retry_kafka=broker,
        outbox=KafkaOutbox(make_batch_producer(settings.kafka), names, broker),
        users=RedisUsers(redis=store.redis, keys=store.keys, retry=store.retry, expire_days=settings.redis.expire_days),
        sources=RedisSources(store.redis, store.keys, store.retry),
        metrics=metrics,
        health=health,
    )
