"""The pure step of a batch: who is in it, which session each event belongs to, and what is to be
written.
"""

import orjson
import pytest
from builders import HOUR, MINUTE, NOW, PureWorker, batch, event, session_ids, without

from models.contract.events import Kind
from models.processor import hash_session
from models.profile import Session


def test_every_record_is_accepted_or_a_duplicate_or_rejected() -> None:
    effects = PureWorker().decide(batch(event("a"), event("a"), b"{", None, event("b", color="red")))
    assert (effects.accepted, effects.duplicates, len(effects.rejected)) == (2, 1, 2)
    assert effects.unknown_fields == 1
    assert len(effects.interactions) == len(effects.interaction_keys) == 2


def test_each_user_of_the_batch_gets_one_profile_and_one_list() -> None:
    effects = PureWorker().decide(batch(event("a"), event("b", user_id="u2"), event("c", item_id="i2", ts=NOW + 1)))
    assert list(effects.profiles) == ["u1", "u2"]
    assert [each.user_id for each in effects.recommendations] == ["u1", "u2"]
    assert [seen.item_id for seen in effects.profiles["u1"].recent] == ["i2", "i1"]
    assert effects.interaction_keys == ["u1", "u2", "u1"]


def test_a_list_tells_the_event_time_that_led_to_it_and_when_it_was_made() -> None:
    [recommendation] = PureWorker().decide(batch(event("a", ts=NOW - 60), event("b", ts=NOW - 90))).recommendations
    assert recommendation.event_ts == NOW - 60
    assert recommendation.generated_at == NOW


def test_who_only_repeats_gets_no_new_list() -> None:
    worker = PureWorker()
    worker.decide(batch(event("a"), event("b", user_id="u2")))
    effects = worker.decide(batch(event("a"), event("c", user_id="u2"), first=2))
    assert list(effects.profiles) == ["u2"]
    assert effects.duplicates == 1


def test_a_guest_has_a_profile_and_a_list_too() -> None:
    effects = PureWorker().decide(batch(without(event(session_id="s1"), "user_id")))
    assert list(effects.profiles) == effects.interaction_keys == ["session:s1"]
    assert session_ids(effects) == ["s1"]


def test_what_the_event_says_of_its_session_holds() -> None:
    effects = PureWorker().decide(batch(event("a", session_id="s1"), event("b", session_id="s1", ts=NOW - 5 * HOUR)))
    assert session_ids(effects) == ["s1", "s1"]
    assert effects.profiles["u1"].session is None


def test_without_a_session_id_30_minutes_of_silence_end_a_session() -> None:
    # u1: a ── 20 min ── b ── 40 min ── c ── 10 min ── d
    minutes = {"a": 0, "b": 20, "c": 60, "d": 70}
    events = [event(name, ts=NOW - 2 * HOUR + at * MINUTE) for name, at in minutes.items()]
    together = session_ids(PureWorker().decide(batch(*events)))
    assert together[0] == together[1] != together[2] == together[3]


def test_a_session_goes_on_from_batch_to_batch() -> None:
    worker = PureWorker()
    [first] = session_ids(worker.decide(batch(event("a", ts=NOW - 20 * MINUTE))))
    [second] = session_ids(worker.decide(batch(event("b"), first=1)))
    assert first == second


def test_a_batch_read_again_changes_no_profile_but_still_gives_lists_and_interactions() -> None:
    worker = PureWorker()
    again = batch(event("a"), event("b", item_id="i2"), event("c", user_id="u2"))
    first = worker.decide(again)
    second = worker.decide(again)
    assert second.profiles == first.profiles
    assert [each.ranking for each in second.recommendations] == [each.ranking for each in first.recommendations]
    assert second.interactions == first.interactions
    assert (second.accepted, second.duplicates) == (3, 0)


def test_an_event_read_again_does_not_stretch_the_session_that_opened_after_it() -> None:
    # alone ── 20 min ── later ── 25 min ── late ── 25 min ── open
    # read in the opposite order, but for alone, which was read second, when nothing reached it
    worker = PureWorker()
    worker.decide(batch(event("open", ts=NOW)))
    alone = batch(event("alone", ts=NOW - 70 * MINUTE), first=1)
    worker.decide(alone)
    worker.decide(batch(event("late", ts=NOW - 25 * MINUTE), event("later", ts=NOW - 50 * MINUTE), first=2))
    session = worker.profiles["u1"].session
    assert session == Session(f"u1@{NOW:.3f}", NOW - 50 * MINUTE, NOW)
    worker.decide(alone)
    assert worker.profiles["u1"].session == session


def test_kinds_count_in_the_profile() -> None:
    worker = PureWorker()
    worker.decide(batch(event("a"), topic="views"), Kind.VIEW)
    worker.decide(batch(event("c"), topic="carts"), Kind.CART)
    worker.decide(batch(event("b"), topic="orders"), Kind.ORDER)
    profile = worker.profiles["u1"]
    assert profile.counts == (1.0, 0.0, 1.0, 1.0)
    assert profile.applied == {"views-0": 0, "carts-0": 0, "orders-0": 0}
    assert [seen.item_id for seen in profile.bought] == ["i1"]


def test_a_batch_of_rubbish_leads_to_rejections_only() -> None:
    effects = PureWorker().decide(batch(b"{", None))
    assert (effects.profiles, effects.recommendations, effects.interactions) == ({}, [], [])
    assert len(effects.rejected) == 2


def test_an_interaction_carries_the_offset_of_its_event() -> None:
    effects = PureWorker().decide(batch(None, event("a"), b"{", event("b"), first=40, partition=3))
    emitted = [orjson.loads(value) for value in effects.interactions]
    assert [(each["source"], each["offset"]) for each in emitted] == [("views-3", 41), ("views-3", 43)]


@pytest.mark.parametrize("session_id", ["", "s1", "é"])
def test_a_session_is_never_numbered_0(session_id: str) -> None:
    assert 0 < hash_session(session_id) < 2**64
