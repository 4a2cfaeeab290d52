"""What a worker's consumer watches its partitions with."""

from functools import partial

from agents.metrics import Metrics
from app.kafka.faust_app import Watching
from app.kafka.log_start import Change, Reset
from app.kafka.progress import Progress
from app.kafka.settling import named
from app.kafka.watch import NAME as KAFKA
from app.store.starts import RedisStarts
from app.worker.outside import Outside


def watching_of(outside: Outside) -> Watching:
    """Redis remembers where partitions began, metrics count what changed, health tells whether
    Kafka is away.
    """
    store, health = outside.store, outside.health
    # There from the start, so that an alert sees the first loss too.
    for topic in (*outside.kinds, outside.names.items, outside.names.interactions):
        outside.metrics.skipped.labels(topic)
        for change in Change:
            outside.metrics.offset_resets.labels(topic, change)
    return Watching(
        saved=RedisStarts(store.redis, store.keys, store.retry),
        on_reset=partial(count_reset, outside.metrics),
        is_away=lambda: KAFKA in health.away,
    )


def count_reset(metrics: Metrics, reset: Reset) -> None:
    """Reading of a partition went on at another offset."""
    metrics.offset_resets.labels(reset.topic, reset.change).inc()
    metrics.skipped.labels(reset.topic).inc(reset.skipped)


def not_begun(progress: Progress) -> str:
    """What keeps the worker from all of its partitions; empty if nothing does."""
    if progress.leaderless:
        return f"no broker leads {named(sorted(progress.leaderless))}"
    unplaced = progress.unplaced
    return f"it has not begun to read {named(unplaced)}" if unplaced else ""
