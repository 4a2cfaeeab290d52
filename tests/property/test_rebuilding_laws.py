"""What must hold for profiles that are made again from the log: they are what was stored, to the
byte.
"""

from dataclasses import replace
from itertools import groupby

from builders import NOW, PureWorker, batch, decided, event
from hypothesis import given
from hypothesis import strategies as st

from models.contract.events import KIND_OF_TOPIC, Kind, RawBatch
from models.contract.forgetting import forgotten_headers
from models.profile import ProfileSettings
from models.recommender import RecommenderSettings
from models.users.difference import contradicted_fields, differing_fields, is_ahead
from models.users.rebuilding import Rebuilding
from models.users.share import ALL_USERS, Share

SMALL = ProfileSettings(recent_items=3, bought_items=2)
USERS = ["u1", "u2", "é商"]
# Whole milliseconds and times that need all digits, some of them before others.
moments = st.floats(0, 40_000).map(lambda late: NOW - 40_000 + late) | st.integers(0, 60).map(
    lambda step: NOW - 72_030 + 1_200.5 * step
)
happenings = st.tuples(
    st.sampled_from(["views", "clicks", "carts", "orders"]),
    st.sampled_from(USERS),
    st.sampled_from("abcdé"),
    moments,
    st.sampled_from([None, "s1", "u1@visit"]),
)
Log = list[tuple[str, str, str, float, str | None]]
logs: st.SearchStrategy[Log] = st.lists(happenings, max_size=40)


def process(log: Log, size: int, capacity: int) -> tuple[PureWorker, list[bytes]]:
    """A worker that stored the log, in batches of at most `size`, and what it emitted."""
    worker = PureWorker(RecommenderSettings(profile=SMALL), capacity=capacity)
    emitted, ends = list[bytes](), dict[str, int]()
    for topic, run in groupby(enumerate(log), key=lambda pair: pair[1][0]):
        events = [
            event(f"e{number}", user_id=user, item_id=item, ts=ts, session_id=session)
            for number, (_, user, item, ts, session) in run
        ]
        for start in range(0, len(events), size):
            some = events[start : start + size]
            first = ends.get(topic, 0)
            ends[topic] = first + len(some)
            emitted += worker.decide(batch(*some, topic=topic, first=first), Kind(KIND_OF_TOPIC[topic])).interactions
    return worker, emitted


def rebuild(emitted: list[bytes], size: int, users: Share = ALL_USERS) -> Rebuilding:
    rebuilt = Rebuilding(SMALL, users)
    for start in range(0, len(emitted), size):
        some: list[bytes | None] = [*emitted[start : start + size]]
        rebuilt.apply(batch(*some, topic="interactions", first=start))
    return rebuilt


@given(logs, st.integers(1, 9), st.integers(1, 9), st.sampled_from([0, 10]))
def test_profiles_made_again_are_those_that_were_stored_to_the_byte(
    log: Log, size: int, read: int, capacity: int
) -> None:
    worker, emitted = process(log, size, capacity)
    rebuilt = rebuild(emitted, read)
    assert set(rebuilt.user_ids) == set(worker.stored)
    assert dict(zip(rebuilt.user_ids, rebuilt.encode(rebuilt.user_ids), strict=True)) == worker.stored
    for user, stored in worker.profiles.items():
        assert differing_fields(stored, rebuilt.profile(user)) == []
        assert not is_ahead(stored, rebuilt.profile(user), is_whole=True)


@given(logs, st.integers(0, 40))
def test_a_profile_is_not_contradicted_by_a_log_that_lost_its_beginning(log: Log, lost: int) -> None:
    worker, emitted = process(log, 5, 10)
    rebuilt = rebuild(emitted[lost:], 7)
    for user in rebuilt.user_ids:
        assert contradicted_fields(worker.profile(user), rebuilt.profile(user), SMALL) == []


