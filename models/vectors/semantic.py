"""From meaning to candidates: what a user likes and wants now as one direction, and the items
nearest to it.

With v the item vectors, x_0 the user's last item, x_1 the one before it, and recent the items of
the profile,

    taste(u) = unit( Σ over recent: weight of its kind · 2 ^ -(age / half life) · v )
    wish(u)  = unit( unit( Σ over p: last_decay ^ p · v(x_p) ) + taste_weight · taste(u) )

The age is counted from the user's newest event (forward decay, Cormode et al., ICDE 2009). A taste
is a function of the profile's recent items and of the vectors as they are now. So it depends
neither on the order of events nor on batches, a vector that comes after the event still counts,
another model needs no migration, and what is stored rounded is never calculated with.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.profile import ProfileSettings
from models.setting import setting
from models.users.gather import NO_SESSION, ListRequests
from models.vectors.fusion import Balance, fuse
from models.vectors.item_vectors import Exclusions, ItemFilters, ItemVectors, SearchLimits, Sums, unit
from models.vectors.scan import Near
from models.vocabulary import Vocabulary


@dataclass(frozen=True, slots=True)
class SemanticSettings:
    """How meaning finds items; the defaults were chosen on UCI Online Retail and MovieLens-100k."""

    candidates: int = setting(
        50, "items nearest in meaning that enter the ranking; 0 leaves meaning out", low=0, high=1000
    )
    compared: int = setting(
        400, "items, at the least, whose vectors are compared exactly; more find nearer ones", low=1, high=100_000
    )
    least_similarity: float = setting(
        0.3, "an item whose cosine with what the user wants is lower is not near in meaning", low=0, high=1
    )
    last_items: int = setting(2, "most recent items of a user that say what is wanted now", low=1, high=50)
    last_decay: float = setting(0.5, "weight of one of them against the one seen after it", low=0, high=1)
    taste_weight: float = setting(0.2, "weight of the user's taste against the last items", low=0, high=100)
    weight: float = setting(1.0, "weight of being near in meaning against being a neighbour's", low=0, high=100)
    rank_offset: float = setting(60.0, "how little the first places differ in weight (RRF's k)", low=0, high=10_000)
    cold_sessions: int = setting(1, "an item seen in fewer sessions than this is cold", low=0, high=500)
    cold_slots: int = setting(1, "places in a list for the cold items nearest in meaning", low=0, high=100)


class Meaning:
    """The vectors of a vocabulary's items, and what they say about users; for one thread at a
    time.
    """

    def __init__(self, settings: SemanticSettings, profile: ProfileSettings, items: Vocabulary) -> None:
        self._settings = settings
        self._profile = profile
        self._items = items
        self.vectors = ItemVectors()

    @property
    def is_used(self) -> bool:
        """Whether there is any vector, and the settings want meaning to count."""
        return len(self.vectors) > 0 and self._settings.candidates > 0

    def tastes(self, requests: ListRequests) -> NDArray[np.float32]:
        """Each user's taste, shape (users, dimension); of length 0 for one who saw nothing that has
        a vector.
        """
        ages = requests.ts - np.repeat(requests.newest_ts, np.diff(requests.starts))
        weights = self._profile.weights[requests.kinds] * np.exp(ages * self._profile.decay_rate)
        return unit(self.vectors.add_up(Sums(requests.items, weights.astype(np.float32), requests.starts)))

    def find(self, wanted: NDArray[np.float32], excluded: Exclusions, filters: ItemFilters, size: int) -> Near:
        """What may enter lists of `size` because it is near to what users want; `wanted` comes from
        `wishes`.
        """
        chosen = self._settings
        limits = SearchLimits(max(chosen.candidates, size), chosen.cold_slots, chosen.compared, chosen.least_similarity)
        return self.vectors.nearest(wanted, excluded, filters, limits)

    def wishes(
        self, items: NDArray[np.int32], starts: NDArray[np.int64], tastes: NDArray[np.float32], last: int
    ) -> NDArray[np.float32]:
        """What each user wants now, shape (users, dimension).

        User u's items, the most recent first, are `items[starts[u]:starts[u + 1]]`; the `last` most
        recent count.
        """
        chosen = self._settings
        lengths = np.diff(starts)
        places = np.arange(len(items)) - np.repeat(starts[:-1], lengths)
        counted = places < last
        decay = (chosen.last_decay ** np.arange(last)).astype(np.float32)
        sums = Sums(items[counted], decay[places[counted]], _starts(np.minimum(lengths, last)))
        now = unit(self.vectors.add_up(sums))
        return unit(now + np.float32(chosen.taste_weight) * tastes)

    def warm_up(self) -> None:
        """Compile everything, or load it from numba's cache, without taking anything in."""
        items = Vocabulary()
        meaning = Meaning(self._settings, self._profile, items)
        numbers = items.numbers(["a"])
        meaning.vectors.set("", numbers, np.ones((1, 1), np.float32))
        filters = ItemFilters(np.ones(1, np.float32), np.ones(1, np.bool_), np.zeros(1, np.uint64))
        request = ListRequests.of_items(numbers, NO_SESSION)
        wanted = meaning.wishes(request.items, request.starts, meaning.tastes(request), 1)
        near = meaning.find(wanted, Exclusions.seen_or_excluded(request), filters, 1)
        fuse(np.zeros((1, 1), np.int32), near, filters.late, Balance(1.0, 1.0, 1))


def _starts(lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
