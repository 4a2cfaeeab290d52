"""Compiles what numba compiles, once after installing: the first worker need not wait for it."""

from models.contract.event_codec import EventSettings
from models.core.warm_up import warm_up
from models.recommender import RecommenderSettings

warm_up(RecommenderSettings(), EventSettings())
