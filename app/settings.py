"""Reads the settings from `HEADRACE_…` environment variables.

They are read once, each default is written once, and every mistake is named.
"""

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import Field, dataclass, field, fields
from typing import Any, TypeVar, get_type_hints

from app.concerns import (
    EmbeddedSettings,
    HttpSettings,
    KafkaSettings,
    LogSettings,
    ModelSettings,
    RedisSettings,
    ServeSettings,
    TraceSettings,
    WorkerSettings,
)
from app.store.secrecy import HIDDEN
from app.web.rules import RuleSettings
from models.catalogue import CatalogueSettings
from models.contract.event_codec import EventSettings
from models.inference.settings import InferenceSettings
from models.neighbours.index import NeighbourSettings
from models.plausibility.settings import PlausibilitySettings
from models.profile import ProfileSettings
from models.quality.second_judge_score import SecondJudgeSettings
from models.quality.text import QualitySettings
from models.ranker.settings import LiveSettings
from models.ranking.lists import RankingSettings
from models.recommender import RecommenderSettings
from models.trending import TrendingSettings
from models.vectors.semantic import SemanticSettings

T = TypeVar("T")

PREFIX = "HEADRACE"
# such as HEADRACE_TEST_DATA, which tests pass on to the commands that they start
FOR_TESTS = "HEADRACE_TEST_"
TRUE = ("1", "true", "yes", "on")
FALSE = ("0", "false", "no", "off")


class InvalidSetting(ValueError):
    """A variable has a value that is not allowed.

    The message names the variable and the allowed values.
    """


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of every concern. The name of a field is the second word of its variables."""

    kafka: KafkaSettings = field(default_factory=KafkaSettings)
    redis: RedisSettings = field(default_factory=RedisSettings)
    worker: WorkerSettings = field(default_factory=WorkerSettings)
    serve: ServeSettings = field(default_factory=ServeSettings)
    rules: RuleSettings = field(default_factory=RuleSettings)
    http: HttpSettings = field(default_factory=HttpSettings)
    model: ModelSettings = field(default_factory=ModelSettings)
    inference: InferenceSettings = field(default_factory=InferenceSettings)
    log: LogSettings = field(default_factory=LogSettings)
    trace: TraceSettings = field(default_factory=TraceSettings)
    embedded: EmbeddedSettings = field(default_factory=EmbeddedSettings)
    events: EventSettings = field(default_factory=EventSettings)
    plausibility: PlausibilitySettings = field(default_factory=PlausibilitySettings)
    profile: ProfileSettings = field(default_factory=ProfileSettings)
    neighbours: NeighbourSettings = field(default_factory=NeighbourSettings)
    trending: TrendingSettings = field(default_factory=TrendingSettings)
    ranking: RankingSettings = field(default_factory=RankingSettings)
    quality: QualitySettings = field(default_factory=QualitySettings)
    judge: SecondJudgeSettings = field(default_factory=SecondJudgeSettings)
    semantic: SemanticSettings = field(default_factory=SemanticSettings)
    catalogue: CatalogueSettings = field(default_factory=CatalogueSettings)
    ranker: LiveSettings = field(default_factory=LiveSettings)

    @property
    def recommender(self) -> RecommenderSettings:
        """The settings of all that the recommender is made of."""
        return RecommenderSettings(
            neighbours=self.neighbours,
            trending=self.trending,
            ranking=self.ranking,
            profile=self.profile,
            semantic=self.semantic,
            catalogue=self.catalogue,
        )


@dataclass(frozen=True, slots=True)
class Variable:
    """One environment variable: its name, what it means, and its default as text.

    The value of a `secret` is never shown.
    """

    name: str
    help: str
    default: str
    secret: bool = False


def load(environ: Mapping[str, str]) -> Settings:
    """Return all settings, read from `environ`.

    Raises InvalidSetting, also for a `HEADRACE_…` name that does not exist.
    """
    known = {variable.name for variable in variables()}
    ours = [name for name in environ if name.startswith(f"{PREFIX}_") and not name.startswith(FOR_TESTS)]
    unknown = sorted(name for name in ours if name not in known)
    if unknown:
        raise InvalidSetting(f"{unknown[0]} is not a setting; `.env.example` lists all of them")
    return Settings(**{concern.name: _load_concern(concern, environ) for concern in fields(Settings)})


def secret_values(environ: Mapping[str, str]) -> list[str]:
    """Return the values of all secret settings in `environ`, even if they cannot be used."""
    return [environ[each.name] for each in variables() if each.secret and environ.get(each.name)]


def mask(text: str) -> str:
    """Return the value of a setting, with everything before the host of an address hidden."""
    secret, at, host = text.rpartition("@")
    scheme, there, _ = secret.partition("://")
    return f"{scheme if there else ''}{there}{HIDDEN}@{host}" if at else text


def variables() -> Iterator[Variable]:
    """Yield every environment variable that Headrace reads, in the order of `.env.example`."""
    for concern in fields(Settings):
        for each in fields(_concern_class(concern)):
            meta = each.metadata
            yield Variable(_variable_name(concern, each), meta["help"], _written(each.default), meta["secret"])


def _load_concern(concern: Field[Any], environ: Mapping[str, str]) -> Any:
    cls = _concern_class(concern)
    types = get_type_hints(cls)
    given = {
        each.name: _parse(_variable_name(concern, each), environ[_variable_name(concern, each)], types[each.name], each)
        for each in fields(cls)
        if _variable_name(concern, each) in environ
    }
    return cls(**given)


def _concern_class(concern: Field[Any]) -> Any:
    return concern.default_factory


def _variable_name(concern: Field[Any], each: Field[Any]) -> str:
    return f"{PREFIX}_{concern.name.upper()}_{each.name.upper()}"


def _parse(name: str, text: str, kind: Any, each: Field[Any]) -> Any:
    choices = each.metadata["choices"]
    if choices and text not in choices:
        raise InvalidSetting(f"{name}={mask(text)!r}: use one of {', '.join(choices)}")
    if (form := each.metadata["form"]) and not re.fullmatch(form[0], text):
        shown = HIDDEN if each.metadata["secret"] else mask(text)
        raise InvalidSetting(f"{name}={shown!r}: use {form[1]}")
    if kind is bool:
        return _parse_bool(name, text)
    if kind in (int, float):
        return _parse_number(name, text, kind, each)
    return text


def _parse_bool(name: str, text: str) -> bool:
    if text.lower() in TRUE:
        return True
    if text.lower() in FALSE:
        return False
    raise InvalidSetting(f"{name}={mask(text)!r}: use one of {', '.join(TRUE + FALSE)}")


def _parse_number(name: str, text: str, kind: type[int] | type[float], each: Field[Any]) -> float:
    low, high = each.metadata["low"], each.metadata["high"]
    allowed = f"a{'n integer' if kind is int else ' number'}"
    allowed += f" of at least {low:g}" if low is not None else ""
    allowed += f"{' and' if low is not None else ' of'} at most {high:g}" if high is not None else ""
    try:
        value = kind(text)
    except ValueError:
        raise InvalidSetting(f"{name}={mask(text)!r}: use {allowed}") from None
    too_low, too_high = low is not None and value < low, high is not None and value > high
    if too_low or too_high or not math.isfinite(value):
        raise InvalidSetting(f"{name}={mask(text)!r}: use {allowed}")
    return value


def _written(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
