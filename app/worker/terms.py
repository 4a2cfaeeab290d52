"""What this worker and the others of its group have to agree on."""

from dataclasses import asdict, fields
from importlib.metadata import version
from typing import Any

from app.settings import PREFIX, Settings
from models.contract.agreement import Terms
from models.contract.formats import SHARED as SHARED_FORMATS
from models.quality.assessment import Models

# Every setting belongs to one of these two: it changes what is stored or how lists are made, or it
# is a worker's own.
SHARED_CONCERNS = (
    "events",
    "plausibility",
    "profile",
    "neighbours",
    "trending",
    "ranking",
    "quality",
    "judge",
    "semantic",
    "catalogue",
)
SHARED = (
    "HEADRACE_KAFKA_GROUP",
    "HEADRACE_KAFKA_TOPIC_PREFIX",
    "HEADRACE_KAFKA_PARTITIONER",
    "HEADRACE_KAFKA_MISPLACED",
    "HEADRACE_REDIS_EXPIRE_DAYS",
    "HEADRACE_RANKER_MODE",
)
# A folder may have another name on each machine: what is in it counts, see `models_of`.
OWN = ("HEADRACE_JUDGE_DIR", "HEADRACE_RANKER_SHARE")
# With different values of these, two workers would both keep a user, or none would.
STRICT = ("HEADRACE_KAFKA_GROUP", "HEADRACE_KAFKA_TOPIC_PREFIX", "HEADRACE_KAFKA_PARTITIONER")


def terms_of(settings: Settings, models: Models | None) -> Terms:
    """Return the terms of a worker with these settings and models."""
    formats = {each.name: (each.oldest, each.version) for each in SHARED_FORMATS}
    return Terms(version("headrace"), shared_settings(settings) | models_of(models or Models()), formats)


def shared_settings(settings: Settings) -> dict[str, Any]:
    """Return the settings that change what is stored or how lists are made, by their variables."""
    return {name: value for name, value in _all(settings).items() if is_shared(name)}


def is_shared(name: str) -> bool:
    """Return whether all workers of a group must have the same value of this variable."""
    concern = name.removeprefix(f"{PREFIX}_").partition("_")[0].lower()
    return name in SHARED or (concern in SHARED_CONCERNS and name not in OWN)


def models_of(models: Models) -> dict[str, str]:
    """Return the models in use; empty for one that is not."""
    return {
        f"{PREFIX}_MODEL_DIR (embedding model)": models.embedding,
        f"{PREFIX}_MODEL_DIR (quality model)": models.quality,
        f"{PREFIX}_JUDGE_DIR (second judge)": models.second,
    }


def _all(settings: Settings) -> dict[str, Any]:
    return {
        f"{PREFIX}_{concern.name}_{name}".upper(): value
        for concern in fields(settings)
        for name, value in asdict(getattr(settings, concern.name)).items()
    }
