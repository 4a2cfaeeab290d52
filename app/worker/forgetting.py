"""Builds the agent that forgets users."""

from agents.forget import Forget
from agents.learn import Learn
from agents.refresh import Refresh
from app.concerns import KafkaSettings
from app.kafka.partition_log import KafkaPartitionLog
from app.kafka.replicas import KafkaReplicas
from app.store.receipts import RedisReceipts
from app.worker.outside import Outside


def build_forget(
    settings: KafkaSettings, outside: Outside, learn: Learn, refresh: Refresh, replicas: KafkaReplicas
) -> Forget:
    """Return the agent of the topic `forget`. It is not running yet."""
    store = outside.store
    return Forget(
        maker=refresh.maker,
        learn=learn,
        shown=refresh.shown,
        replicas=replicas,
        users=outside.users,
        log=KafkaPartitionLog(settings, outside.outbox, outside.retry_kafka),
        outbox=outside.outbox,
        receipts=RedisReceipts(store.redis, store.keys, store.retry),
        metrics=outside.metrics,
        write_lock=refresh.write_lock,
        emit_lock=refresh.emit_lock,
    )
