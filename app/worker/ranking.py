"""Builds what learns to rank beside the events."""

from time import perf_counter
from uuid import uuid4

from agents.rank import Rank
from app.kafka.progress import Progress
from app.kafka.replicas import KafkaReplicas
from app.worker.outside import Outside
from models.ranker.live import LiveRanker, warm_up
from models.ranker.settings import BY_FORMULA, LiveSettings
from models.recommender import Recommender


def build_rank(settings: LiveSettings, recommender: Recommender, outside: Outside) -> Rank | None:
    """Return the agent of the learned ranker, which does not train yet; None where the formula
    alone ranks.
    """
    if settings.mode == BY_FORMULA:
        return None
    warm_up()
    return Rank(
        live=LiveRanker(recommender, settings.mode),
        share=settings.share,
        metrics=outside.metrics.ranker,
        outbox=outside.outbox,
        trains=lambda: False,
        trainer=uuid4().hex,
        timer=perf_counter,
    )


def let_train(rank: Rank | None, progress: Progress, views: str, replicas: KafkaReplicas) -> None:
    """Let the worker learn to rank that has partition 0 of the topic `views`, once it has caught
    up: what it reads back was learned before.
    """
    if rank is not None:
        rank.trains = lambda: (views, 0) in progress.partitions and not replicas.behind
