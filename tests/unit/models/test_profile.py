"""How a profile follows a user, and where a session ends."""

import pytest
from builders import DAY, MINUTE, NOW
from compiled import follow, slots_of, step, table_of
from reference import Event, locate_session

from models.contract.events import Kind
from models.profile import Profile, ProfileSettings, Seen, Session

SETTINGS = ProfileSettings()
START = Profile()
VIEW, CLICK, CART, ORDER = Kind


def happened(offset: int, item_id: str = "i1", kind: Kind = VIEW, ts: float = NOW, source: str = "views-0") -> Event:
    return Event(ts, int(kind), item_id, source, offset)


def test_a_new_user_has_done_nothing() -> None:
    assert (START.recent, START.bought, START.counts, START.newest_ts) == ((), (), (0.0,) * 4, 0.0)


def test_recent_items_stand_newest_first_each_once_with_the_latest_interaction() -> None:
    events = [
        happened(0, "a", ts=NOW),
        happened(1, "b", ts=NOW + 1),
        happened(2, "a", CLICK, ts=NOW + 2),
        happened(3, "b", ts=NOW - 1),
    ]
    assert step(START, events, SETTINGS).recent == (Seen(NOW + 2, CLICK, "a"), Seen(NOW + 1, VIEW, "b"))


def test_at_the_same_time_the_stronger_interaction_and_then_the_item_id_decide() -> None:
    profile = step(START, [happened(0, "b"), happened(1, "a", CLICK), happened(2, "a")], SETTINGS)
    assert profile.recent == (Seen(NOW, CLICK, "a"), Seen(NOW, VIEW, "b"))
    later = step(profile, [happened(3, "b", ORDER), happened(4, "a", CART), happened(5, "b", CART)], SETTINGS)
    assert later.recent == (Seen(NOW, ORDER, "b"), Seen(NOW, CART, "a"))


def test_what_lies_in_a_cart_is_counted_and_not_bought() -> None:
    profile = step(START, [happened(0, "a", CART), happened(1, "b", ts=NOW + 1)], SETTINGS)
    assert profile.bought == ()
    assert profile.recent[1] == Seen(NOW, CART, "a")
    assert profile.counts[CART] == pytest.approx(1.0, abs=1e-6)


def test_only_the_most_recent_items_are_kept() -> None:
    settings = ProfileSettings(recent_items=2)
    profile = step(START, [happened(n, f"i{n}", ts=NOW + n) for n in range(4)], settings)
    assert [seen.item_id for seen in profile.recent] == ["i3", "i2"]
    assert step(profile, [happened(4, "i0", ts=NOW + 1)], settings).recent == profile.recent


def test_bought_items_are_kept_apart_from_those_looked_at() -> None:
    events = [happened(0, "a", ORDER), happened(1, "a", ts=NOW + 1), happened(2, "b", ts=NOW + 2)]
    profile = step(START, events, SETTINGS)
    assert profile.bought == (Seen(NOW, ORDER, "a"),)
    assert [seen.item_id for seen in profile.recent] == ["b", "a"]


def test_no_bought_items_are_kept_when_none_are_wanted() -> None:
    assert step(START, [happened(0, "a", ORDER)], ProfileSettings(bought_items=0)).bought == ()


def test_counts_fade_by_half_in_a_half_life_of_event_time() -> None:
    # view ─── half-life ─── view, click ─── half-life ─── order
    half_life = SETTINGS.half_life_days * DAY
    events = [
        happened(0, kind=VIEW, ts=NOW),
        happened(1, kind=VIEW, ts=NOW + half_life),
        happened(2, kind=CLICK, ts=NOW + half_life),
        happened(3, kind=ORDER, ts=NOW + 2 * half_life),
    ]
    profile = step(START, events, SETTINGS)
    assert profile.counts == pytest.approx((0.25 + 0.5, 0.5, 0.0, 1.0))
    assert profile.counted_at == NOW + 2 * half_life


def test_a_late_event_counts_as_much_as_if_it_had_come_in_time() -> None:
    half_life = SETTINGS.half_life_days * DAY
    profile = step(START, [happened(0, ts=NOW)], SETTINGS)
    late = step(profile, [happened(0, kind=CLICK, ts=NOW - half_life, source="clicks-0")], SETTINGS)
    assert late.counts == pytest.approx((1.0, 0.5, 0.0, 0.0))
    assert late.counted_at == NOW


