"""The profiles of active users in arrays: a slot a user, numbers instead of item ids."""

import re
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from models.contract.events import LOG_MARK, Kind
from models.neighbours.name_table import NameTable
from models.profile import Cancelled, Profile, ProfileSettings, Seen, Session
from models.users.arrays import (
    APPLIED,
    BOUGHT,
    END,
    LISTS,
    OPENED,
    RECENT,
    START,
    Names,
    ProfileLimits,
    Steps,
    UserArrays,
    empty_arrays,
    with_entries,
    with_slots,
)
from models.users.gather import ListRequests
from models.users.revision import NO_REVISION, Fence, next_revisions, pack_revisions
from models.users.step import advance, put_list, release
from models.vocabulary import Vocabulary

FIRST_SLOTS = 1024
FIRST_ENTRIES = 1 << 14
MISSING = -1
OPENED_TEXT = re.compile(r"-?\d+\.\d{3}", re.ASCII)
EVICTED_SHARE = 16  # one in 16 users is dropped at once, so that the oldest are looked for seldom


class UserTable:
    """Profiles by user id; for one thread at a time.

    At most `capacity` users stay between two batches; those used longest ago go first. `forget`
    takes effect with the next `find`, so that a batch in work ends with the profiles with which it
    began.
    """

    def __init__(
        self, settings: ProfileSettings, items: Vocabulary, names: NameTable, capacity: int, mark: int = 0
    ) -> None:
        """`names` follows `items`, the vocabulary of item ids. `mark`, drawn by chance, tells the
        writes of this table from those of other workers.
        """
        self.limits = ProfileLimits(settings.recent_items, settings.bought_items, settings.decay_rate)
        self.items = items
        self._names = names
        self._capacity = capacity
        self._places = Vocabulary()
        self.sources = Vocabulary()
        self._source_names = NameTable(self.sources)
        self._place_of = np.zeros(0, np.int32)
        self.arrays: UserArrays = empty_arrays(FIRST_SLOTS, FIRST_ENTRIES, len(Kind))
        self._slot_of: dict[str, int] = {}
        self._users: list[str] = []
        self._used = np.zeros(FIRST_SLOTS, np.int64)
        self._revisions = np.full(FIRST_SLOTS, NO_REVISION, np.uint64)
        self._mark = mark
        self._free: list[int] = []
        self._tick = 0
        self._forgotten = False
        self._old: set[int] = set()
        # By slot, the cancelled orders of those few users who have any, by number.
        self.cancelled: dict[int, dict[int, Cancelled]] = {}

    def __len__(self) -> int:
        """The number of users."""
        return 0 if self._forgotten else len(self._slot_of)

    @property
    def memory_bytes(self) -> int:
        """Bytes that the arrays take; ids of users take about 150 more each."""
        return sum(array.nbytes for array in self.arrays) + self._used.nbytes + self._revisions.nbytes

    def find(self, user_ids: Sequence[str]) -> NDArray[np.int32]:
        """The users' slots, MISSING for those that have none; shape (n,). They stay at least until
        the next `find`.
        """
        if self._forgotten:
            self._clear()
        self._tick += 1
        slots = np.fromiter((self._slot_of.get(user, MISSING) for user in user_ids), np.int32, len(user_ids))
        self._used[slots[slots != MISSING]] = self._tick
        self._evict(int(np.count_nonzero(slots == MISSING)))
        return slots

    def add(self, profiles: Mapping[str, Profile | None]) -> NDArray[np.int32]:
        """Take in users that `find` missed; None for a new user. Their slots, in the order of the
        users.
        """
        slots = np.array([self._take_slot(user) for user in profiles], np.int32)
        self._used[slots] = self._tick
        for slot, profile in zip(slots.tolist(), profiles.values(), strict=True):
            if profile is not None:
                self._put(slot, profile)
        return slots

    def replace(self, slots: NDArray[np.int32], profiles: Sequence[Profile | None]) -> None:
        """Give users that are in the table these profiles; None for one of which nothing is
        stored.
        """
        self._old.difference_update(slots.tolist())
        self._drop_marks(slots)
        self._revisions[slots] = NO_REVISION
        release(self.arrays, slots)
        for slot, profile in zip(slots.tolist(), profiles, strict=True):
            if profile is not None:
                self._put(slot, profile)

    def note_old(self, slots: NDArray[np.int32]) -> None:
        """Remember that these users' stored profiles have fields of version 0.1.0."""
        self._old.update(slots.tolist())

    def take_old(self, slots: NDArray[np.int32]) -> list[int]:
        """Return the rows of such users, and forget them."""
        if not self._old:
            return []
        rows = [row for row, slot in enumerate(slots.tolist()) if slot in self._old]
        self._old.difference_update(slots.tolist())
        return rows

    def note_revisions(self, slots: NDArray[np.int32], revisions: NDArray[np.uint64]) -> None:
        """Remember the stored revisions of these users, shape (slots,)."""
        self._revisions[slots] = revisions

    def revisions(self, slots: NDArray[np.int32]) -> NDArray[np.uint64]:
        """The revisions of these users, shape (slots,): as stored, or as they will be when the last
        write is.
        """
        return self._revisions[slots]

    def supersede(self, slots: NDArray[np.int32]) -> Fence:
        """Give these users the revisions of the write that comes next. If it cannot be stored, they
        have to be discarded.
        """
        before = self._revisions[slots]
        self._mark += 1
        after = next_revisions(before, self._mark)
        self._revisions[slots] = after
        return Fence(pack_revisions(before), pack_revisions(after))

    def step(self, steps: Steps) -> None:
        """Apply a batch: profiles change, and `steps.opened` is filled."""
        names, done = self.item_names(), 0
        while (done := advance(self.arrays, names, self.limits, steps, done)) < len(steps.slots):
            self.make_room()

    def make_room(self) -> None:
        """Make room for more entries of the users' lists."""
        self.arrays = with_entries(self.arrays)

    def item_names(self) -> Names:
        """The names of all items by number."""
        self._names.catch_up()
        return Names(self._names.text, self._names.starts)

    def source_names(self) -> Names:
        """The names of all sources by number."""
        self._source_names.catch_up()
        return Names(self._source_names.text, self._source_names.starts)

    def number_source(self, source: str) -> tuple[int, NDArray[np.int32]]:
        """The source's number, and the number of the partition of each source."""
        number = self.sources.number(source)
        while len(self._place_of) < len(self.sources):
            place = self._places.number(self.sources.names[len(self._place_of)].partition(LOG_MARK)[0])
            self._place_of = np.append(self._place_of, np.int32(place))
        return number, self._place_of

    def requests(self, slots: NDArray[np.int32], sessions: NDArray[np.uint64], latest: int) -> ListRequests:
        """What lists for these users are made from; their `latest` recent items are not to be
        shown.
        """
        return ListRequests.of(self.arrays, slots, sessions, latest)

    def profile(self, slot: int) -> Profile:
        """One user's profile as an object, for what is not done for every event."""
        names, arrays = self.items.names, self.arrays
        recent, bought = (
            tuple(Seen(ts, kind, names[item]) for item, kind, ts in self._list(slot, which))
            for which in (RECENT, BOUGHT)
        )
        opened, start, end = arrays.session[slot].tolist()
        user = self._users[slot]
        return Profile(
            recent=recent,
            bought=bought,
            counts=tuple(arrays.counts[slot].tolist()),
            counted_at=float(arrays.counted_at[slot]),
            session=None if np.isnan(opened) else Session(name_session(user, opened), start, end, opened),
            applied={self.sources.names[source]: int(offset) for source, _, offset in self._list(slot, APPLIED)},
            cancelled=tuple(self.cancelled.get(slot, {}).values()),
        )

    def discard(self, slots: NDArray[np.int32]) -> None:
        """Drop these users: what was decided for them was not stored, so they have to be loaded
        again.
        """
        for slot in slots.tolist():
            del self._slot_of[self._users[slot]]
        self._old.difference_update(slots.tolist())
        self._drop_marks(slots)
        self._revisions[slots] = NO_REVISION
        release(self.arrays, slots)
        self._free.extend(slots.tolist())

    def _drop_marks(self, slots: NDArray[np.int32]) -> None:
        if self.cancelled:
            for slot in slots.tolist():
                self.cancelled.pop(slot, None)

    def forget(self) -> None:
        """Drop all users before the next batch: another worker may have written them."""
        self._forgotten = True

    def _clear(self) -> None:
        self._forgotten = False
        self.discard(np.fromiter(self._slot_of.values(), np.int32, len(self._slot_of)))

    def _evict(self, coming: int) -> None:
        """Make room for users that come, at the expense of those used longest ago; never of this
        batch's.
        """
        excess = len(self._slot_of) + coming - self._capacity
        if excess <= 0:
            return
        slots = np.fromiter(self._slot_of.values(), np.int32, len(self._slot_of))
        slots = slots[self._used[slots] < self._tick]
        count = min(len(slots), max(excess, self._capacity // EVICTED_SHARE))
        oldest = slots if count == len(slots) else slots[np.argpartition(self._used[slots], count)[:count]]
        self.discard(oldest)

    def _take_slot(self, user: str) -> int:
        if self._free:
            slot = self._free.pop()
            self._users[slot] = user
        else:
            slot = len(self._users)
            self._users.append(user)
            if slot == len(self._used):
                self.arrays = with_slots(self.arrays, 2 * slot)
                self._used = np.concatenate([self._used, np.zeros(slot, np.int64)])
                self._revisions = np.concatenate([self._revisions, np.full(slot, NO_REVISION, np.uint64)])
        self._slot_of[user] = slot
        return slot

    def _put(self, slot: int, profile: Profile) -> None:
        if profile.cancelled:
            self.cancelled[slot] = {each.number: each for each in profile.cancelled}
        sources = [self.number_source(source)[0] for source in profile.applied]
        recent, bought = profile.recent[: self.limits.recent], profile.bought[: self.limits.bought]
        for which, seen in ((RECENT, recent), (BOUGHT, bought)):
            numbers = self.items.numbers(each.item_id for each in seen)
            self._fill(slot, which, numbers, [each.kind for each in seen], [each.ts for each in seen])
        offsets = [float(offset) for offset in profile.applied.values()]
        self._fill(slot, APPLIED, np.array(sources, np.int32), [0] * len(sources), offsets)
        self.arrays.counts[slot], self.arrays.counted_at[slot] = profile.counts, profile.counted_at
        if profile.session is not None:
            opened = profile.session.opened
            if opened is None:
                opened = float(profile.session.session_id.rpartition("@")[2])
            self.arrays.session[slot, [OPENED, START, END]] = opened, profile.session.start, profile.session.end

    def _fill(self, slot: int, which: int, ids: NDArray[np.int32], kinds: list[int], values: list[float]) -> None:
        columns = (ids, np.array(kinds, np.int32), np.array(values, np.float64))
        while not put_list(self.arrays, LISTS * slot + which, *columns):
            self.arrays = with_entries(self.arrays)

    def entries(self, slot: int, which: int) -> NDArray[np.void]:
        """One list of a user, as it is in the arrays."""
        block = self.arrays.blocks[LISTS * slot + which]
        return self.arrays.entries[block["base"] : block["base"] + block["size"]]

    def _list(self, slot: int, which: int) -> list[tuple[int, int, float]]:
        found: list[tuple[int, int, float]] = self.entries(slot, which).tolist()
        return found


def name_session(user_id: str, opened: float) -> str:
    """The id of a session without one of its own; `opened` in seconds."""
    return f"{user_id}@{opened:.3f}"


def is_named_here(session_id: str, user_id: str) -> bool:
    """Whether `name_session` made this id.

    >>> is_named_here("ada@1760000000.000", "ada"), is_named_here("visit-7", "ada")
    (True, False)
    """
    user, _, opened = session_id.rpartition("@")
    return user == user_id and OPENED_TEXT.fullmatch(opened) is not None
