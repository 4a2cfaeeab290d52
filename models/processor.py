"""The whole pure step for a batch of events: bytes in, everything that is to be written out.

It decides; `agents.process` loads what it needs and commits what it returns. Profiles move on in
the user table before they are stored, so whoever cannot store them has to discard them there.
"""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np
import xxhash
from numpy.typing import NDArray

from models.bounded import parts, run_through
from models.contract.cancelled import Outcome
from models.contract.event_codec import EventSettings, decode
from models.contract.events import Kind, RawBatch
from models.contract.interactions import Interactions
from models.contract.json_names import JsonNames
from models.contract.misplaced import Elsewhere, sort_out
from models.contract.outcome import Reason, Rejected
from models.contract.placement import ANYWHERE, Placement
from models.contract.wire import encode_interactions
from models.duplicates import DuplicateFilter
from models.plausibility.doubted import doubt, users_in
from models.plausibility.judge import Plausibility
from models.ranking.list_encoding import Made, encode_lists
from models.ranking.lists import RankedLists
from models.recommender import Recommender
from models.users.arrays import Steps
from models.users.cancelling import Orders, concern, session_ids, step_orders
from models.users.gather import NO_SESSION, ListRequests
from models.users.stored import StoredFields, encode_profiles
from models.users.table import UserTable, name_session
from models.users.writes import UserWrites

NO_SLOTS = np.zeros(0, np.int32)


@dataclass(frozen=True, slots=True)
class Admitted:
    """A batch after decoding and the check for duplicates.

    `interactions` are the accepted events in their users' partition `home` that are no duplicates;
    `users` are theirs, each once, and `user_of` (n,) is the place of each event's user in it.
    `coerced` counts fields in another form by name, `doubts` events by reason and outcome.
    """

    home: int
    interactions: Interactions
    users: list[str]
    user_of: NDArray[np.int32]
    rejected: list[Rejected]
    duplicates: int
    unknown_fields: int
    coerced: Mapping[str, int]
    elsewhere: Elsewhere
    doubts: Mapping[tuple[Reason, str], int]


@dataclass(frozen=True, slots=True)
class Followed:
    """A batch whose sessions are known; columns have one entry an event, but for `own`.

    `slots` (users,) are those of the batch's users in the table, `sessions` the hashes of
    `session_ids`, and `own` (users,) that of the session of each user's last event. `outcomes` is
    None where no order is or was cancelled.
    """

    admitted: Admitted
    slots: NDArray[np.int32]
    items: NDArray[np.int32]
    session_ids: list[str]
    sessions: NDArray[np.uint64]
    own: NDArray[np.uint64]
    outcomes: Sequence[Outcome] | None = None


@dataclass(frozen=True, slots=True)
class Effects:
    """What batches that are handled together lead to; nothing of it is stored yet.

    `homes` and `own` (users,) are the partition of each user, and the hash of the session that led
    to the list. `interactions` has the JSON of each batch's events.
    """

    writes: UserWrites
    homes: NDArray[np.int32]
    own: NDArray[np.uint64]
    lists: RankedLists
    interactions: list[list[bytes]]


def hash_session(session_id: str) -> int:
    """The session's 64-bit number; never 0, which means no session."""
    return xxhash.xxh3_64_intdigest(session_id.encode()) or 1


def admit(
    batch: RawBatch, kind: Kind, seen: DuplicateFilter, settings: EventSettings,
    placement: Placement = ANYWHERE, plausibility: Plausibility | None = None,
) -> Admitted:  # fmt: skip
    """Decode a batch of a source topic; leave out duplicates, events in another partition than
    their user's, and with `plausibility` what can hardly be true. Ids of that are not remembered.
    """
    decoded = decode(batch, kind, settings)
    found, elsewhere = sort_out(batch, decoded.accepted, placement)
    doubted = doubt(batch, found, plausibility)
    found, users = doubted.interactions, doubted.users
    repeated = seen.remember(found.source, found.offsets, found.times, found.ts, found.identities)
    duplicates = int(np.count_nonzero(repeated))
    if duplicates:
        found, users = found.only(~repeated), None
    users = users or users_in(found)
    return Admitted(
        home=batch.home,
        interactions=found,
        users=users.users,
        user_of=users.user_of,
        rejected=decoded.rejected + elsewhere.refused + doubted.rejected,
        duplicates=duplicates,
        unknown_fields=decoded.unknown_fields,
        coerced=decoded.coerced,
        elsewhere=elsewhere,
        doubts=doubted.counts,
    )


