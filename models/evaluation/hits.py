"""Measure ranked lists by one next item each: how often the list has it, and how high up."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from math import log2


@dataclass(frozen=True, slots=True)
class Quality:
    """Holds means over all predictions; coverage is the share of the catalogue that was shown."""

    predictions: int
    hit_rate: float
    mrr: float
    ndcg: float
    coverage: float


class Evaluation:
    """Counts hits in lists cut at k; each list has one relevant item, and relevance is binary.

    >>> evaluation = Evaluation(k=2)
    >>> evaluation.add(["a", "b", "c"], "b")
    2
    >>> evaluation.add(["a", "b", "c"], "c")
    0
    >>> evaluation.result(catalogue_size=4)
    Quality(predictions=2, hit_rate=0.5, mrr=0.25, ndcg=0.31546487678572877, coverage=0.5)
    """

    def __init__(self, k: int) -> None:
        if k < 1:
            raise ValueError(f"k is {k}, but a list has at least one place")
        self._k = k
        self._predictions = 0
        self._ranks: dict[int, int] = {}
        self._shown: set[Hashable] = set()

    def add(self, ranking: Sequence[Hashable], actual: Hashable) -> int:
        """Count one list, best item first, and the item that really came next. Returns its rank
        from 1, or 0 if the list cut at k does not have it.
        """
        top = ranking[: self._k]
        self._predictions += 1
        self._shown.update(top)
        if actual not in top:
            return 0
        rank = top.index(actual) + 1
        self._ranks[rank] = self._ranks.get(rank, 0) + 1
        return rank

    def result(self, catalogue_size: int) -> Quality:
        """Return the quality so far; all zero before the first prediction.

        MRR is the mean of 1 / rank, NDCG that of 1 / log2(rank + 1) (Järvelin and Kekäläinen, TOIS
        2002); a miss counts 0.
        """
        ranks = sorted(self._ranks.items())
        lists = max(self._predictions, 1)
        return Quality(
            predictions=self._predictions,
            hit_rate=sum(times for _, times in ranks) / lists,
            mrr=sum(times / rank for rank, times in ranks) / lists,
            ndcg=sum(times / log2(rank + 1) for rank, times in ranks) / lists,
            coverage=len(self._shown) / max(catalogue_size, 1),
        )
