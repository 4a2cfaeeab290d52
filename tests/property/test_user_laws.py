"""What must hold for the arrays of users: they follow users as the naive step does, and are stored
without loss.
"""

from itertools import groupby

import orjson
import pytest
from asking import stored
from builders import NOW
from compiled import follow, kind_of, slots_of, table_of
from hypothesis import given
from hypothesis import strategies as st
from reference import Event, happen

from models.contract.events import Kind
from models.profile import Profile, ProfileSettings
from models.users.stored import decode_profile

SMALL = ProfileSettings(recent_items=3, bought_items=2)
USERS = ["u1", "u2", "é商"]
SOURCES = ["views-0", "views-1", "orders-0", "views-0@second log"]
moments = st.integers(0, 60).map(lambda step: NOW - 60 * 1_200.5 + 1_200.5 * step)
happenings = st.tuples(
    st.sampled_from(SOURCES), st.sampled_from(USERS), st.sampled_from("abcdé"), moments, st.integers(0, 4)
)
logs = st.lists(happenings, max_size=50)


def events_of(log: list[tuple[str, str, str, float, int]]) -> list[tuple[str, Event]]:
    """Offsets that mostly grow: now and then a source is read again from a little before."""
    ends = dict.fromkeys(SOURCES, 0)
    events = []
    for source, user, item, ts, back in log:
        offset = max(0, ends[source] - back + 1)
        ends[source] = offset
        events.append((user, Event(ts, int(kind_of(source)), item, source, offset)))
    return events


def same(one: Profile, other: Profile) -> bool:
    assert one.counts == pytest.approx(other.counts, abs=1e-9)
    return (one.recent, one.bought, one.counted_at, one.session, dict(one.applied)) == (
        other.recent, other.bought, other.counted_at, other.session, dict(other.applied),
    )  # fmt: skip


@given(logs, st.integers(1, 9))
def test_the_table_follows_users_as_the_naive_step_does(log: list[tuple[str, str, str, float, int]], size: int) -> None:
    table, naive = table_of(SMALL), dict.fromkeys(USERS, Profile())
    for _, run in groupby(events_of(log), key=lambda pair: pair[1].source):
        events = list(run)
        for start in range(0, len(events), size):
            follow(table, events[start : start + size])
    for user, event in events_of(log):
        naive[user] = happen(naive[user], user, [event], SMALL)
    for user, slot in zip(USERS, slots_of(table, USERS).tolist(), strict=True):
        assert same(table.profile(slot), naive[user])


@given(logs)
def test_a_user_who_made_room_and_was_stored_goes_on_as_if_nothing_had_happened(
    log: list[tuple[str, str, str, float, int]],
) -> None:
    kept, evicting = table_of(SMALL), table_of(SMALL, capacity=0)
    profiles: dict[str, Profile | None] = dict.fromkeys(USERS)
    for user, event in events_of(log):
        follow(kept, [(user, event)])
        evicting.find([])
        assert len(evicting) == 0
        evicting.add({user: profiles[user]})
        follow(evicting, [(user, event)])
        [slot] = slots_of(evicting, [user])
        profiles[user] = decode_profile(user, stored({user: evicting.profile(slot)})[user])
    for user, slot in zip(USERS, slots_of(kept, USERS).tolist(), strict=True):
        assert kept.profile(slot) == (profiles[user] or Profile())


@given(logs)
def test_what_is_stored_is_what_other_programs_read(log: list[tuple[str, str, str, float, int]]) -> None:
    table = table_of(SMALL)
    for user, event in events_of(log):
        follow(table, [(user, event)])
    for user, slot in zip(USERS, slots_of(table, USERS).tolist(), strict=True):
        profile = table.profile(slot)
        fields = stored({user: profile})[user]
        recent, counts = orjson.loads(fields["recent"] or b""), orjson.loads(fields["counts"] or b"")
        assert recent == [[seen.item_id, seen.ts, Kind(seen.kind).label] for seen in profile.recent]
        assert counts["at"] == profile.counted_at
        assert [counts[kind.label] for kind in Kind] == [round(count, 6) for count in profile.counts]
        assert decode_profile(user, fields) == profile
