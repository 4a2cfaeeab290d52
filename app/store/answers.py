"""What a look-up answers, decoded from raw Redis values without touching Redis."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

import orjson

from app.store import item_fields
from app.store.connection import UnreadableAnswer
from models.contract import lists
from models.contract.lists import Ranking

TRENDING = "trending"
SEMANTIC = "semantic"
COUNTED_AT = "at"  # stands among the counts: the time as of which they are decayed


@dataclass(frozen=True, slots=True)
class CatalogueEntry:
    """What the catalogue says of an item; empty and shown for a shop without a catalogue.

    `quality`, `reasons` and `recommendable` are None where no model judged its text.
    """

    item_id: str
    title: str | None = None
    category: str | None = None
    brand: str | None = None
    price: float | None = None
    currency: str | None = None
    available: bool = True
    deleted: bool = False
    quality: float | None = None
    reasons: tuple[str, ...] | None = None
    recommendable: bool | None = None
    known: bool = False

    def shown(self, *, known_only: bool) -> bool:
        """Whether look-ups may still show the item, whatever an older list says."""
        is_listed = self.known or not known_only
        return is_listed and self.available and not self.deleted and self.recommendable is not False


@dataclass(frozen=True, slots=True)
class ListedItem:
    """One entry of a list, best first, with what the catalogue says of it."""

    item_id: str
    score: float
    source: str
    title: str | None = None
    category: str | None = None
    brand: str | None = None
    price: float | None = None
    currency: str | None = None


@dataclass(frozen=True, slots=True)
class RecommendationList:
    """A user's list. The times are seconds since 1970, and None where the trending list stands in."""

    user_id: str
    items: tuple[ListedItem, ...]
    event_ts: float | None
    generated_at: float | None
    model: str


@dataclass(frozen=True, slots=True)
class RecentInteraction:
    """Something the user did; `ts` is event time in seconds since 1970.

    `unknown` is whether there is a catalogue which never had this item.
    """

    item_id: str
    ts: float
    kind: str
    title: str | None = None
    category: str | None = None
    unknown: bool = False


@dataclass(frozen=True, slots=True)
class UserHistory:
    """What is remembered of a user: the newest interactions first, and decayed counts by kind."""

    user_id: str
    recent: tuple[RecentInteraction, ...]
    counts: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class RecentUser:
    """A user whose list was written lately; `generated_at` in seconds since 1970."""

    user_id: str
    generated_at: float


@dataclass(frozen=True, slots=True)
class WorkerFigures:
    """One worker's live figures: counters since its start, a rate, and freshness in seconds."""

    worker_id: str
    ts: float
    accepted: int = 0
    duplicates: int = 0
    quarantined: int = 0
    items_quarantined: int = 0
    recommendations: int = 0
    events_per_second: float = 0.0
    freshness_p50: float | None = None
    freshness_p99: float | None = None
    lag: int | None = None
    ready: bool = False


@dataclass(frozen=True, slots=True)
class LiveFigures:
    """All workers together: counters and rates added up; freshness is the slowest worker's, in seconds."""

    accepted: int
    duplicates: int
    quarantined: int
    items_quarantined: int
    recommendations: int
    events_per_second: float
    freshness_p50: float | None
    freshness_p99: float | None
    lag: int | None
    workers: tuple[WorkerFigures, ...] = field(default=())


def decode_list(raw: bytes) -> RecommendationList:
    """A stored list. Raises UnreadableAnswer."""
    try:
        stored = lists.decode_recommendation(raw)
    except ValueError as error:
        raise UnreadableAnswer(f"A stored list is not what Headrace writes: {error}") from None
    return RecommendationList(
        user_id=stored.user_id,
        items=_listed(stored.ranking),
        event_ts=stored.event_ts,
        generated_at=stored.generated_at,
        model=stored.model,
    )


def decode_similar(raw: bytes | None) -> tuple[ListedItem, ...]:
    """An item's stored neighbours, none for a missing key. Raises UnreadableAnswer."""
    try:
        return _listed(lists.decode_similar(raw)) if raw is not None else ()
    except ValueError as error:
        raise UnreadableAnswer(f"Stored neighbours are not what Headrace writes: {error}") from None


def decode_near(item_id: str, reply: Any) -> tuple[ListedItem, ...]:
    """What the vector set finds near an item, without the item; none where it has no vector."""
    pairs = tuple(reply.items()) if isinstance(reply, Mapping) else decode_ranked(reply or ())
    named = ((name.decode() if isinstance(name, bytes) else name, score) for name, score in pairs)
    # Redis gives (1 + cosine) / 2.
    return tuple(ListedItem(name, round(2 * float(score) - 1, 6), SEMANTIC) for name, score in named if name != item_id)


