"""Compiles what numba compiles, once after installing: the first worker need not wait for it."""

from models.contract.event_codec import EventSettings
from models.duplicates import DuplicateFilter
from models.recommender import Recommender, RecommenderSettings

events = EventSettings()
Recommender(RecommenderSettings()).warm_up()
DuplicateFilter(events.duplicate_window_seconds, events.duplicate_memory).warm_up()
