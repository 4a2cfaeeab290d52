"""Compares a stored profile with one that was made again from the log."""

import math

from models.profile import Profile, ProfileSettings, Seen

# Counts of events that came back in another order, after a crash, differ in their last digits.
TOLERANCE = 1e-9


def differing_fields(stored: Profile, rebuilt: Profile) -> list[str]:
    """The names of the parts in which the profiles differ.

    >>> differing_fields(Profile(), Profile(applied={"views-0": 3}))
    ['applied']
    """
    same = {
        "recent": stored.recent == rebuilt.recent,
        "bought": stored.bought == rebuilt.bought,
        "counts": stored.counted_at == rebuilt.counted_at and _are_close(stored.counts, rebuilt.counts),
        "session": stored.session == rebuilt.session,
        "applied": dict(stored.applied) == dict(rebuilt.applied),
        "cancelled": stored.cancelled == rebuilt.cancelled,
    }
    return [name for name, is_same in same.items() if not is_same]


def contradicted_fields(stored: Profile, rebuilt: Profile, limits: ProfileSettings) -> list[str]:
    """The names of the parts in which the stored profile lacks what the log has.

    For a log that begins later than the profile: what is older than the log cannot be compared, and
    neither can a session.
    """
    holds = {
        "recent": _has_all(stored.recent, rebuilt.recent, limits.recent_items),
        "bought": _has_all(stored.bought, rebuilt.bought, limits.bought_items),
        "counts": stored.counted_at >= rebuilt.counted_at and _has_counts(stored, rebuilt),
        "applied": all(stored.applied.get(source) == offset for source, offset in rebuilt.applied.items()),
    }
    return [name for name, is_so in holds.items() if not is_so]


def is_ahead(stored: Profile, rebuilt: Profile, *, is_whole: bool) -> bool:
    """Whether the stored profile holds events that are not in the log, or not yet.

    A source that is not in the log says so only where the log `is_whole`.
    """
    unknown = -1 if is_whole else math.inf
    return any(offset > rebuilt.applied.get(source, unknown) for source, offset in stored.applied.items())


def _are_close(counts: tuple[float, ...], others: tuple[float, ...]) -> bool:
    pairs = zip(counts, others, strict=True)
    return all(math.isclose(one, other, rel_tol=TOLERANCE, abs_tol=TOLERANCE) for one, other in pairs)


def _has_counts(stored: Profile, rebuilt: Profile) -> bool:
    """Whether no count is below the log's.

    Counts only fade as their time goes on. Where the stored time is later, an older event than the
    log's has it, and the counts are as of different times.
    """
    if stored.counted_at != rebuilt.counted_at:
        return True
    pairs = zip(stored.counts, rebuilt.counts, strict=True)
    return all(have >= count or math.isclose(have, count, rel_tol=TOLERANCE) for have, count in pairs)


def _has_all(stored: tuple[Seen, ...], rebuilt: tuple[Seen, ...], limit: int) -> bool:
    """Whether each entry is stored, or was displaced by larger ones."""
    newest = {seen.item_id: seen for seen in stored}
    least = stored[-1] if stored and len(stored) >= limit else None
    for seen in rebuilt:
        found = newest.get(seen.item_id)
        is_there = found is not None and found >= seen
        if not is_there and (least is None or seen > least):
            return False
    return True
