"""Opens the models of a worker from the artefacts that are installed."""

import asyncio
import hashlib
import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from time import perf_counter

from agents.infer import EMBEDDING, QUALITY, InferenceFigures, InferLocally
from agents.inference_queue import InferenceQueue
from agents.metrics import Metrics
from app.errors import HeadraceError
from app.settings import Settings
from app.worker.second_judge import LocalSecondJudge, open_second_judge
from models.inference.causal_model import TASK as JUDGE
from models.inference.encoder import Encoder, open_encoder
from models.inference.manifest import Artefact, ManifestError, read_manifest
from models.inference.onnx_session import OnnxSession
from models.inference.vector_cache import MemoryCache
from models.quality.assessment import Models
from models.quality.defect import DEFECTS
from models.quality.judge import QualityModel, open_quality_model
from models.quality.reading import READING

SETTINGS_DIGITS = 8

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class LoadedModels:
    """The open models. They answer requests inside `running`."""

    infer: InferLocally
    encoder: Encoder | None
    second: LocalSecondJudge | None = None

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Answer requests inside the block. Closes the models at its end."""
        async with AsyncExitStack() as stack:
            if self.second is not None:
                stack.push_async_callback(asyncio.to_thread, self.second.close)
            if self.encoder is not None:
                stack.push_async_callback(asyncio.to_thread, self.encoder.close)
            if self.infer.embedding is not None:
                await stack.enter_async_context(self.infer.embedding)
            yield


def open_models(settings: Settings, metrics: Metrics) -> LoadedModels:
    """Open the first model of each task that the manifest in the model folder lists.

    Raises HeadraceError when one of them cannot be used.
    """
    folder = settings.model.folder
    try:
        manifest = read_manifest(folder)
        artefacts = {task: manifest.find(task) for task in {each.task for each in manifest.models}}
        encoder = open_encoder(folder, artefacts[EMBEDDING], settings.inference) if EMBEDDING in artefacts else None
        counted = settings.quality.counted()
        quality = open_quality_model(folder, settings.inference, counted) if QUALITY in artefacts else None
    except ManifestError as error:
        raise HeadraceError(
            f"the models cannot be used: {error}; install them again, or set HEADRACE_MODEL_DIR to a folder without any"
        ) from error
    for task, model in ((EMBEDDING, encoder), (QUALITY, quality)):
        if model is not None:
            _announce(task, artefacts[task], model.session, metrics)
    infer = _infer(settings, artefacts, (encoder, quality), metrics)
    return _with_second_judge(LoadedModels(infer, encoder), settings, artefacts, metrics)


def _with_second_judge(
    loaded: LoadedModels, settings: Settings, artefacts: dict[str, Artefact], metrics: Metrics
) -> LoadedModels:
    second = open_second_judge(settings.judge, settings.model.folder, settings.inference)
    if second is None:
        return loaded
    _announce(JUDGE, second.artefact, second.session, metrics)
    calibrated_for = second.artefact.details.get("quality_model")
    if calibrated_for != artefacts[QUALITY].key:
        logger.warning("the second judge was calibrated for the quality model %s: export it again", calibrated_for)
    models = replace(loaded.infer.models, second=second.name)
    return replace(loaded, infer=replace(loaded.infer, models=models), second=second)


def _infer(
    settings: Settings,
    artefacts: dict[str, Artefact],
    opened: tuple[Encoder | None, QualityModel | None],
    metrics: Metrics,
) -> InferLocally:
    encoder, quality = opened
    models = Models(
        embedding=artefacts[EMBEDDING].key if encoder else "",
        quality=f"{artefacts[QUALITY].key}-{_digest(settings)}" if quality else "",
        dimension=encoder.dimension if encoder else 0,
    )
    figures = InferenceFigures(metrics.inference, EMBEDDING)
    cache = MemoryCache(settings.inference.cache_texts)
    embedding = (
        InferenceQueue(encoder, models.embedding, cache, settings.inference, figures, perf_counter) if encoder else None
    )
    return InferLocally(models, embedding, quality, settings.quality, InferenceFigures(metrics.inference, QUALITY))


def _digest(settings: Settings) -> str:
    """Return a digest of the thresholds, and of how titles are read.

    A changed threshold finds other defects or hides other items, so it counts as another model.
    """
    thresholds = [READING, settings.quality.score_from, *(settings.quality.threshold(defect) for defect in DEFECTS)]
    return hashlib.blake2b(repr(thresholds).encode()).hexdigest()[:SETTINGS_DIGITS]


def _announce(task: str, artefact: Artefact, session: OnnxSession, metrics: Metrics) -> None:
    logger.info("the %s model %s runs on %s", task, artefact.key, session.provider)
    if session.fallback is not None:
        logger.warning("%s: %s", artefact.name, session.fallback)
    metrics.inference.provider.labels(task, artefact.key, session.provider).set(1)
