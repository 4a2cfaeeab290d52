"""What must hold for any log and any order of arrival: meaning follows from the events, not from
how they came.
"""

import numpy as np
from asking import rankings
from builders import DAY, NOW, Outcome, PureWorker, batch, event
from hypothesis import given
from hypothesis import strategies as st
from meanings import means, shelves

from models.contract.events import KIND_OF_TOPIC
from models.recommender import Recommender, RecommenderSettings

ITEMS = [f"i{number}" for number in range(12)]
VECTORS = dict(zip(ITEMS, shelves(len(ITEMS), 64).tolist(), strict=True))

happenings = st.tuples(
    st.sampled_from(["views", "clicks", "carts", "orders"]),
    st.sampled_from(["u1", "u2"]),
    st.sampled_from([*ITEMS, "without a vector"]),
    st.integers(0, 90),
)
logs = st.lists(happenings, min_size=1, max_size=40)


def worker_with_vectors() -> PureWorker:
    worker = PureWorker()
    means(worker.recommender, VECTORS)
    return worker


def process(worker: PureWorker, log: list[tuple[str, str, str, int]], size: int) -> list[Outcome]:
    """Each topic's events in batches of this size, topics one after the other; ids and offsets by
    place in the log.
    """
    done = []
    for topic in dict.fromkeys(topic for topic, *_ in log):
        events = [
            event(f"{topic}{at}", user_id=user, item_id=item, ts=NOW - DAY * age)
            for at, (_, user, item, age) in enumerate(each for each in log if each[0] == topic)
        ]
        for first in range(0, len(events), size):
            raw = batch(*events[first : first + size], topic=topic, first=first)
            done.append(worker.decide(raw, KIND_OF_TOPIC[topic]))
    return done


def vectors_of(worker: PureWorker) -> dict[str, bytes]:
    return {user: fields.get("vector") or b"" for user, fields in worker.stored.items()}


@given(logs, st.integers(1, 9), st.integers(1, 9))
def test_how_a_log_is_cut_into_batches_changes_no_vector(
    log: list[tuple[str, str, str, int]], size: int, other: int
) -> None:
    one, two = worker_with_vectors(), worker_with_vectors()
    process(one, log, size)
    process(two, log, other)
    assert vectors_of(one) == vectors_of(two)


@given(logs, st.randoms(use_true_random=False))
def test_the_order_of_events_changes_no_vector(log: list[tuple[str, str, str, int]], random: object) -> None:
    shuffled = sorted(log, key=lambda _: random.random())  # type: ignore[attr-defined]  # Hypothesis gives a Random
    one, two = worker_with_vectors(), worker_with_vectors()
    process(one, log, 4)
    process(two, shuffled, 4)
    assert vectors_of(one) == vectors_of(two)


@given(logs, st.integers(1, 9))
def test_a_log_read_again_changes_no_profile(log: list[tuple[str, str, str, int]], size: int) -> None:
    worker = worker_with_vectors()
    process(worker, log, size)
    before = dict(worker.stored)
    process(worker, log, 3)
    assert worker.stored == before


@given(logs)
def test_a_stored_vector_is_a_direction_or_nothing(log: list[tuple[str, str, str, int]]) -> None:
    worker = worker_with_vectors()
    process(worker, log, 5)
    for user, profile in worker.profiles.items():
        stored = np.frombuffer(vectors_of(worker)[user], "<f2").astype(np.float64)
        has_meaning = any(seen.item_id in VECTORS for seen in profile.recent)
        assert len(stored) == (64 if has_meaning else 0)
        assert not has_meaning or abs(np.linalg.norm(stored) - 1) < 2e-3


@given(logs, st.permutations(ITEMS), st.integers(1, 5))
def test_lists_depend_on_the_set_of_vectors_only(
    log: list[tuple[str, str, str, int]], order: list[str], cuts: int
) -> None:
    one, two = worker_with_vectors(), PureWorker()
    for part in np.array_split(np.array(order), cuts):
        means(two.recommender, {item_id: VECTORS[item_id] for item_id in part.tolist()})
    first, second = process(one, log, 50), process(two, log, 50)
    assert [each.recommendations for each in first] == [each.recommendations for each in second]


@given(logs)
def test_without_vectors_nothing_is_different(log: list[tuple[str, str, str, int]]) -> None:
    without = PureWorker()
    emptied = worker_with_vectors()
    emptied.recommender.remove_vectors(ITEMS)
    first, second = process(without, log, 6), process(emptied, log, 6)
    assert [each.recommendations for each in first] == [each.recommendations for each in second]
    assert without.profiles == emptied.profiles


def test_an_empty_recommender_with_vectors_answers_a_stranger() -> None:
    recommender = Recommender(RecommenderSettings())
    means(recommender, VECTORS)
    assert rankings(recommender, []) == []
