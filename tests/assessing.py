"""The agent of `items` with a toy model, a worker that follows it, and the log between them."""

from collections.abc import Callable

import numpy as np
from builders import NOW, Fields, batch
from fakes import Diary, LetterModel, MemoryAssessments, MemoryItems, MemoryOutbox, MemoryReplicas
from prometheus_client import CollectorRegistry

from agents.assess import Assess
from agents.catalogue import FollowCatalogue, KeepCatalogue
from agents.follow_vectors import FollowVectors
from agents.metrics import Metrics
from models.contract.event_codec import EventSettings
from models.contract.events import RawBatch
from models.quality.assessment import Assessment, encode_headers
from models.quality.second_judge_score import SecondJudgeSettings
from models.quality.text import QualitySettings
from models.recommender import Recommender, RecommenderSettings

PARTITION = 2


def changes(*values: Fields | bytes | None) -> RawBatch:
    return batch(*values, topic="items", partition=PARTITION)


class ItemAgents:
    """The agent of `items` with a model, and a worker that follows it.

    `deliver` gives it the log.
    """

    def __init__(self, model: LetterModel | None = None, band: SecondJudgeSettings | None = None) -> None:
        self.diary = Diary()
        self.model = model or LetterModel()
        self.store = MemoryItems(self.diary)
        self.assessments = MemoryAssessments(self.store)
        self.outbox = MemoryOutbox(self.diary)
        self.metrics = Metrics(CollectorRegistry())
        self.recommender = Recommender(RecommenderSettings())
        self.gone: list[str] = []
        self.arrived: list[str] = []
        self.replicas = MemoryReplicas()
        self.owned = {PARTITION}
        self.band = band or SecondJudgeSettings()
        self.follow_with(self.model)

    def follow_with(self, model: LetterModel, advanced: Callable[[], None] = lambda: None) -> None:
        """Start the worker again with a model. The stores and the log are kept."""
        self.recommender = Recommender(RecommenderSettings())
        self.follow_items = FollowCatalogue(EventSettings(), self.recommender, self.gone.append)
        self.follow = FollowVectors(model.models, QualitySettings(), self.recommender, self.gone.append, band=self.band)
        self.follow.listeners.append(lambda _, item_ids: self.arrived.extend(item_ids))
        self.assess = Assess(
            infer=model,
            follow=self.follow,
            store=self.assessments,
            outbox=self.outbox,
            replicas=self.replicas,
            settings=QualitySettings(),
            metrics=self.metrics,
            owned=lambda: self.owned,
            advanced=advanced,
        )
        self.keep = KeepCatalogue(EventSettings(), self.store, self.outbox, self.metrics, self.assess)
        self.delivered = 0

    async def handle(self, *values: Fields | bytes | None) -> None:
        raw = changes(*values)
        self.follow_items.handle(raw)
        await self.keep.handle(raw)

    def deliver(self) -> None:
        log = self.outbox.vectors_log.get(PARTITION, [])
        self.follow.handle(vectors(*log[self.delivered :]))
        self.delivered = len(log)

    def weight(self, item_id: str) -> float:
        return float(self.recommender.catalogue.weight[self.recommender.items.number(item_id)])


def vectors(*records: tuple[str, Assessment | None]) -> RawBatch:
    """Return records of `vectors`."""
    return RawBatch(
        topic="vectors",
        partition=PARTITION,
        offsets=np.arange(len(records), dtype=np.int64),
        times=np.full(len(records), NOW),
        keys=[item_id.encode() for item_id, _ in records],
        values=[each.vector if each else None for _, each in records],
        headers=[encode_headers(each) if each else [] for _, each in records],
    )
