"""The models at work: an embedding model behind its queue, and the quality model in a thread."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Protocol

from agents.inference_queue import InferenceQueue
from agents.metrics import InferenceMetrics
from models.contract.events import Item
from models.quality.assessment import Assessment, Models, embedding_text, pack_vector
from models.quality.defect import ItemText
from models.quality.text import QualitySettings, TextVerdict, text_of

EMBEDDING, QUALITY = "embedding", "quality"


class Judge(Protocol):
    """The quality model, such as `models.quality.judge.QualityModel`; called from one thread at a time."""

    def judge(self, items: Sequence[ItemText]) -> list[TextVerdict]:
        """One verdict for each item, in their order."""


@dataclass(frozen=True, slots=True)
class InferenceFigures:
    """What each batch took, as metrics of one model: an `InferenceObserver`."""

    metrics: InferenceMetrics
    model: str

    def queued(self, seconds: float) -> None:
        """A request waited this long for its batch."""
        self.metrics.queue.labels(self.model).observe(seconds)

    def tokenised(self, seconds: float) -> None:
        """A batch's new texts were cut into tokens."""
        self.metrics.tokenise.labels(self.model).observe(seconds)

    def inferred(self, seconds: float) -> None:
        """A batch's new texts went through the model."""
        self.metrics.infer.labels(self.model).observe(seconds)

    def served(self, texts: int, cached: int) -> None:
        """A batch had so many different texts, and so many of them were in the cache."""
        self.metrics.texts.labels(self.model, "cached").inc(cached)
        self.metrics.texts.labels(self.model, "computed").inc(texts - cached)


@dataclass(frozen=True, slots=True)
class InferLocally:
    """The `Infer` port by models in this process; either of them may be missing."""

    models: Models
    embedding: InferenceQueue | None
    quality: Judge | None
    settings: QualitySettings
    judged: InferenceFigures

    async def assess(self, items: Sequence[Item]) -> list[Assessment]:
        """What the models say of each item, in their order; both models work at once."""
        if not items:
            return []
        vectors, verdicts = await asyncio.gather(self._embed(items), self._judge(items))
        return [
            Assessment(
                text_hash=self.models.text_hash(item),
                embedding=self.models.embedding,
                vector=vector,
                judged_by=self.models.quality,
                quality=None if verdict is None else verdict.score,
                reasons=() if verdict is None else tuple(each.value for each in verdict.defects(self.settings)),
            )
            for item, vector, verdict in zip(items, vectors, verdicts, strict=True)
        ]

    async def _embed(self, items: Sequence[Item]) -> list[bytes]:
        if self.embedding is None:
            return [b""] * len(items)
        found = await self.embedding.vectors([embedding_text(item) for item in items])
        return [pack_vector(vector) for vector in found]

    async def _judge(self, items: Sequence[Item]) -> Sequence[TextVerdict | None]:
        if self.quality is None:
            return [None] * len(items)
        started = perf_counter()
        verdicts = await asyncio.to_thread(self.quality.judge, [text_of(item) for item in items])
        self.judged.inferred(perf_counter() - started)
        self.judged.served(len(items), 0)
        return verdicts
