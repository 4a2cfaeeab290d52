"""A profile as the fields of a hash, and back.

Other programs read `recent`, `counts`, and `vector` with `vector_model`. `revision` orders the
writes (`models.users.revision`). `state` is the workers' own, beside `recent`:

    version (2) · flags · counted_at · a count for each kind that has one
    · the open session, if there is one: the time that names it, start, end
    · sources: number, then name and offset of each
    · bought items, newest first: number, then time and id of each
    · version 3 only, cancelled orders: number, then of each its 8 bytes, time, outcome and item id

Times and counts are little-endian float64; numbers, offsets and the lengths of UTF-8 names are
varints (LEB128). Bit 0 of the flags says that there is a session, bits 1 to 4 that views, clicks,
carts and orders have a count. A state without cancelled orders is written as version 2. Two former
versions are still read: in version 1 bit 3 was that of orders, and there were no carts; Headrace
0.1.0 had JSON in `bought`, `counts`, `session` and `offsets` instead.
"""

import math
import struct
from collections.abc import Collection, Mapping, Sequence

import numpy as np
import orjson
from numpy.typing import NDArray

from models.contract.cancelled import Outcome
from models.contract.events import KIND_OF_LABEL, Kind
from models.contract.formats import PROFILE, check_version
from models.contract.json_names import JsonNames, texts_of
from models.contract.list_writer import LONGEST_NUMBER, Output, SeenRows, Texts, write_counts, write_histories
from models.profile import Cancelled, Profile, Seen, Session
from models.users.gather import ListRequests
from models.users.revision import REVISION
from models.users.state_writer import HAS_SESSION, VERSION, Scratch, state_size, write_states
from models.users.table import UserTable, name_session

STATE = "state"
WITH_CANCELLED = 3
HIGHEST_VERSION = 31  # a byte above it is a letter of what another program wrote
OLD_FIELDS = ("bought", "session", "offsets")
READ_FIELDS = (REVISION, STATE, "recent", "counts", *OLD_FIELDS)
# The kinds that have a bit in the flags, from bit 1 on.
KINDS_OF_VERSION = {1: (Kind.VIEW, Kind.CLICK, Kind.ORDER), VERSION: tuple(Kind), WITH_CANCELLED: tuple(Kind)}

StoredFields = Mapping[str, bytes | None]

_ENTRY_ENDS = [b',"%b"]' % kind.label.encode() for kind in Kind]
_COUNTS = [*(b'%b"%b":' % (b"," if kind else b"{", kind.label.encode()) for kind in Kind), b',"at":', b"}"]


def encode_profiles(
    table: UserTable, slots: NDArray[np.int32], seen: ListRequests, names: JsonNames
) -> list[StoredFields]:
    """The fields of these users' hashes, None for one to remove.

    `seen` is what the users' lists are made from, `names` follows the item ids.
    """
    if not len(slots):
        return []
    states, recents, counts = _states(table, slots), _histories(seen, names), _counts(table, slots)
    found: list[StoredFields] = [
        {STATE: state, "recent": recent, "counts": count}
        for state, recent, count in zip(states, recents, counts, strict=True)
    ]
    for row in [row for row, (recent, count) in enumerate(zip(recents, counts, strict=True)) if not (recent and count)]:
        found[row] = {STATE: states[row]} | _readable(table.profile(int(slots[row])))
    for row in table.take_old(slots):
        found[row] = {**found[row], **dict.fromkeys(OLD_FIELDS)}
    return found


def decode_profile(user_id: str, fields: StoredFields) -> Profile | None:
    """The profile in a hash's fields; None when the hash does not exist.

    Raises ValueError, KeyError or TypeError when another program wrote the hash, NewerFormat when a
    newer version of Headrace did.
    """
    recent = fields.get("recent")
    if recent is None:
        return None
    seen = tuple(Seen(ts, int(KIND_OF_LABEL[kind]), item_id) for item_id, ts, kind in orjson.loads(recent))
    state = fields.get(STATE)
    return _decode_old(seen, fields) if state is None else _State(state).profile(user_id, seen)


def is_old(fields: StoredFields) -> bool:
    """Whether version 0.1.0 wrote the hash."""
    return fields.get("recent") is not None and fields.get(STATE) is None


def _readable(profile: Profile) -> dict[str, bytes]:
    """Encode `recent` and `counts` for numbers that the compiled writer cannot write."""
    counts: dict[str, float] = {kind.label: round(profile.counts[kind], 6) for kind in Kind}
    return {
        "recent": orjson.dumps([(seen.item_id, seen.ts, Kind(seen.kind).label) for seen in profile.recent]),
        "counts": orjson.dumps(counts | {"at": profile.counted_at}),
    }


def _states(table: UserTable, slots: NDArray[np.int32]) -> list[bytes]:
    items, sources = table.item_names(), table.source_names()
    out = Output(np.empty(state_size(table.arrays, slots, items, sources), np.uint8), np.zeros(len(slots), np.int64))
    number = np.zeros(1, "<f8")
    write_states(table.arrays, slots, items, sources, Scratch(number, number.view(np.uint8)), out.data, out.ends)
    states = out.rows()
    if table.cancelled:
        for row, slot in enumerate(slots.tolist()):
            if marks := table.cancelled.get(slot):
                states[row] = b"%c%b%b" % (WITH_CANCELLED, states[row][1:], _encode_cancelled(marks.values()))
    return states


