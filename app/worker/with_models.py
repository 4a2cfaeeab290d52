"""The parts of a worker that use models: made only where models are installed."""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterable, Set
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from agents.assess import Assess
from agents.follow_vectors import FollowVectors
from agents.introduce import Introduce
from agents.keep_similar import KeepSimilar
from agents.metrics import Metrics
from agents.ports import Outbox, Replicas
from agents.refresh import Refresh
from agents.second_judge import SecondOpinion
from app.retry import Retry
from app.settings import Settings
from app.store.assessments import RedisAssessments
from app.store.keys import Keys
from app.store.packed import PackedRedis
from app.store.similar import RedisSimilar
from app.store.vector_set import VectorSet
from models.inference.manifest import FILE_NAME

if TYPE_CHECKING:
    from app.worker.open_models import Language

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Store:
    """Redis as the worker uses it."""

    redis: PackedRedis
    keys: Keys
    retry: Retry


@dataclass(frozen=True, slots=True)
class Meaning:
    """What is added to a worker when there are models: `jobs` run beside it while `language` is running."""

    language: "Language"
    assess: Assess
    similar: KeepSimilar
    introduce: Introduce
    second: SecondOpinion | None

    def jobs(self) -> Iterable[Coroutine[Any, Any, None]]:
        """What runs for ever in the background."""
        second = () if self.second is None else (self.second.run(),)
        return (self.assess.run(), self.similar.run(), self.similar.watch(), self.introduce.run(), *second)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The parts of the worker that a `Meaning` needs."""

    store: Store
    outbox: Outbox
    replicas: Replicas
    refresh: Refresh
    metrics: Metrics
    owned: Callable[[], Set[int]]
    advanced: Callable[[], None]
    behind: Callable[[], bool]


def find_models(settings: Settings, metrics: Metrics) -> "Language | None":
    """The models in the model folder, or None, with a line in the log, where there are none or nothing to run them.

    Raises HeadraceError when one of them cannot be used.
    """
    if not settings.model.dir:
        logger.info("HEADRACE_MODEL_DIR is empty: no models, lists come from what users do, not from what items mean")
    manifest = settings.model.folder / FILE_NAME
    if settings.judge.dir and not manifest.exists():
        logger.warning(
            "HEADRACE_JUDGE_DIR is not used: a second stage needs the quality model, and %s is not there", manifest
        )
    if not settings.model.dir:
        return None
    if not manifest.exists():
        logger.warning(
            "no models: %s is not there. Texts of items are not judged and not compared; name the folder of the models "
            "in HEADRACE_MODEL_DIR, or leave it empty to do without", manifest,
        )  # fmt: skip
        return None
    if find_spec("onnxruntime") is None:
        logger.warning("the models of %s are not used: onnxruntime is missing; install the extra cpu or gpu", manifest)
        return None
    from app.worker.open_models import open_language  # here, because it needs what only an extra installs

    return open_language(settings, metrics)


def build_meaning(language: "Language", follow: FollowVectors, settings: Settings, around: Surroundings) -> Meaning:
    """The parts that use the models, with `follow` telling them what arrives."""
    redis, keys, retry = around.store.redis, around.store.keys, around.store.retry
    vectors = VectorSet(redis, keys, language.infer.models.embedding)
    store = RedisAssessments(redis, keys, retry, vectors, settings.quality)
    assess = Assess(
        language.infer, follow, store, around.outbox, around.replicas, settings.quality, around.metrics, around.owned,
        asyncio.Lock(), around.advanced,
    )  # fmt: skip
    second = None
    if language.second is not None:
        second = SecondOpinion(
            language.second, follow, store, around.outbox, around.replicas, settings.quality,
            around.metrics.second_stage, around.owned, assess.turn, around.behind,
        )  # fmt: skip
    recommender = follow.recommender
    similar = KeepSimilar(recommender, RedisSimilar(redis, keys, retry), around.replicas, around.owned)
    introduce = Introduce(recommender, around.refresh, around.replicas)
    follow.listeners += [similar.arrived, introduce.arrived]
    return Meaning(language, assess, similar, introduce, second)
