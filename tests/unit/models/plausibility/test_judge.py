"""Doubtful events get a reason, and the outcome that the settings say."""

from dataclasses import replace

import numpy as np
import pytest
from builders import NOW, batch, event
from prometheus_client import CollectorRegistry

from agents.learn import Learn
from agents.metrics import Metrics
from models.catalogue import Catalogue
from models.contract.event_codec import EventSettings
from models.contract.events import Item, Kind, RawBatch
from models.contract.outcome import DOUBTS, Reason
from models.contract.wire import encode_interactions
from models.duplicates import DuplicateFilter
from models.plausibility.judge import Plausibility
from models.plausibility.settings import ACCEPT, DOWN_WEIGHT, OUTCOMES, QUARANTINE, PlausibilitySettings
from models.processor import Admitted, ListMaker, admit, follow
from models.recommender import Recommender, RecommenderSettings
from models.vocabulary import Vocabulary

ALL = PlausibilitySettings(robots=QUARANTINE, prices=QUARANTINE, quantities=QUARANTINE, non_products=QUARANTINE)


def plausibility(settings: PlausibilitySettings | None = None, catalogue: tuple[Item, ...] = ()) -> Plausibility:
    items = Vocabulary()
    known = Catalogue(items)
    for each in catalogue:
        known.upsert(each)
    return Plausibility(settings or PlausibilitySettings(), items, known)


def admitted(raw: RawBatch, kind: Kind, plausible: Plausibility, seen: DuplicateFilter | None = None) -> Admitted:
    return admit(raw, kind, seen or DuplicateFilter(86_400, 10_000), EventSettings(), plausibility=plausible)


def robot(size: int = 100) -> RawBatch:
    return batch(*(event(f"e{n}", item_id=f"i{n}", user_id="bot", ts=NOW - 100 + n / 4) for n in range(size)))


def orders(*prices: float, quantity: float = 1) -> RawBatch:
    return batch(
        *(event(f"e{n}", price=price, quantity=quantity, ts=NOW) for n, price in enumerate(prices)), topic="orders"
    )


def test_a_robot_s_events_are_in_its_profile_and_not_learned() -> None:
    found = admitted(robot(), Kind.VIEW, plausibility())

    assert len(found.interactions) == 100
    assert found.rejected == []
    assert found.interactions.is_learned is not None
    assert 20 < np.count_nonzero(found.interactions.is_learned) < 50
    assert set(found.doubts) == {(Reason.ROBOT, DOWN_WEIGHT)}


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_the_outcome_is_a_setting(outcome: str) -> None:
    found = admitted(robot(), Kind.CLICK, plausibility(PlausibilitySettings(robots=outcome)))

    doubted = found.doubts[Reason.ROBOT, outcome]
    assert len(found.rejected) == (doubted if outcome == QUARANTINE else 0)
    assert {each.reason for each in found.rejected} <= {Reason.ROBOT}
    learned = found.interactions.is_learned
    assert (learned is not None) == (outcome == DOWN_WEIGHT)


def test_prices_quantities_and_non_products_have_reasons_of_their_own() -> None:
    known = plausibility(ALL, (Item("i1", "Mug", price=10.0),))
    admitted(orders(*[10.0] * 60), Kind.ORDER, known)

    far = admitted(orders(10.0, 1_000.0), Kind.ORDER, known)
    many = admitted(orders(10.0, quantity=9_000), Kind.ORDER, known)
    fee = admitted(batch(event(item_id="Bank Charges"), event("e2"), topic="orders"), Kind.ORDER, known)

    assert [(each.reason, each.offset) for each in far.rejected] == [(Reason.PRICE_OUTLIER, 1)]
    assert [each.reason for each in many.rejected] == [Reason.IMPLAUSIBLE_QUANTITY]
    assert [(each.reason, each.offset) for each in fee.rejected] == [(Reason.NON_PRODUCT, 0)]
    assert far.rejected[0].value == orders(10.0, 1_000.0).values[1]
    assert "HEADRACE_PLAUSIBILITY_PRICES" in far.rejected[0].detail


@pytest.mark.parametrize("doubtful", [{"quantity": 9_000}, {"price": 1_000.0}])
def test_an_order_let_in_before_it_was_known_to_be_absurd_can_be_cancelled(doubtful: dict[str, float]) -> None:
    known = plausibility(ALL)
    line = event("absurd", **{"price": 10.0, "quantity": 1} | doubtful, ts=NOW)
    cancelled = batch(line | {"cancelled_at": NOW + 1}, topic="orders")
    assert len(admitted(batch(line, topic="orders"), Kind.ORDER, known).interactions) == 1
    admitted(orders(*[10.0] * 60), Kind.ORDER, known)

    found = admitted(replace(cancelled, offsets=cancelled.offsets + 99), Kind.ORDER, known)

    assert found.rejected == []
    assert found.interactions.event_ids == ["absurd"]


def test_an_event_that_is_rejected_counts_once_it_is_sent_again_and_accepted() -> None:
    seen = DuplicateFilter(86_400, 10_000)
    strict, lenient = (plausibility(PlausibilitySettings(non_products=each)) for each in (QUARANTINE, ACCEPT))
    raw = batch(event(item_id="POST"))

    assert len(admitted(raw, Kind.VIEW, strict, seen).interactions) == 0
    again = replace(raw, offsets=raw.offsets + 5)
    assert len(admitted(again, Kind.VIEW, lenient, seen).interactions) == 1


def test_users_of_what_is_left_are_counted_again() -> None:
    raw = batch(event("a", user_id="u1", item_id="POST"), event("b", user_id="u2"), event("c", user_id="u3"))

    found = admitted(raw, Kind.VIEW, plausibility())

    assert found.users == ["u2", "u3"]
    assert found.user_of.tolist() == [0, 1]


def test_a_follower_learns_what_the_owner_learned() -> None:
    owner, other = (
        Learn(Recommender(RecommenderSettings()), DuplicateFilter(86_400, 10_000), Metrics(CollectorRegistry()))
        for _ in range(2)
    )
    found = admitted(robot(), Kind.VIEW, plausibility())
    maker = ListMaker.of(owner.recommender, capacity=10)
    followed = follow(found, maker.table, maker.table.add(dict.fromkeys(found.users)))

    owner.learn_own([followed])
    other.handle(batch(*encode_interactions(found.interactions, followed.session_ids), topic="interactions"))

    assert found.interactions.is_learned is not None
    learned = np.count_nonzero(found.interactions.is_learned)
    counts = [learn.recommender.catalogue.facts.counts.sum() for learn in (owner, other)]
    assert counts[0] == pytest.approx(counts[1])
    assert learned == sum(learn.metrics.learned.labels("learned")._value.get() for learn in (owner, other)) / 2


def test_every_doubt_is_tried_in_this_file() -> None:
    assert set(DOUBTS) == {Reason.ROBOT, Reason.PRICE_OUTLIER, Reason.IMPLAUSIBLE_QUANTITY, Reason.NON_PRODUCT}