def trending_list(user_id: str, ranked: Sequence[tuple[str, float]]) -> RecommendationList:
    """The list of a user who has none of his own."""
    items = tuple(ListedItem(item_id, score, TRENDING) for item_id, score in ranked)
    return RecommendationList(user_id, items, event_ts=None, generated_at=None, model=TRENDING)


def decode_item(item_id: str, values: Sequence[bytes | None]) -> CatalogueEntry:
    """A catalogue entry from the values of item_fields.ENTRY_FIELDS, in their order. Raises UnreadableAnswer."""
    try:
        return CatalogueEntry(item_id, **item_fields.decode_entry(values))
    except ValueError as error:
        raise UnreadableAnswer(f"A stored item is not what Headrace writes: {error!r}") from None


def decode_history(user_id: str, recent: bytes | None, counts: bytes | None) -> UserHistory | None:
    """A profile's readable part, or None for a user without a profile. Raises UnreadableAnswer."""
    if recent is None:
        return None
    try:
        rows = tuple(RecentInteraction(item_id, ts, kind) for item_id, ts, kind in orjson.loads(recent))
        stored = orjson.loads(counts or b"{}")
        return UserHistory(user_id, rows, {kind: stored[kind] for kind in stored if kind != COUNTED_AT})
    except (ValueError, TypeError) as error:
        raise UnreadableAnswer(f"A stored profile is not what Headrace writes: {error!r}") from None


def decode_worker(raw: bytes) -> WorkerFigures:
    """One worker's figures; what an older one does not write keeps its default. Raises UnreadableAnswer."""
    try:
        stored = orjson.loads(raw)
        known = WorkerFigures.__dataclass_fields__
        return WorkerFigures(**{name: value for name, value in stored.items() if name in known})
    except (ValueError, AttributeError, TypeError) as error:
        raise UnreadableAnswer(f"A worker's figures are not what Headrace writes: {error!r}") from None


def decode_ranked(reply: Sequence[Any]) -> tuple[tuple[str, float], ...]:
    """Members and scores of a sorted set, whether Redis paired them (RESP3) or not (RESP2)."""
    pairs = reply if reply and isinstance(reply[0], list | tuple) else zip(reply[::2], reply[1::2], strict=True)
    return tuple((member.decode(), float(score)) for member, score in pairs)


def decode_flag(raw: bytes | None) -> bool:
    """A stored truth value, false for a missing key."""
    return raw == b"1"


def shown_items(
    items: Iterable[ListedItem], catalogue: Mapping[str, CatalogueEntry], k: int, *, known_only: bool
) -> tuple[ListedItem, ...]:
    """The first k items that may still be shown, each with its catalogue entry joined in.

    With `known_only`, items without an entry are left out.
    """
    shown = (item for item in items if catalogue[item.item_id].shown(known_only=known_only))
    return tuple(islice((_join(item, catalogue[item.item_id]) for item in shown), k))


def joined_history(history: UserHistory, catalogue: Mapping[str, CatalogueEntry], *, known_only: bool) -> UserHistory:
    """The history with what the catalogue says of each item."""
    entries = ((row, catalogue[row.item_id]) for row in history.recent)
    rows = (
        replace(row, title=entry.title, category=entry.category, unknown=known_only and not entry.known)
        for row, entry in entries
    )
    return replace(history, recent=tuple(rows))


def sum_figures(workers: Sequence[WorkerFigures]) -> LiveFigures:
    """All workers as one. Percentiles cannot be added up, so the slowest worker's stand for all."""
    return LiveFigures(
        accepted=sum(worker.accepted for worker in workers),
        duplicates=sum(worker.duplicates for worker in workers),
        quarantined=sum(worker.quarantined for worker in workers),
        items_quarantined=sum(worker.items_quarantined for worker in workers),
        recommendations=sum(worker.recommendations for worker in workers),
        events_per_second=sum(worker.events_per_second for worker in workers),
        freshness_p50=_slowest(worker.freshness_p50 for worker in workers),
        freshness_p99=_slowest(worker.freshness_p99 for worker in workers),
        lag=sum(lags) if (lags := [worker.lag for worker in workers if worker.lag is not None]) else None,
        workers=tuple(sorted(workers, key=lambda worker: worker.worker_id)),
    )


def _listed(ranking: Ranking) -> tuple[ListedItem, ...]:
    return tuple(map(ListedItem, ranking.item_ids, ranking.scores, ranking.sources))


def _join(item: ListedItem, entry: CatalogueEntry) -> ListedItem:
    return ListedItem(
        item.item_id,
        item.score,
        item.source,
        entry.title,
        entry.category,
        entry.brand,
        entry.price,
        entry.currency,
    )


def _slowest(values: Iterable[float | None]) -> float | None:
    return max((value for value in values if value is not None), default=None)
