"""What a worker has learned, saved and restored: as if nothing had happened in between."""

from typing import Any

import numpy as np
import pytest
from builders import keys_of
from learning import PARTITIONS, batch, batches, catalogue, follow, interactions, lists, new_learn
from numpy.typing import NDArray

from agents.learn import Learn
from agents.memory import MemoryCopy, check, restore
from agents.metrics import total
from models.contract.event_codec import EventSettings
from models.contract.events import Kind
from models.contract.identity import identities
from models.contract.wire import decode_interaction
from models.processor import ListMaker, admit
from models.processor import follow as follow_users

RECORDS = interactions(3_000)
Arrays = dict[str, NDArray[Any]]


def saved(learn: Learn) -> Arrays:
    memory = MemoryCopy(learn, learn.recommender.index.room())
    for _ in memory.gather():
        pass
    return memory.arrays()


def learned(*, upto: int | None = None) -> Learn:
    learn = new_learn()
    follow(learn).handle(batch("items", 0, 0, catalogue()))
    for each in batches(RECORDS)[:upto]:
        learn.handle(each)
    return learn


@pytest.mark.parametrize("at", [0, 1, 17, 60])
def test_restoring_and_reading_the_rest_equals_reading_everything(at: int) -> None:
    whole = learned()
    resumed = new_learn()
    restore(resumed, saved(learned(upto=at)))
    for each in batches(RECORDS)[at:]:
        resumed.handle(each)
    assert lists(resumed.recommender) == lists(whole.recommender)
    assert resumed.applied == whole.applied
    assert len(resumed.seen) == len(whole.seen)
    assert len(resumed.recommender.index) == len(whole.recommender.index)


def test_lists_hold_something_to_compare() -> None:
    sources = {source for ranking in lists(learned().recommender) for source in ranking.sources}
    assert {"neighbours", "trending", "category"} <= sources


def test_saving_what_was_restored_gives_the_same_columns() -> None:
    first = saved(learned())
    again = new_learn()
    restore(again, first)
    second = saved(again)
    assert first.keys() == second.keys()
    for name, column in first.items():
        assert sorted(column.tolist()) == sorted(second[name].tolist()), name


def test_nothing_learned_is_restored_as_nothing() -> None:
    learn = new_learn()
    restore(learn, saved(new_learn()))
    assert len(learn.recommender.items) == 0
    learn.handle(batches(RECORDS)[0])
    assert lists(learn.recommender) == lists(learned_first_batch().recommender)


def learned_first_batch() -> Learn:
    learn = new_learn()
    learn.handle(batches(RECORDS)[0])
    return learn


def test_events_that_are_read_again_are_repeats() -> None:
    learn = new_learn()
    restore(learn, saved(learned()))
    before = lists(learn.recommender)
    for each in batches(RECORDS)[-4:]:
        learn.handle(each)
    assert total(learn.metrics.learned, outcome="learned") == 0
    assert total(learn.metrics.learned, outcome="repeated") == sum(map(len, batches(RECORDS)[-4:]))
    assert lists(learn.recommender) == before


def test_own_events_that_had_not_come_back_from_the_log_are_not_learned_twice() -> None:
    learn = learned(upto=20)
    values = [
        b'{"event_id":"own%d","user_id":"u0","item_id":"i%d","ts":1760000000,"session_id":"mine"}' % (row, row)
        for row in range(3)
    ]
    admitted = admit(batch("views", 0, 9_000, values), Kind.VIEW, learn.seen, EventSettings())
    table = ListMaker.of(learn.recommender, 100).table
    table.find([])
    followed = follow_users(admitted, table, table.add({"u0": None}))
    learn.learn_own([followed])
    restored = new_learn()
    restore(restored, saved(learn))
    count = len(restored.recommender.index)
    restored.learn_own([followed])
    assert total(restored.metrics.learned, outcome="learned") == 0
    assert len(restored.recommender.index) == count


def test_an_id_that_was_seen_before_the_restart_is_still_a_duplicate() -> None:
    learn = new_learn()
    restore(learn, saved(learned()))
    last, at = decode_interaction(RECORDS[-1][1]), 1_760_000_000.0 + 60.0 * 2_999
    keys = np.concatenate([identities([last], [last.user_id]), keys_of(["new"])])
    found = learn.seen.remember("views-0", np.array([90_000, 90_001]), np.full(2, at), np.full(2, at), keys)
    assert found.tolist() == [True, False]


def test_events_that_come_in_while_ids_are_copied_do_no_harm() -> None:
    learn = learned(upto=30)
    memory = MemoryCopy(learn, learn.recommender.index.room())
    rest = iter(batches(RECORDS)[30:])
    for _ in memory.gather():
        learn.handle(next(rest))
    for each in rest:
        learn.handle(each)
    resumed = new_learn()
    restore(resumed, memory.arrays())
    for each in batches(RECORDS)[30:]:
        resumed.handle(each)
    assert lists(resumed.recommender) == lists(learn.recommender)
    assert resumed.applied == learn.applied


def test_a_copy_does_not_change_when_the_index_does() -> None:
    learn = learned(upto=10)
    room = learn.recommender.index.room()
    frozen = learn.recommender.copy(room)
    before = {name: column.tolist() for name, column in frozen.arrays().items()}
    for each in batches(RECORDS)[10:]:
        learn.handle(each)
    assert {name: column.tolist() for name, column in frozen.arrays().items()} == before


WHOLE = saved(learned())


@pytest.mark.parametrize("name", sorted(WHOLE))
@pytest.mark.parametrize("damage", ["missing", "another type", "cut", "too large"])
def test_columns_that_do_not_fit_are_refused_before_anything_changes(name: str, damage: str) -> None:
    broken = dict(WHOLE)
    match damage:
        case "missing":
            del broken[name]
        case "another type":
            broken[name] = WHOLE[name].astype(np.complex128)
        case "cut":
            broken[name] = WHOLE[name].reshape(-1, 1)
        case "too large":
            broken[name] = np.append(WHOLE[name], WHOLE[name][-1:])
    learn = new_learn()
    with pytest.raises(ValueError, match=r"."):
        restore(learn, broken)
    assert len(learn.recommender.items) == len(learn.seen) == len(learn.applied) == 0


def test_numbers_without_a_name_are_refused() -> None:
    for name, value in (
        ("recommender.neighbours.items", 10_000),
        ("recommender.neighbours.ts", np.nan),
        ("recommender.catalogue.category", 99),
        ("recommender.trending.value", -1.0),
        ("seen.ids.positions", -1),
        ("seen.ids.times", np.nan),
        ("applied.numbers", 77),
    ):
        column = WHOLE[name].copy()
        column[0] = value
        with pytest.raises(ValueError, match="not a saved state"):
            check(WHOLE | {name: column})


def test_the_test_log_uses_all_partitions() -> None:
    assert {each.partition for each in batches(RECORDS)} == set(range(PARTITIONS))
