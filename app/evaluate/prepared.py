"""Prepares what is evaluated: a recommender that knows the catalogue, with rankers beside it."""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from app.evaluate.catalogue import AssessedItems, ItemRecords, assess_catalogue, describe_goods, learn_catalogue
from app.evaluate.lister import Lister
from app.evaluate.vector_file import load_vectors
from app.settings import Settings
from models.ranker.settings import RankerSettings
from models.recommender import Recommender

Show = Callable[[str], None]


@dataclass(slots=True)
class Preparation:
    """Makes any number of equal listers; models read the catalogue once.

    `left_out` says, after the first one, what they do without.
    """

    settings: Settings
    catalogue: ItemRecords | None
    ranker: str
    learn_from: float
    vectors: Path | None
    with_models: bool
    left_out: Sequence[str] = ()
    _assessed: AssessedItems | None = field(default=None, init=False)
    _is_asked: bool = field(default=False, init=False)

    @classmethod
    def of(cls, args: argparse.Namespace, settings: Settings, catalogue: ItemRecords | None) -> "Preparation":
        """What the arguments of `headrace evaluate` ask for."""
        return cls(settings, catalogue, args.ranker, args.learn_from, args.vectors, with_models=not args.no_models)

    @property
    def models(self) -> dict[str, str]:
        """The keys of the models that read the catalogue, by task."""
        return {} if self._assessed is None else dict(self._assessed.models)

    def lister(self, show: Show) -> Lister:
        """Return one that knows the catalogue, and learned no event.

        Raises HeadraceError when catalogue, vectors or models cannot be used.
        """
        recommender = Recommender(self.settings.recommender)
        items = learn_catalogue(self.catalogue, recommender, self.settings)
        if self.vectors is not None:
            load_vectors(self.vectors, recommender)
        elif self.with_models:
            if not self._is_asked:
                self._assessed, self._is_asked = assess_catalogue(items, self.settings, show), True
            if self._assessed is not None:
                self._assessed.tell(recommender)
        lister = Lister(recommender, self.ranker, RankerSettings(sample=self.learn_from))
        if lister.ranker is not None:
            describe_goods(self.catalogue, recommender, lister.ranker.goods)
        self.left_out = list(self._missing(has_titles=any(each.title for each in items)))
        return lister

    def _missing(self, *, has_titles: bool) -> Sequence[str]:
        if self.catalogue is None:
            return ["catalogue: no items file is beside the events"]
        missing = [] if has_titles else ["titles: no item of the catalogue has one"]
        if self.vectors is None and not self.with_models:
            missing.append("models: --no-models")
        elif self.vectors is None and self._assessed is None and has_titles:
            missing.append("models: none are installed")
        return missing
