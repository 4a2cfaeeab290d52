"""Builds the parts of a worker that use models. Used only if models are installed."""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterable, Set
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from agents.assess import Assess
from agents.decisions import FollowDecisions
from agents.follow_vectors import FollowVectors
from agents.introduce import Introduce
from agents.keep_similar import KeepSimilar
from agents.metrics import Metrics
from agents.ports import Outbox, Replicas
from agents.refresh import Refresh
from agents.second_judge import AskSecondJudge
from app.settings import Settings
from app.store.assessments import RedisAssessments
from app.store.decisions import RedisDecisions
from app.store.similar import RedisSimilar
from app.store.store import Store
from app.store.vector_set import VectorSet
from models.inference.manifest import FILE_NAME

if TYPE_CHECKING:
    from app.worker.open_models import LoadedModels

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ModelAgents:
    """The parts that a worker has only with models. Run `jobs` inside `loaded.running`."""

    loaded: "LoadedModels"
    assess: Assess
    similar: KeepSimilar
    introduce: Introduce
    decisions: FollowDecisions
    second: AskSecondJudge | None

    def jobs(self) -> Iterable[Coroutine[Any, Any, None]]:
        """Return the background jobs. They run until cancelled."""
        second = () if self.second is None else (self.second.run(),)
        return (
            self.assess.run(),
            self.similar.run(),
            self.similar.watch(),
            self.introduce.run(),
            self.decisions.run(),
            *second,
        )


@dataclass(frozen=True, slots=True)
class WorkerParts:
    """The parts of the worker that `ModelAgents` needs."""

    store: Store
    outbox: Outbox
    replicas: Replicas
    refresh: Refresh
    metrics: Metrics
    owned: Callable[[], Set[int]]
    advanced: Callable[[], None]
    behind: Callable[[], bool]
    publishes: Callable[[], bool]


def find_models(settings: Settings, metrics: Metrics) -> "LoadedModels | None":
    """Return the models in the model folder; None if there are none or nothing to run them.

    The reason for None is logged. Raises HeadraceError when one of the models cannot be used.
    """
    if not settings.model.dir:
        logger.info("HEADRACE_MODEL_DIR is empty: no models, lists come from what users do, not from what items mean")
    manifest = settings.model.folder / FILE_NAME
    if settings.judge.dir and not manifest.exists():
        logger.warning(
            "HEADRACE_JUDGE_DIR is not used: the second judge needs the quality model, and %s is not there", manifest
        )
    if not settings.model.dir:
        return None
    if not manifest.exists():
        logger.warning(
            "no models: %s is not there. Texts of items are not judged and not compared; name the folder of the models "
            "in HEADRACE_MODEL_DIR, or leave it empty to do without",
            manifest,
        )
        return None
    if find_spec("onnxruntime") is None:
        logger.warning("the models of %s are not used: onnxruntime is missing; install the extra cpu or gpu", manifest)
        return None
    # here, because its packages are installed only with an extra
    from app.worker.open_models import open_models

    return open_models(settings, metrics)


def build_model_agents(
    loaded: "LoadedModels", follow: FollowVectors, settings: Settings, parts: WorkerParts
) -> ModelAgents:
    """Build the parts that use the models. `follow` tells them which vectors arrive."""
    redis, keys, retry = parts.store.redis, parts.store.keys, parts.store.retry
    vectors = VectorSet(redis, keys, loaded.infer.models.embedding)
    store = RedisAssessments(redis, keys, retry, vectors, settings.quality, follow.is_allowed)
    assess = Assess(
        infer=loaded.infer,
        follow=follow,
        store=store,
        outbox=parts.outbox,
        replicas=parts.replicas,
        settings=settings.quality,
        metrics=parts.metrics,
        owned=parts.owned,
        write_lock=asyncio.Lock(),
        advanced=parts.advanced,
    )
    second = None
    if loaded.second is not None:
        second = AskSecondJudge(
            judge=loaded.second,
            follow=follow,
            store=store,
            outbox=parts.outbox,
            replicas=parts.replicas,
            settings=settings.quality,
            metrics=parts.metrics.second_judge,
            owned=parts.owned,
            write_lock=assess.write_lock,
            behind=parts.behind,
        )
    recommender = follow.recommender
    similar = KeepSimilar(recommender, RedisSimilar(redis, keys, retry), parts.replicas, parts.owned)
    introduce = Introduce(recommender, parts.refresh, parts.replicas)
    follow.listeners += [similar.arrived, introduce.arrived]
    decisions = FollowDecisions(RedisDecisions(redis, keys, retry), follow, assess, parts.owned, parts.publishes)
    return ModelAgents(loaded, assess, similar, introduce, decisions, second)