def test_events_of_decades_ago_are_counted_like_others() -> None:
    old = 860_000_000.0
    assert step(START, [happened(0, ts=old)], SETTINGS).counts == (1.0, 0.0, 0.0, 0.0)


def test_what_is_contained_already_changes_nothing() -> None:
    events = [happened(3, "a"), happened(4, "b", ts=NOW + 1)]
    profile = step(START, events, SETTINGS)
    assert step(profile, events, SETTINGS) == profile
    assert profile.applied == {"views-0": 4}


def test_a_batch_that_is_partly_contained_adds_only_the_rest() -> None:
    profile = step(START, [happened(0), happened(1)], SETTINGS)
    again = step(profile, [happened(1), happened(2)], SETTINGS)
    assert again.counts == (3.0, 0.0, 0.0, 0.0)
    assert again.applied == {"views-0": 2}


def test_offsets_are_told_apart_by_source() -> None:
    profile = step(START, [happened(7, source="views-0")], SETTINGS)
    again = step(profile, [happened(3, source="clicks-0", kind=CLICK)], SETTINGS)
    assert again.applied == {"views-0": 7, "clicks-0": 3}
    assert again.counts == (1.0, 1.0, 0.0, 0.0)


def test_the_weight_of_an_interaction_is_set_by_kind() -> None:
    settings = ProfileSettings(view_weight=0.5, click_weight=1.5, cart_weight=3.5, order_weight=7.0)
    assert [settings.weight(kind) for kind in Kind] == [0.5, 1.5, 3.5, 7.0]


def test_a_cart_weighs_more_than_a_click_and_less_than_an_order() -> None:
    assert SETTINGS.click_weight < SETTINGS.cart_weight < SETTINGS.order_weight


#                     start ──────── end
#   alone ── 30 min ──┤ the open session ├── 30 min ── a new one
OPEN = Session("u1@open", NOW, NOW + 10 * MINUTE)


@pytest.mark.parametrize(
    ("ts", "session_id", "start", "end"),
    [
        (OPEN.start + MINUTE, "u1@open", OPEN.start, OPEN.end),
        (OPEN.end + 30 * MINUTE, "u1@open", OPEN.start, OPEN.end + 30 * MINUTE),
        (OPEN.start - 30 * MINUTE, "u1@open", OPEN.start - 30 * MINUTE, OPEN.end),
        (OPEN.start - 30 * MINUTE - 1, f"u1@{NOW - 1801:.3f}", OPEN.start, OPEN.end),
        (OPEN.end + 30 * MINUTE + 1, f"u1@{NOW + 2401:.3f}", NOW + 2401, NOW + 2401),
    ],
    ids=["within", "30 minutes after", "30 minutes before", "long before", "after the silence"],
)
def test_a_session_ends_after_30_minutes_of_silence(ts: float, session_id: str, start: float, end: float) -> None:
    session, found = locate_session(OPEN, "u1", ts)
    assert found == session_id
    assert session is not None
    assert (session.start, session.end) == (start, end)


@pytest.mark.parametrize("minutes", [0, 10, 40, 41, -30, -31])
def test_the_table_finds_the_same_sessions(minutes: int) -> None:
    table, ts = table_of(SETTINGS), NOW + minutes * MINUTE
    follow(table, [("u1", happened(0)), ("u1", happened(1, ts=NOW + 10 * MINUTE))])
    expected, session_id = locate_session(Session(f"u1@{NOW:.3f}", NOW, NOW + 10 * MINUTE), "u1", ts)
    [opened] = follow(table, [("u1", happened(2, ts=ts))])
    [slot] = slots_of(table, ["u1"])
    assert (f"u1@{opened:.3f}", table.profile(slot).session) == (session_id, expected)


def test_a_users_first_event_opens_a_session() -> None:
    session, session_id = locate_session(None, "u1", NOW)
    assert session == Session(session_id, NOW, NOW)


def test_sessions_of_two_users_never_share_an_id() -> None:
    assert locate_session(None, "u1", NOW)[1] != locate_session(None, "u2", NOW)[1]
