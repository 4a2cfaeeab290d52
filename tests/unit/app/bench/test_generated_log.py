"""The generated log has what real logs have and what costs time, at any size, and is the same every
time.
"""

import numpy as np
import orjson

from app.bench.generated import KIND_SHARES, GeneratedVisits, LogSize, catalogue, generate, records
from models.contract.event_codec import EventSettings, decode
from models.contract.events import TOPIC_OF_KIND, Kind, RawBatch

SIZE = LogSize(users=500, items=2_000, sessions=3_000)


def columns(visits: GeneratedVisits) -> list[list[float]]:
    return [column.tolist() for column in (visits.users, visits.items, visits.sessions, visits.kinds, visits.ts)]


def test_a_seed_gives_the_same_log_and_another_seed_another_one() -> None:
    assert columns(generate(SIZE, 1)) == columns(generate(SIZE, 1))
    assert columns(generate(SIZE, 1)) != columns(generate(SIZE, 2))


def test_every_user_and_session_is_in_it_and_time_goes_forward() -> None:
    visits = generate(SIZE, 1)
    assert set(visits.users.tolist()) == set(range(SIZE.users))
    assert set(visits.sessions.tolist()) == set(range(SIZE.sessions))
    assert visits.items.min() >= 0
    assert visits.items.max() < SIZE.items
    assert (np.diff(visits.ts) >= 0).all()


def test_a_session_is_one_users_and_short() -> None:
    visits = generate(SIZE, 1)
    assert len(set(zip(visits.sessions.tolist(), visits.users.tolist(), strict=True))) == SIZE.sessions
    assert 2 < len(visits) / SIZE.sessions < 4


def test_few_items_have_most_of_the_visits_and_sessions_come_back_to_an_item() -> None:
    visits = generate(SIZE, 1)
    counts = np.sort(np.bincount(visits.items, minlength=SIZE.items))[::-1]
    assert counts[: SIZE.items // 20].sum() > 0.2 * len(visits)
    pairs = list(zip(visits.sessions.tolist(), visits.items.tolist(), strict=True))
    assert len(set(pairs)) < 0.9 * len(pairs)


def test_the_fashion_changes() -> None:
    visits = generate(LogSize(2_000, 2_000, 20_000), 1)
    half = len(visits) // 2
    first, second = (
        np.bincount(part.items, minlength=2_000) / len(part)
        for part in (visits.part(0, half), visits.part(half, len(visits)))
    )
    shuffled = np.random.default_rng(1).permutation(len(visits))
    one, other = (
        np.bincount(visits.items[rows], minlength=2_000) / half for rows in (shuffled[:half], shuffled[half:])
    )
    assert np.abs(first - second).sum() > 1.25 * np.abs(one - other).sum()


def test_its_events_are_accepted_each_under_an_id_of_its_own() -> None:
    rows = list(records(generate(SIZE, 1), first=7))
    for kind, share in zip(Kind, KIND_SHARES, strict=True):
        values = [row.value for row in rows if row.topic == TOPIC_OF_KIND[kind]]
        assert 0.5 * share < len(values) / len(rows) < 2 * share
        at = np.full(len(values), 2_000_000_000.0)
        batch = RawBatch(TOPIC_OF_KIND[kind], 0, np.arange(len(values)), at, [None] * len(values), values)
        assert not decode(batch, kind, EventSettings()).rejected
    assert len({orjson.loads(row.value or b"")["event_id"] for row in rows}) == len(rows)


def test_its_catalogue_has_every_item_once() -> None:
    found = [orjson.loads(row.value or b"") for row in catalogue(30)]
    assert len({item["item_id"] for item in found}) == 30
    assert all(item["title"] and item["category"] for item in found)


def test_a_small_shop_can_be_generated_too() -> None:
    assert len(generate(LogSize(1, 1, 1), 1)) >= 1
    assert set(generate(LogSize(2, 3, 50), 1).items.tolist()) == {0, 1, 2}
