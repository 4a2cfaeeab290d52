"""What is asked for a session, and which sources had what came next among their candidates."""

import numpy as np
from numpy.typing import NDArray

from models.ranker.arrays import NO_ITEM, RECENT, FoundCandidates
from models.ranker.candidates import recent_of
from models.ranker.relations import Prefixes
from models.users.gather import ListRequests

# What finds candidates; source n is bit n of a mask.
SOURCES = ("session", "neighbours", "relations", "category", "brand", "price", "meaning", "popular")


def requests_after(before: Prefixes, own: NDArray[np.uint64]) -> ListRequests:
    """Requests for lists of those who did just what `before` holds; the newest item is excluded.

    `own` (n,) are hashes of their sessions, which are no neighbours of themselves.
    """
    count = len(before.sizes)
    recent = np.full((count, RECENT), NO_ITEM, np.int32)
    recent_of(before.items, before.sizes, recent)
    is_item = recent != NO_ITEM
    starts = np.zeros(count + 1, np.int64)
    np.cumsum(is_item.sum(axis=1), out=starts[1:])
    items = recent[is_item]
    no_times, no_kinds = np.zeros(len(items)), np.zeros(len(items), np.int32)
    looked_at = np.arange(count + 1, dtype=np.int64)
    return ListRequests(items, no_times, no_kinds, starts, recent[:, 0].copy(), looked_at, own)


def found_by(found: FoundCandidates, targets: NDArray[np.int32]) -> NDArray[np.uint16]:
    """The sources that found each list's target, (n,), as masks; 0 where it is no candidate."""
    inside = np.arange(found.items.shape[1]) < found.sizes[:, None]
    match = inside & (found.items == targets[:, None])
    said = found.said[np.arange(len(targets)), match.argmax(axis=1)]
    by_source = (
        said["place"] >= 0,
        said["votes"] > 0,
        said["forward_all"] + said["backward_all"] + said["together_all"] > 0,
        said["category_rank"] > 0,
        said["brand_rank"] > 0,
        said["beside_rank"] > 0,
        said["like_rank"] > 0,
        said["popular_rank"] > 0,
    )
    masks = np.zeros(len(targets), np.uint16)
    for bit, is_source in enumerate(by_source):
        masks |= is_source.astype(np.uint16) << np.uint16(bit)
    return np.where(match.any(axis=1), masks, 0).astype(np.uint16)