def follow(admitted: Admitted, table: UserTable, slots: NDArray[np.int32]) -> Followed:
    """Move the profiles of the batch's users on, and find each event's session.

    `slots` (users,) are those of `admitted.users`. What a profile contains already changes nothing
    in it.
    """
    found = admitted.interactions
    given = found.session_ids
    source, places = table.number_source(found.source)
    steps = Steps(
        slots=slots[admitted.user_of],
        items=table.items.numbers(found.item_ids),
        ts=found.ts,
        offsets=found.offsets,
        named=np.fromiter((session_id is not None for session_id in given), np.bool_, len(given)),
        opened=np.zeros(len(found)),
        places=places,
        source=source,
        kind=int(found.kind),
    )
    if concern(table, steps, found.cancelling):
        return _follow_cancelled(admitted, table, slots, steps)
    table.step(steps)
    session_ids = _session_ids(given, found.user_ids, steps)
    hashes = {session_id: hash_session(session_id) for session_id in set(session_ids)}
    sessions = np.fromiter((hashes[session_id] for session_id in session_ids), np.uint64, len(session_ids))
    own = np.zeros(len(slots), np.uint64)
    own[admitted.user_of] = sessions  # of a user's events, the last one counts
    return Followed(admitted, slots, steps.items, session_ids, sessions, own)


def _follow_cancelled(admitted: Admitted, table: UserTable, slots: NDArray[np.int32], steps: Steps) -> Followed:
    """What `follow` does where orders are or were cancelled: they lead to no session of their
    user's.
    """
    found = admitted.interactions
    cancelling = np.zeros(len(found), np.bool_) if found.cancelling is None else found.cancelling
    outcomes = step_orders(table, steps, Orders(found.orders, cancelling))
    named = session_ids(found.session_ids, found.user_ids, steps, outcomes)
    sessions = np.fromiter((hash_session(each) if each else NO_SESSION for each in named), np.uint64, len(named))
    plain = np.array([each is Outcome.PLAIN for each in outcomes], np.bool_)
    own = np.full(len(slots), NO_SESSION, np.uint64)
    own[admitted.user_of[plain]] = sessions[plain]
    return Followed(admitted, slots, steps.items, named, sessions, own, outcomes)


@dataclass(frozen=True, slots=True)
class ListMaker:
    """Makes lists from a recommender and the table of users. `names` follows the recommender's
    items. Lists leave out `latest` recent items.
    """

    recommender: Recommender
    table: UserTable
    names: JsonNames
    latest: int

    @classmethod
    def of(cls, recommender: Recommender, capacity: int, mark: int = 0) -> Self:
        """Return a maker with an empty table for `capacity` users; `mark` as in `UserTable`."""
        settings = recommender.settings
        table = UserTable(settings.profile, recommender.items, recommender.index.names, capacity, mark)
        return cls(recommender, table, JsonNames(recommender.items), settings.ranking.exclude_recent)

    def request(self, slots: NDArray[np.int32], sessions: NDArray[np.uint64]) -> ListRequests:
        """What lists for the users in these slots are made from; `sessions` (users,) are the hashes
        of their own.
        """
        return self.table.requests(slots, sessions, self.latest)

    def encode(self, user_ids: Sequence[str], asked: ListRequests, lists: RankedLists, now: float) -> list[bytes]:
        """The users' lists as JSON; `now` in seconds."""
        return encode_lists(user_ids, lists, asked.newest_ts, self.names, Made(now, self.recommender.model))


