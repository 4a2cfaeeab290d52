"""The compiled kernels behind the interfaces of `reference`, so that tests can ask both the
same.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from itertools import groupby

import numpy as np
from numpy.typing import NDArray
from reference import Event, Found

from models.contract.events import KIND_OF_TOPIC, Kind
from models.contract.lists import Ranking
from models.neighbours.name_table import NameTable
from models.profile import Profile, ProfileSettings
from models.ranking.kernel import Marks, Shop, with_room
from models.ranking.kernel import rank as rank_lists
from models.ranking.lists import Candidates, RankedLists
from models.ranking.popularity import Popularity
from models.trending import Popular
from models.users.arrays import Steps
from models.users.gather import ListRequests
from models.users.table import MISSING, UserTable
from models.vocabulary import Vocabulary


def rank(
    found: Found, fallbacks: Iterable[tuple[str, Sequence[Popular]]], excluded: Collection[str], size: int
) -> Ranking:
    """`reference.rank` by the compiled kernel. All fallbacks but the last are categories."""
    items = Vocabulary()
    rows = [row for _, row in fallbacks] or [()]
    # Names are numbered against their order, which must not matter.
    known = {name for name, _ in found.scored} | {each.item_id for row in rows for each in row} | set(excluded)
    items.numbers(sorted(known, reverse=True))
    in_category = items.numbers(f"seen {number}" for number in range(len(rows) - 1))
    category = np.full(len(items), -1, np.int32)
    category[in_category] = np.arange(len(rows) - 1)
    names = NameTable(items)
    names.catch_up()
    lists = RankedLists.empty(1, size)
    marks = with_room(Marks(np.zeros(0, np.int64), np.zeros(0, np.int64), 0), len(items), len(rows))
    rank_lists(
        _candidates(found, items),
        _request(in_category, items.numbers(excluded)),
        Shop(names.text, names.starts, category),
        _popularity(rows, items),
        marks,
        lists,
    )
    return lists.ranking(0, items.names)


def _candidates(found: Found, items: Vocabulary) -> Candidates:
    names = [name for name, _ in found.scored]
    return Candidates(
        items.numbers(names).reshape(1, -1),
        np.array([[score for _, score in found.scored]], np.float64),
        np.array([[name in found.by_meaning for name in names]], np.bool_),
        np.array([[name in found.reserved for name in names]], np.bool_),
    )


def _request(seen: NDArray[np.int32], excluded: NDArray[np.int32]) -> ListRequests:
    request = ListRequests.of_items(seen, 0)
    return request._replace(excluded=excluded, excluded_starts=np.array([0, len(excluded)], np.int64))


def _popularity(rows: Sequence[Sequence[Popular]], items: Vocabulary) -> Popularity:
    flat = [each for row in rows for each in row]
    starts = np.concatenate([[0], np.cumsum([len(row) for row in rows])]).astype(np.int64)
    return Popularity(
        items.numbers(each.item_id for each in flat), np.array([-each.minus_share for each in flat]), starts
    )


def table_of(settings: ProfileSettings, capacity: int = 100) -> UserTable:
    """An empty table with a vocabulary of its own."""
    items = Vocabulary()
    return UserTable(settings, items, NameTable(items), capacity)


def kind_of(source: str) -> Kind:
    """The kind of a source's events."""
    return next(kind for topic, kind in KIND_OF_TOPIC.items() if source.startswith(topic))


def slots_of(table: UserTable, users: Sequence[str]) -> NDArray[np.int32]:
    """The users' slots; those that are not in the table are new users."""
    slots = table.find(users)
    missing = [user for user, slot in zip(users, slots.tolist(), strict=True) if slot == MISSING]
    slots[slots == MISSING] = table.add(dict.fromkeys(missing))
    return slots


def follow(table: UserTable, events: Sequence[tuple[str, Event]]) -> list[float]:
    """Apply events of one source, each with its user, none of which names a session; the times that
    name those.
    """
    users = list(dict.fromkeys(user for user, _ in events))
    slots = dict(zip(users, slots_of(table, users).tolist(), strict=True))
    source = events[0][1].source
    number, places = table.number_source(source)
    steps = Steps(
        slots=np.array([slots[user] for user, _ in events], np.int32),
        items=table.items.numbers(event.item_id for _, event in events),
        ts=np.array([event.ts for _, event in events]),
        offsets=np.array([event.offset for _, event in events], np.int64),
        named=np.zeros(len(events), np.bool_),
        opened=np.zeros(len(events)),
        places=places,
        source=number,
        kind=events[0][1].kind,
    )
    table.step(steps)
    opened: list[float] = steps.opened.tolist()
    return opened


def step(profile: Profile, events: Sequence[Event], settings: ProfileSettings) -> Profile:
    """`reference.step` by the compiled kernel; events that follow each other with one source and
    kind are a batch.
    """
    table = table_of(settings)
    table.find([])
    [slot] = table.add({"u1": profile}).tolist()
    for _, run in groupby(events, key=lambda event: (event.source, event.kind)):
        follow(table, [("u1", event) for event in run])
    return replace(table.profile(slot), session=profile.session)