@given(logs.filter(bool), st.data())
def test_a_profile_that_lacks_the_newest_event_of_a_user_is_found_out_also_then(log: Log, data: st.DataObject) -> None:
    lost = data.draw(st.integers(0, len(log) - 1))
    worker, _ = process(log[:-1], 5, 10)
    _, emitted = process(log, 5, 10)
    user = log[-1][1]
    rebuilt = rebuild(emitted[lost:], 7).profile(user)
    stored = worker.profile(user) if user in worker.stored else None
    assert stored is None or "applied" in contradicted_fields(stored, rebuilt, SMALL)


@given(logs)
def test_each_user_is_in_one_half_of_a_share(log: Log) -> None:
    _, emitted = process(log, 5, 10)
    whole = rebuild(emitted, 9)
    one, other = ALL_USERS.halves()
    narrowed = rebuild(emitted, 9)
    narrowed.narrow(one)
    halves = [narrowed, rebuild(emitted, 9, other)]
    assert sorted(whole.user_ids) == sorted(halves[0].user_ids + halves[1].user_ids)
    for half in halves:
        assert half.encode(half.user_ids) == whole.encode(half.user_ids)


def log_of(*rows: tuple[float, str]) -> RawBatch:
    """Views of item `i<offset>` by these users, appended at these times; an empty user is no
    interaction.
    """
    found = batch(
        *(
            decided(offset, user_id=user, item_id=f"i{offset}", ts=time) if user else b"{}"
            for offset, (time, user) in enumerate(rows)
        )
    )
    found.times[:] = [time for time, _ in rows]
    return found


def test_a_user_who_was_away_until_the_profile_expired_begins_with_an_empty_one() -> None:
    day = 86_400.0
    log = log_of((NOW, "u1"), (NOW, "other"), (NOW + 29 * day, "u1"), (NOW + 60 * day, "u1"))
    rebuilt = Rebuilding(ProfileSettings(), ALL_USERS, expire_seconds=30 * day)
    rebuilt.apply(log)
    assert [seen.item_id for seen in rebuilt.profile("u1").recent] == ["i3"]
    assert rebuilt.profile("u1").counts[Kind.VIEW] == 1
    assert rebuilt.profile("other").applied == {"views-0": 1}
    assert rebuilt.returned == {"u1"}
    assert rebuilt.seen_at("u1") == NOW + 60 * day
    forever = Rebuilding(ProfileSettings(), ALL_USERS)
    forever.apply(log)
    assert [seen.item_id for seen in forever.profile("u1").recent] == ["i3", "i2", "i0"]
    assert forever.returned == set()


def test_records_that_are_no_interactions_and_users_that_are_not_wanted_are_passed_over() -> None:
    share = Share(1, 0)
    wanted = next(user for user in map(str, range(99)) if share.holds(user))
    other = next(user for user in map(str, range(99)) if not share.holds(user))
    rebuilt = Rebuilding(ProfileSettings(), share)
    rebuilt.apply(log_of((NOW, ""), (NOW, other), (NOW, wanted)))
    assert rebuilt.user_ids == [wanted]
    assert len(rebuilt) == 1
    assert rebuilt.seen_at(other) == 0


def test_a_user_who_is_forgotten_begins_with_an_empty_profile() -> None:
    log = log_of((NOW, "u1"), (NOW, "other"), (NOW, ""), (NOW, "u1"))
    log.keys[2], log.values[2] = b"u1", None
    rebuilt, still = Rebuilding(ProfileSettings(), ALL_USERS), Rebuilding(ProfileSettings(), ALL_USERS)
    rebuilt.apply(replace(log, headers=[(), (), forgotten_headers([7]), ()]))
    assert [seen.item_id for seen in rebuilt.profile("u1").recent] == ["i3"]
    assert rebuilt.profile("other").applied == {"views-0": 1}
    still.apply(log)  # a null value alone says nothing
    assert [seen.item_id for seen in still.profile("u1").recent] == ["i3", "i0"]
