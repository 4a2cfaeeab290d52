"""A worker that learns to rank, without servers: a clock set by hand, and an outbox in memory."""

import numpy as np
from builders import batch
from fakes import MemoryOutbox
from prometheus_client import CollectorRegistry
from small_lists import log_of

from agents.list_metrics import RankerMetrics
from agents.rank import Rank
from models.contract.events import RawBatch
from models.ranker.live import LiveRanker
from models.ranker.settings import LEARNED
from models.recommender import LearningBatch, Recommender, RecommenderSettings
from models.users.gather import ListRequests

ITEMS = 60


class Timer:
    """A clock that is set by hand: work takes no time."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


class Worker:
    """What one worker knows of ranking."""

    def __init__(self, name: str, *, trains: bool = True, share: float = 0.5) -> None:
        self.recommender = Recommender(RecommenderSettings())
        self.recommender.items.numbers(f"item {number:03}" for number in range(ITEMS))
        self.outbox, self.timer = MemoryOutbox(), Timer()
        self.rank = Rank(
            live=LiveRanker(self.recommender, LEARNED),
            share=share,
            metrics=RankerMetrics(CollectorRegistry()),
            outbox=self.outbox,
            trains=lambda: trains,
            trainer=name,
            timer=self.timer,
        )

    def learn(self, events: LearningBatch, at_once: int = 64) -> None:
        for first in range(0, len(events.items), at_once):
            rows = slice(first, first + at_once)
            part = LearningBatch(events.items[rows], events.sessions[rows], events.ts[rows], events.kinds[rows])
            self.timer.now += 10.0
            self.rank.learn(part, [f"user {session}" for session in part.sessions.tolist()])

    def published(self) -> RawBatch:
        return batch(*(value for _, value in self.outbox.ranker_log), keys=[key for key, _ in self.outbox.ranker_log])

    def listed(self, item: int) -> list[int]:
        lists = self.recommender.recommend(ListRequests.of_items(np.array([item], np.int32), 0))
        return [int(each) for each in lists.items[0]]


def events_of(sessions: int, seed: int = 1) -> LearningBatch:
    random = np.random.default_rng(seed)
    firsts = random.integers(ITEMS, size=sessions)
    return log_of([[(first + step) % ITEMS for step in range(5)] for first in firsts.tolist()])
