"""The chaos suite's oracle and verdict: each sort of fault is found, and what is right is not
called wrong.
"""

import json
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from chaos.oracle import expect, profiles
from chaos.records import KIND_OF_TOPIC, Logged, Place, Planned
from chaos.stored import Stored
from chaos.verdict import Evidence, Verdict, judge

NOW = 1_760_000_000.0
DAY = 86_400.0


def event(event_id: str, **said: Any) -> bytes:
    return json.dumps({"event_id": event_id, "user_id": "ada", "item_id": "mug", "ts": NOW, **said}).encode()


@dataclass
class Run:
    """A log and what came of it, as it is right at first."""

    planned: list[Planned] = field(default_factory=list)
    log: list[Logged] = field(default_factory=list)
    interactions: list[Logged] = field(default_factory=list)
    quarantine: list[Logged] = field(default_factory=list)
    lost_at: float | None = None

    def sends(self, topic: str, value: bytes | None, reason: str = "", key: bytes = b"ada") -> Logged:
        offset = sum(each.place.topic == topic for each in self.log)
        record = Logged(Place(topic, 0, offset), key, value, NOW + len(self.log))
        self.planned.append(Planned(topic, key, value, reason))
        self.log.append(record)
        return record

    def accepts(self, record: Logged) -> None:
        said = json.loads(record.value or b"")
        kind = KIND_OF_TOPIC[record.place.topic]
        source = {"source": f"{record.place.topic}-0@17", "offset": record.place.offset}
        told = {**said, "kind": kind, "session_id": "s", **source}
        user = told.setdefault("user_id", "")
        self.interactions.append(self._out("interactions", user.encode(), json.dumps(told).encode()))

    def rejects(self, record: Logged, reason: str) -> None:
        headers = {"reason": reason, "detail": "…", "source-topic": record.place.topic, "source-partition": "0"}
        headers["source-offset"] = str(record.place.offset)
        kept = self._out("quarantine", record.key, record.value)
        named = tuple((name, value.encode()) for name, value in headers.items())
        self.quarantine.append(replace(kept, headers=named))

    def stores(self) -> Stored:
        """Redis as it must be."""
        accepted = [events[0] for events in expect(self.planned, self.log).groups.values()]
        known = profiles(accepted)
        return Stored(
            profiles=deepcopy(known),
            items=deepcopy(expect(self.planned, self.log).items),
            lists={user: profile.at for user, profile in known.items()},
        )

    def verdict(self, stored: Stored | None = None) -> Verdict:
        evidence = Evidence(self.interactions, self.quarantine, stored or self.stores(), self.lost_at)
        return judge(expect(self.planned, self.log), evidence)

    def _out(self, topic: str, key: bytes | None, value: bytes | None) -> Logged:
        return Logged(Place(topic, 0, 0), key, value, NOW)


def visited(*topics: str) -> Run:
    """Ada does one thing on each topic, and all of it counts."""
    run = Run()
    for number, topic in enumerate(topics):
        run.accepts(run.sends(topic, event(f"e{number}", item_id=f"i{number}", ts=NOW + number, session_id="s")))
    return run


def faults(verdict: Verdict) -> Sequence[str]:
    return list(verdict.faults)


def test_a_run_in_which_everything_is_stored_is_right() -> None:
    verdict = visited("views", "clicks", "orders").verdict()
    assert verdict.is_right, verdict.faults
    assert (verdict.records, verdict.accepted, verdict.profiles) == (3, 3, 1)


def test_a_profile_has_the_latest_time_and_kind_of_each_item_and_decayed_counts() -> None:
    run = Run()
    run.sends("views", event("e1", item_id="mug", ts=NOW))
    run.sends("orders", event("e2", item_id="mug", ts=NOW - 30 * DAY))
    run.sends("views", event("e3", item_id="pot", ts=NOW - 60 * DAY))
    found = run.stores().profiles["ada"]
    assert found.recent == [("mug", NOW, "view"), ("pot", NOW - 60 * DAY, "view")]
    assert found.bought == [("mug", NOW - 30 * DAY)]
    assert found.counts == pytest.approx({"view": 1.25, "click": 0.0, "cart": 0.0, "order": 0.5})
    assert found.offsets == {("views", 0): 1, ("orders", 0): 0}


def test_a_guest_is_named_after_the_session() -> None:
    run = Run()
    run.sends("views", json.dumps({"event_id": "e", "item_id": "mug", "ts": NOW, "session_id": "s9"}).encode())
    assert list(run.stores().profiles) == ["session:s9"]


def test_an_event_in_no_interaction_is_lost() -> None:
    run = visited("views", "clicks")
    run.interactions.pop()
    assert "lost" in faults(run.verdict())


def test_a_repeat_counts_once_and_it_does_not_matter_which_of_the_two() -> None:
    run = Run()
    run.sends("views", event("e1", session_id="s"))
    second = run.sends("clicks", event("e1", session_id="s"))
    run.accepts(second)
    stored = Stored(profiles(expect([], []).groups.get("e1", [])), {}, {"ada": NOW})
    assert "wrong_profiles" in faults(run.verdict(stored))
    clicked = profiles([expect(run.planned, run.log).groups["e1"][0]])  # sorted: clicks before views
    verdict = run.verdict(Stored(clicked, {}, {"ada": NOW}))
    assert verdict.is_right, verdict.faults
    assert (verdict.accepted, verdict.repeats) == (1, 1)


def test_an_id_with_two_interactions_counts_double() -> None:
    run = Run()
    for topic in ("views", "clicks"):
        run.accepts(run.sends(topic, event("e1", session_id="s")))
    assert "double" in faults(run.verdict())


def test_the_same_interaction_twice_is_what_the_documents_allow() -> None:
    run = visited("views")
    run.interactions *= 2
    assert run.verdict().is_right