def decide(batches: Sequence[Followed], maker: ListMaker, now: float) -> Effects:
    """New profiles and lists of the users of these batches, each once; `now` in seconds.

    A user whose events were all applied before (a replay) gets a list again, since the first try
    may have stopped between the two.
    """
    return run_through(decide_in_steps(batches, maker, now))


def decide_in_steps(batches: Sequence[Followed], maker: ListMaker, now: float) -> Generator[None, None, Effects]:
    """What `decide` does, some users a step. What is learned between two steps counts in the lists
    of the later one.

    The table's users must stay as they are meanwhile.
    """
    found, lists = _users_of(batches), [RankedLists.empty(0, maker.recommender.settings.ranking.size)]
    profiles: list[StoredFields] = []
    encoded: list[bytes] = []
    for users in parts(len(found.slots), maker.recommender.users_at_once):
        if users.start:
            yield
        asked = maker.request(found.slots[users], found.own[users])
        tastes = maker.recommender.tastes(asked)
        made = maker.recommender.recommend(asked, tastes)
        lists.append(made)
        encoded += maker.encode(found.user_ids[users], asked, made, now)
        profiles += _profiles(maker, found.slots[users], asked, tastes)
    return Effects(
        writes=UserWrites(
            user_ids=found.user_ids,
            profiles=profiles,
            lists=encoded,
            fence=maker.table.supersede(found.slots),
        ),
        homes=found.homes,
        own=found.own,
        lists=RankedLists.joined(lists[1:] or lists),
        interactions=[encode_interactions(e.admitted.interactions, e.session_ids, e.outcomes) for e in batches],
    )


class _Users(NamedTuple):
    user_ids: list[str]
    slots: NDArray[np.int32]
    own: NDArray[np.uint64]
    homes: NDArray[np.int32]


def _users_of(batches: Sequence[Followed]) -> _Users:
    """The users of all batches, each once; of what batches say differently of one, the last
    counts.
    """
    user_ids = [user for each in batches for user in each.admitted.users]
    slots = np.concatenate([NO_SLOTS, *(each.slots for each in batches)])
    own = np.concatenate([np.zeros(0, np.uint64), *(each.own for each in batches)])
    homes = np.repeat(
        np.array([each.admitted.home for each in batches], np.int32), [len(each.slots) for each in batches]
    )
    if len(batches) == 1:
        return _Users(user_ids, slots, own, homes)
    # Counted from the end, so that the first one that is found is the last batch's.
    _, last = np.unique(slots[::-1], return_index=True)
    order = np.sort(len(slots) - 1 - last)
    return _Users([user_ids[row] for row in order.tolist()], slots[order], own[order], homes[order])


def _profiles(
    maker: ListMaker, slots: NDArray[np.int32], asked: ListRequests, tastes: NDArray[np.float32] | None
) -> list[StoredFields]:
    profiles = encode_profiles(maker.table, slots, asked, maker.names)
    return profiles if tastes is None else _with_tastes(profiles, tastes, maker.recommender.vector_model)


def _session_ids(given: Sequence[str | None], user_ids: Sequence[str], steps: Steps) -> list[str]:
    if bool(steps.named.all()):
        return list(given)  # type: ignore[arg-type]  # all are named
    return [
        session_id if session_id is not None else name_session(user, ts)
        for session_id, user, ts in zip(given, user_ids, steps.opened.tolist(), strict=True)
    ]


def _with_tastes(profiles: Sequence[StoredFields], tastes: NDArray[np.float32], model: str) -> list[StoredFields]:
    """With each user's vector as little-endian float16; nothing when its length is 0."""
    vectors = [vector.tobytes() if vector.any() else b"" for vector in tastes.astype("<f2")]
    return [
        {**profile, "vector": vector, "vector_model": model.encode()}
        for profile, vector in zip(profiles, vectors, strict=True)
    ]
