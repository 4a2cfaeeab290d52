"""Joins what a worker needs to judge whether events are plausible."""

from models.plausibility.judge import Plausibility
from models.plausibility.settings import PlausibilitySettings
from models.recommender import Recommender


def build_plausibility(settings: PlausibilitySettings, recommender: Recommender) -> Plausibility:
    """Return a judge that knows the recommender's catalogue; its code is compiled."""
    plausibility = Plausibility(settings, recommender.items, recommender.catalogue)
    plausibility.warm_up()
    return plausibility
