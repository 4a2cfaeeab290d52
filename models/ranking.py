"""From candidates to a ranked list: what was found for the user, then what is trending, ties broken by item id."""

from collections.abc import Collection, Container, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice

from models.contract.lists import Ranking
from models.setting import setting
from models.trending import Popular

SCORE_DIGITS = 6
SHARE_DIGITS = 12


@dataclass(frozen=True, slots=True)
class RankingSettings:
    """What a list looks like."""

    size: int = setting(20, "items in a list", low=1, high=100)
    exclude_recent: int = setting(1, "latest items of the user that are kept out: what is being looked at", low=0)


@dataclass(frozen=True, slots=True)
class Candidates:
    """Items with their scores, in no order; which of them were found by meaning, and which must have a place."""

    scored: Sequence[tuple[str, float]]
    by_meaning: Container[str] = ()
    reserved: Collection[str] = ()


def rank(
    candidates: Candidates,
    fallbacks: Iterable[tuple[str, tuple[Popular, ...]]],
    excluded: Container[str],
    size: int,
) -> Ranking:
    """Candidates by score, then each fallback's items in its order until `size` are found.

    Reserved items take the place of the last others. A fallback's scores are its popularity scaled to stand below
    everything before it.
    """
    ranked = _best(candidates, size)
    item_ids = [item_id for _, item_id in ranked]
    scores = [-score for score, _ in ranked]
    sources = ["semantic" if item_id in candidates.by_meaning else "neighbours" for item_id in item_ids]
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


def _best(candidates: Candidates, size: int) -> list[tuple[float, str]]:
    ranked = sorted((-round(score, SCORE_DIGITS), item_id) for item_id, score in candidates.scored)
    reserved = candidates.reserved
    if not reserved or len(ranked) <= size:
        return ranked[:size]
    having = [each for each in ranked if each[1] in reserved][:size]
    others = [each for each in ranked if each[1] not in reserved][: size - len(having)]
    return sorted(having + others)


def _scores_below(scores: list[float], found: list[Popular]) -> list[float]:
    best = -found[0].minus_share
    highest = 0.5 * scores[-1] if scores else best
    # Significant digits: what is a million times less popular than the best still has its own score.
    return [float(f"{highest * (-each.minus_share / best):.{SHARE_DIGITS}g}") for each in found]