@pytest.mark.parametrize("name", ["user_id", "item_id", "kind", "ts", "session_id"])
def test_an_interaction_that_says_something_else_is_wrong(name: str) -> None:
    run = visited("views")
    said = json.loads(run.interactions[0].value or b"")
    other = replace(run.interactions[0], value=json.dumps(said | {name: 1.0 if name == "ts" else "other"}).encode())
    run.interactions[:] = [other]
    assert "wrong_records" in faults(run.verdict())


@pytest.mark.parametrize(
    "change",
    [
        {"recent": []},
        {"bought": [("x", NOW)]},
        {"counts": {"view": 2.0, "click": 0.0, "cart": 0.0, "order": 0.0}},
        {"at": NOW - 1},
        {"offsets": {("views", 0): 7}},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_value_that_differs_makes_a_profile_wrong(change: dict[str, Any]) -> None:
    run = visited("views")
    stored = run.stores()
    verdict = run.verdict(replace(stored, profiles={"ada": replace(stored.profiles["ada"], **change)}))
    assert faults(verdict) == ["wrong_profiles"]
    assert next(iter(change)) in verdict.wrong_profiles[0]


def test_a_profile_that_is_missing_or_too_many_is_wrong() -> None:
    run = visited("views")
    stored = run.stores()
    assert "wrong_profiles" in faults(run.verdict(replace(stored, profiles={})))
    more = {**stored.profiles, "eve": stored.profiles["ada"]}
    assert "wrong_profiles" in faults(run.verdict(replace(stored, profiles=more)))


def test_a_list_of_an_earlier_event_is_wrong() -> None:
    run = visited("views", "views")
    assert faults(run.verdict(replace(run.stores(), lists={"ada": NOW}))) == ["wrong_lists"]


def test_a_broken_record_must_be_in_quarantine_with_its_reason_and_its_bytes() -> None:
    run = visited("views")
    broken = run.sends("views", b"{", "malformed_json")
    assert faults(run.verdict()) == ["lost"]
    run.rejects(broken, "malformed_json")
    verdict = run.verdict()
    assert verdict.is_right, verdict.faults
    assert (verdict.records, verdict.quarantined) == (2, 1)
    run.rejects(broken, "wrong_type")
    assert faults(run.verdict()) == ["wrong_records"]


def test_a_good_record_in_quarantine_is_wrong() -> None:
    run = visited("views")
    run.rejects(run.log[0], "no_user")
    assert faults(run.verdict()) == ["wrong_records"]


def test_a_record_that_nobody_sent_is_wrong() -> None:
    run = visited("views")
    run.planned.clear()
    assert "wrong_records" in faults(run.verdict())


def items_after(*values: object) -> dict[str, Any]:
    run = Run()
    for value in values:
        run.sends("items", None if value is None else json.dumps(value).encode(), key=b"mug")
    return dict(run.stores().items["mug"])


def test_an_item_is_replaced_withdrawn_and_deleted() -> None:
    mug = {"item_id": "mug", "title": "Mug", "price": 3.5}
    assert items_after(mug)["price"] == 3.5
    assert items_after(mug, {"item_id": "mug", "title": "Cup"})["price"] is None
    sold_out = items_after(mug, {"item_id": "mug", "available": False})
    assert (sold_out["title"], sold_out["available"]) == ("Mug", False)
    assert items_after(mug, None)["deleted"] is True
    assert items_after(mug, None, mug)["deleted"] is False


def test_a_broken_sold_out_notice_is_obeyed_and_another_broken_record_changes_nothing() -> None:
    for value, available in (({"item_id": "mug", "available": False, "price": -1}, False), ({"item_id": "mug"}, True)):
        run = Run()
        run.sends("items", json.dumps({"item_id": "mug", "title": "Mug"}).encode(), key=b"mug")
        run.sends("items", json.dumps(value).encode(), "invalid_value", key=b"mug")
        assert run.stores().items["mug"]["available"] is available


def test_an_item_that_differs_is_wrong() -> None:
    run = Run()
    run.sends("items", json.dumps({"item_id": "mug", "title": "Mug"}).encode(), key=b"mug")
    stored = run.stores()
    assert run.verdict(stored).is_right
    changed = {"mug": {**stored.items["mug"], "title": "Cup"}}
    assert faults(run.verdict(replace(stored, items=changed))) == ["wrong_items"]
    assert faults(run.verdict(replace(stored, items={}))) == ["wrong_items"]


def lossy(*topics: str, after: int) -> tuple[Run, Stored]:
    """A run in which Redis lost all after n events, and the profile began again with the
    next.
    """
    run = visited(*topics)
    run.lost_at = NOW + after - 0.5
    groups = expect(run.planned, run.log).groups.values()
    begun = profiles([events[0] for events in groups if events[0].time > run.lost_at])
    return run, replace(run.stores(), profiles=begun)


def test_a_profile_may_begin_anew_only_where_redis_lost_its_data() -> None:
    run, stored = lossy("views", "views", "clicks", after=2)
    verdict = run.verdict(stored)
    assert verdict.is_right, verdict.faults
    assert verdict.begun_again == 1
    run.lost_at = None
    assert faults(run.verdict(stored)) == ["wrong_profiles"]


def test_a_profile_that_lacks_what_came_after_the_loss_is_wrong() -> None:
    run, stored = lossy("views", "views", "clicks", after=1)
    begun = stored.profiles["ada"]
    less = replace(begun, recent=begun.recent[:1])
    assert faults(run.verdict(replace(stored, profiles={"ada": less}))) == ["wrong_profiles"]
    assert faults(run.verdict(replace(stored, profiles={}))) == ["wrong_profiles"]
