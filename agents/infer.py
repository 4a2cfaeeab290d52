"""Run the models in this process: embedding behind a queue, quality in a thread."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Protocol

from agents.inference_queue import InferenceQueue
from agents.metrics import InferenceMetrics
from agents.ports import Clock
from models.contract.events import Item
from models.quality.assessment import Assessment, Models, embedding_text, pack_vector
from models.quality.defect import ItemText
from models.quality.text import QualitySettings, TextVerdict, text_of

EMBEDDING, QUALITY = "embedding", "quality"


class Judge(Protocol):
    """Judges texts, as `QualityModel` of `models.quality.judge` does; called by one thread at a
    time.
    """

    def judge(self, items: Sequence[ItemText]) -> list[TextVerdict]:
        """Return one verdict for each item, in their order."""


@dataclass(frozen=True, slots=True)
class InferenceFigures:
    """Counts the time and the texts of each batch in the metrics of one model."""

    metrics: InferenceMetrics
    model: str

    def queued(self, seconds: float) -> None:
        """Count the seconds that a request waited for its batch."""
        self.metrics.queue.labels(self.model).observe(seconds)

    def tokenised(self, seconds: float) -> None:
        """Count the seconds that the tokenizer took for a batch's new texts."""
        self.metrics.tokenise.labels(self.model).observe(seconds)

    def inferred(self, seconds: float) -> None:
        """Count the seconds that the model took for a batch's new texts."""
        self.metrics.infer.labels(self.model).observe(seconds)

    def served(self, texts: int, cached: int) -> None:
        """Count the distinct texts of a batch, and those of them that the cache had."""
        self.metrics.texts.labels(self.model, "cached").inc(cached)
        self.metrics.texts.labels(self.model, "computed").inc(texts - cached)


@dataclass(frozen=True, slots=True)
class InferLocally:
    """Implements the `Infer` port with models in this process; either of them may be missing.

    `clock` gives seconds, to measure the time of the quality model.
    """

    models: Models
    embedding: InferenceQueue | None
    quality: Judge | None
    settings: QualitySettings
    judged: InferenceFigures
    clock: Clock = perf_counter

    async def assess(self, items: Sequence[Item]) -> list[Assessment]:
        """Return the assessment of each item, in their order; both models work at once."""
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
        started = self.clock()
        verdicts = await asyncio.to_thread(self.quality.judge, [text_of(item) for item in items])
        self.judged.inferred(self.clock() - started)
        self.judged.served(len(items), 0)
        return verdicts
