"""From candidates to a ranked list: neighbours first, then what is trending, ties broken by item id."""

from collections.abc import Container, Iterable
from dataclasses import dataclass
from itertools import islice

from models.events import Ranking
from models.setting import setting
from models.trending import Popular

SCORE_DIGITS = 6


@dataclass(frozen=True, slots=True)
class RankingSettings:
    """What a list looks like."""

    size: int = setting(20, "items in a list", low=1, high=100)
    exclude_recent: int = setting(1, "latest items of the user that are kept out: what is being looked at", low=0)


def rank(
    neighbours: Iterable[tuple[str, float]],
    fallbacks: Iterable[tuple[str, tuple[Popular, ...]]],
    excluded: Container[str],
    size: int,
) -> Ranking:
    """Neighbours by score, then each fallback's items in its order until `size` are found.

    A fallback's scores are its popularity scaled to stand below everything before it.
    """
    ranked = sorted((-round(score, SCORE_DIGITS), item_id) for item_id, score in neighbours)[:size]
    item_ids = [item_id for _, item_id in ranked]
    scores = [-score for score, _ in ranked]
    sources = ["neighbours"] * len(ranked)
    for source, popular in fallbacks:
        if len(item_ids) >= size:
            break
        listed = set(item_ids)
        shown = (each for each in popular if each.item_id not in listed and each.item_id not in excluded)
        found = list(islice(shown, size - len(item_ids)))
        if found:
            item_ids += [each.item_id for each in found]
            scores += _scores_below(scores, found)
            sources += [source] * len(found)
    return Ranking(tuple(item_ids), tuple(scores), tuple(sources))


def _scores_below(scores: list[float], found: list[Popular]) -> list[float]:
    best = -found[0].minus_share
    if best == 0.0:  # forgotten so long that it is below the smallest number
        return [0.0] * len(found)
    highest = 0.5 * scores[-1] if scores else best
    return [round(highest * (-each.minus_share / best), SCORE_DIGITS) for each in found]
