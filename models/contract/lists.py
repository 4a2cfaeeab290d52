"""Ranked lists of items, and their JSON: written for other programs, and read back.

Look-ups and the shop's client read it, so nothing here needs numpy.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson


@dataclass(frozen=True, slots=True)
class Ranking:
    """A ranked list as columns of the same length, best first; `sources` say what found each
    item.
    """

    item_ids: tuple[str, ...]
    scores: tuple[float, ...]
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Recommendation:
    """A user's list. `event_ts` is the event time that led to it, `generated_at` the clock's; both
    in seconds.
    """

    user_id: str
    ranking: Ranking
    event_ts: float
    generated_at: float
    model: str


def encode_recommendation(recommendation: Recommendation) -> bytes:
    """The contract's JSON of a user's list."""
    return orjson.dumps(
        {
            "user_id": recommendation.user_id,
            "items": _listed(recommendation.ranking),
            "event_ts": recommendation.event_ts,
            "generated_at": recommendation.generated_at,
            "model": recommendation.model,
        }
    )


def encode_similar(ranking: Ranking, sessions: Sequence[int] = ()) -> bytes:
    """The contract's JSON of what is like an item.

    `sessions` tells how many sessions hold the item and each of the others; 0 is left out.
    """
    rows = _listed(ranking)
    for row, shared in zip(rows, sessions, strict=False):
        if shared:
            row["sessions"] = shared
    return orjson.dumps(rows)


def _listed(ranking: Ranking) -> list[dict[str, Any]]:
    return [
        {"item_id": item_id, "score": score, "source": source}
        for item_id, score, source in zip(ranking.item_ids, ranking.scores, ranking.sources, strict=True)
    ]
