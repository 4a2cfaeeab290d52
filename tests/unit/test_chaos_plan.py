"""What the chaos suite sends and does: seeded, as varied as it says, and independent of what it
judges.
"""

import ast
import json
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest
from chaos.broken import FIELDS_BROKEN
from chaos.disturbances import DISTURBANCES
from chaos.records import ITEMS, KIND_OF_TOPIC, Planned
from chaos.schedule import Entry, length, make_schedule
from chaos.shop_log import Shop, first_records

NOW = 1_760_000_000.0
CHAOS = Path(__file__).resolve().parents[1] / "chaos"
PRODUCT = {"app", "agents", "models"}
SHOP = Shop()


@pytest.fixture(scope="module")
def log() -> list[Planned]:
    return first_records(SHOP, 5, NOW, 6_000)


def test_a_seed_gives_one_log_and_another_seed_another(log: list[Planned]) -> None:
    assert first_records(SHOP, 5, NOW, 6_000) == log
    assert first_records(SHOP, 6, NOW, 6_000) != log


def test_the_log_begins_with_the_catalogue(log: list[Planned]) -> None:
    assert {each.topic for each in log[: SHOP.items]} == {ITEMS}
    assert len({each.key for each in log[: SHOP.items]}) == SHOP.items


def test_the_log_has_every_reason_of_broken_records(log: list[Planned]) -> None:
    reasons = {each.reason for each in log} - {""}
    assert reasons == {reason for reason, _ in FIELDS_BROKEN} | {
        "null_value",
        "malformed_json",
        "not_an_object",
        "invalid_utf8",
    }


def test_the_log_has_guests_late_events_repeats_and_ids_on_two_topics(log: list[Planned]) -> None:
    good = [each for each in log if each.topic in KIND_OF_TOPIC and not each.reason]
    events = [json.loads(each.value or b"") for each in good]
    guests = sum("user_id" not in event for event in events)
    assert 0.15 < guests / len(events) < 0.35
    times = [event["ts"] for event in events if isinstance(event["ts"], float)]
    assert sum(later < earlier - 60 for earlier, later in pairwise(times)) > 500
    assert any(isinstance(event["ts"], str) for event in events)
    topics: dict[str, set[str]] = {}
    for each, event in zip(good, events, strict=True):
        topics.setdefault(event["event_id"], set()).add(each.topic)
    assert sum(len(found) == 2 for found in topics.values()) > 50
    assert sum(count > 1 for count in Counter(each.content for each in good).values()) > 100


def test_no_two_events_of_a_user_have_the_same_time(log: list[Planned]) -> None:
    ids: dict[tuple[bytes | None, object], set[str]] = {}
    for each in log:
        if each.topic in KIND_OF_TOPIC and not each.reason:
            event = json.loads(each.value or b"")
            ids.setdefault((each.key, event["ts"]), set()).add(event["event_id"])
    assert [found for found in ids.values() if len(found) > 1] == []


def test_a_broken_record_is_never_a_good_one_too(log: list[Planned]) -> None:
    broken = {each.content for each in log if each.reason}
    assert len(broken) > 100
    assert not broken & {each.content for each in log if not each.reason}


@pytest.mark.parametrize("seed", range(20))
def test_nothing_is_met_by_two_disturbances_at_a_time(seed: int) -> None:
    by_met: dict[tuple[str, int], list[Entry]] = {}
    for entry in make_schedule(seed, 40, list(DISTURBANCES), 2):
        meets = DISTURBANCES[entry.name].meets
        by_met.setdefault((meets, entry.place if meets in ("worker", "link") else 0), []).append(entry)
    for entries in by_met.values():
        assert all(later.at >= earlier.end for earlier, later in pairwise(sorted(entries, key=lambda each: each.at)))


def test_every_disturbance_comes_before_one_comes_again() -> None:
    names = list(DISTURBANCES)
    schedule = make_schedule(3, 2 * len(names), names, 2)
    assert Counter(entry.name for entry in schedule) == dict.fromkeys(names, 2)
    assert schedule == make_schedule(3, 2 * len(names), names, 2)
    assert length(schedule) > max(entry.end for entry in schedule)


@pytest.mark.parametrize("name", ["records", "broken", "shop_log", "oracle", "stored", "verdict"])
def test_what_judges_imports_nothing_of_the_product(name: str) -> None:
    tree = ast.parse((CHAOS / f"{name}.py").read_text(encoding="utf-8"))
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    imported |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert imported
    assert not {each.partition(".")[0] for each in imported} & PRODUCT
