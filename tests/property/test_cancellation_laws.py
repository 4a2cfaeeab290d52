"""What must hold for cancelled orders: they count for nothing, whenever their cancellation came,
and a profile stays what its log gives.
"""

import math

from builders import NOW, Fields, PureWorker, batch, event
from hypothesis import given
from hypothesis import strategies as st

from models.contract.events import Kind
from models.profile import ProfileSettings
from models.recommender import RecommenderSettings
from models.users.difference import differing_fields
from models.users.rebuilding import Rebuilding
from models.users.share import ALL_USERS

SMALL = ProfileSettings(recent_items=3, bought_items=2)
DAY = 86_400.0
Order = tuple[str, str, int, bool]
# A user, an item, the day, and whether the order is cancelled.
orders: st.SearchStrategy[list[Order]] = st.lists(
    st.tuples(st.sampled_from(["u1", "é商"]), st.sampled_from("abcd"), st.integers(0, 90), st.booleans()),
    max_size=12,
    unique_by=lambda each: (each[0], each[2]),
)


def order(number: int, of: Order, **more: object) -> Fields:
    user, item, day, _ = of
    return event(f"o{number}", user_id=user, item_id=item, ts=NOW - 91 * DAY + day * DAY, price=3.5, **more)


def log_of(made: list[Order], places: list[int]) -> list[Fields]:
    """Orders in their order, and the cancellation of each at a place of its own."""
    log = [order(number, each) for number, each in enumerate(made)]
    for number, (each, place) in enumerate(zip(made, places, strict=True)):
        if each[3]:
            log.insert(place % (len(log) + 1), order(number, each, cancelled_at=NOW))
    return log


def process(log: list[Fields], size: int, settings: ProfileSettings) -> tuple[PureWorker, list[bytes]]:
    worker, emitted = PureWorker(RecommenderSettings(profile=settings), capacity=10), list[bytes]()
    for first in range(0, len(log), size):
        emitted += worker.decide(
            batch(*log[first : first + size], topic="orders", first=first), Kind.ORDER
        ).interactions
    return worker, emitted


def count(made: list[Order], user: str, at: float) -> float:
    """The decayed count of the user's orders that stand, as of `at` in seconds."""
    times = [NOW - 91 * DAY + day * DAY for each, _, day, gone in made if each == user and not gone]
    return sum(math.exp((ts - at) * SMALL.decay_rate) for ts in times)


@given(orders, st.lists(st.integers(0, 30), min_size=12, max_size=12), st.integers(1, 5), st.integers(1, 5))
def test_profiles_with_cancelled_orders_made_again_are_those_that_were_stored_to_the_byte(
    made: list[Order], places: list[int], size: int, read: int
) -> None:
    worker, emitted = process(log_of(made, places[: len(made)]), size, SMALL)
    rebuilt = Rebuilding(SMALL, ALL_USERS)
    for first in range(0, len(emitted), read):
        some: list[bytes | None] = [*emitted[first : first + read]]
        rebuilt.apply(batch(*some, topic="interactions", first=first))
    assert dict(zip(rebuilt.user_ids, rebuilt.encode(rebuilt.user_ids), strict=True)) == worker.stored
    for user, stored in worker.profiles.items():
        assert differing_fields(stored, rebuilt.profile(user)) == []


@given(orders, st.lists(st.integers(0, 30), min_size=12, max_size=12), st.integers(1, 5))
def test_counts_are_those_of_the_orders_that_stand(made: list[Order], places: list[int], size: int) -> None:
    log = [order(number, each) for number, each in enumerate(made)]
    for number, (each, place) in enumerate(zip(made, places, strict=False)):
        if each[3]:
            after = 1 + next(row for row, event in enumerate(log) if event["event_id"] == f"o{number}")
            log.insert(after + place % (len(log) + 1 - after), order(number, each, cancelled_at=NOW))
    worker, _ = process(log, size, SMALL)
    for user, profile in worker.profiles.items():
        expected = count(made, user, profile.counted_at)
        assert math.isclose(profile.counts[Kind.ORDER], expected, rel_tol=1e-6, abs_tol=1e-6)


@given(orders, st.lists(st.integers(0, 30), min_size=12, max_size=12), st.integers(1, 5))
def test_where_each_item_is_ordered_once_the_profile_is_that_without_the_order_wherever_its_cancellation_comes(
    made: list[Order], places: list[int], size: int
) -> None:
    once = list({(user, item): (user, item, day, gone) for user, item, day, gone in made}.values())
    worker, _ = process(log_of(once, places[: len(once)]), size, ProfileSettings())
    plain, _ = process(
        [order(number, each) for number, each in enumerate(once) if not each[3]], size, ProfileSettings()
    )
    for user, profile in worker.profiles.items():
        expected = plain.profile(user) if user in plain.stored else None
        assert profile.recent == (expected.recent if expected is not None else ())
        assert profile.bought == (expected.bought if expected is not None else ())
        counted_at = max(profile.counted_at, expected.counted_at) if expected is not None else profile.counted_at
        for made_again in (profile, expected or profile):
            faded = math.exp((made_again.counted_at - counted_at) * SMALL.decay_rate)
            assert math.isclose(faded * made_again.counts[Kind.ORDER], count(once, user, counted_at), abs_tol=1e-6)