def _encode_cancelled(marks: Collection[Cancelled]) -> bytes:
    found = [_to_varint(len(marks))]
    for each in marks:
        name = each.item_id.encode()
        found += [struct.pack("<QdB", each.number, each.ts, each.outcome), _to_varint(len(name)), name]
    return b"".join(found)


def _to_varint(value: int) -> bytes:
    low, high = value & 127, value >> 7
    return bytes([low | 128]) + _to_varint(high) if high else bytes([low])


def _histories(seen: ListRequests, names: JsonNames) -> list[bytes]:
    fragments, texts = texts_of(_ENTRY_ENDS), names.catch_up()
    longest = LONGEST_NUMBER + int(np.diff(fragments.starts).max()) + 3
    size = int((texts.starts[seen.items + 1] - texts.starts[seen.items]).sum()) + longest * len(seen.items)
    out = Output(np.empty(size + 2 * seen.users, np.uint8), np.zeros(seen.users, np.int64))
    write_histories(fragments, texts, SeenRows(seen.items, seen.ts, seen.kinds, seen.starts), out)
    return out.rows()


def _counts(table: UserTable, slots: NDArray[np.int32]) -> list[bytes]:
    fragments: Texts = texts_of(_COUNTS)
    size = len(slots) * (len(fragments.text) + LONGEST_NUMBER * (1 + len(Kind)))
    out = Output(np.empty(size, np.uint8), np.zeros(len(slots), np.int64))
    write_counts(fragments, table.arrays.counts[slots], table.arrays.counted_at[slots], out)
    return out.rows()


class _State:
    """Reads the bytes of a `state` from its beginning. Raises ValueError when they are not one."""

    def __init__(self, data: bytes) -> None:
        if len(data) >= 2 and data[0] <= HIGHEST_VERSION:
            check_version(PROFILE, data[0])
        if len(data) < 2 or data[0] not in KINDS_OF_VERSION:
            raise ValueError(f"a state of an unknown version: {data[:1]!r}")
        self._data = data
        self._kinds = KINDS_OF_VERSION[data[0]]
        self._at = 2

    def profile(self, user_id: str, recent: tuple[Seen, ...]) -> Profile:
        """The profile of which this is the state."""
        flags, counted_at = self._data[1], self._floats(1)[0]
        found = {kind: self._floats(1)[0] for bit, kind in enumerate(self._kinds) if flags & (2 << bit)}
        counts = [found.get(kind, 0.0) for kind in Kind]
        session = None
        if flags & HAS_SESSION:
            opened, start, end = self._floats(3)
            session = Session(name_session(user_id, opened), start, end, opened)
        applied = {self._name(): self._varint() for _ in range(self._varint())}
        bought = []
        for _ in range(self._varint()):
            (ts,) = self._floats(1)
            bought.append(Seen(ts, int(Kind.ORDER), self._name()))
        cancelled = [self._mark() for _ in range(self._varint())] if self._data[0] == WITH_CANCELLED else []
        if self._at != len(self._data):
            raise ValueError("a state has more bytes than it says")
        return Profile(recent, tuple(bought), _finite(counts), counted_at, session, applied, tuple(cancelled))

    def _mark(self) -> Cancelled:
        number, ts, outcome = struct.unpack("<QdB", self._take(17))
        return Cancelled(number, ts, Outcome(outcome), self._name())

    def _floats(self, n: int) -> tuple[float, ...]:
        return struct.unpack(f"<{n}d", self._take(8 * n))

    def _name(self) -> str:
        return self._take(self._varint()).decode()

    def _varint(self) -> int:
        value = shift = 0
        while True:
            (octet,) = self._take(1)
            value |= (octet & 127) << shift
            shift += 7
            if octet < 128:
                return value

    def _take(self, n: int) -> bytes:
        taken = self._data[self._at : self._at + n]
        if len(taken) < n:
            raise ValueError("a state ends early")
        self._at += n
        return taken


def _decode_old(recent: tuple[Seen, ...], fields: StoredFields) -> Profile:
    bought, counts, session, offsets = (
        orjson.loads(fields.get(name) or b"null") for name in ("bought", "counts", "session", "offsets")
    )
    known = {Kind.CART.label: 0.0} | counts
    return Profile(
        recent=recent,
        bought=tuple(Seen(ts, int(Kind.ORDER), item_id) for item_id, ts in bought),
        counts=_finite([float(known[kind.label]) for kind in Kind]),
        counted_at=counts["at"],
        session=Session(*session) if session else None,
        applied=offsets,
    )


def _finite(counts: Sequence[float]) -> tuple[float, ...]:
    if not all(math.isfinite(count) for count in counts):
        raise ValueError("a count is not finite")
    return tuple(counts)
