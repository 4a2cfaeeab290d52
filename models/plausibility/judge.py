"""Judge whether accepted events are plausible, a batch at a time by columns."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.catalogue import Catalogue
from models.contract.events import Kind
from models.contract.interactions import Interactions
from models.contract.outcome import DOUBTS, Reason
from models.contract.typed_event import EventRecord
from models.plausibility.robots import RobotTable
from models.plausibility.settings import ACCEPT, DOWN_WEIGHT, OUTCOMES, QUARANTINE, PlausibilitySettings
from models.plausibility.usual_values import NO_CATEGORY, Reference, UsualValues
from models.vocabulary import Vocabulary

# Ids of lines that are no goods in any shop; more are named in HEADRACE_EVENTS_NON_PRODUCTS.
_WORDS = """
post postage dot dotcom_postage shipping shipping_fee carriage delivery delivery_fee freight discount voucher fee fees
amazonfee amazon_fee bank_charges surcharge handling deposit refund donation adjust adjustment
"""
NON_PRODUCTS = frozenset(each.replace("_", " ") for each in _WORDS.split())
CODES = {reason: place + 1 for place, reason in enumerate(DOUBTS)}
_DOWN_WEIGHT, _QUARANTINE = OUTCOMES.index(DOWN_WEIGHT), OUTCOMES.index(QUARANTINE)
MOST = 10.0  # a price that differs by this many times the plausible factor always is an outlier
WITH_ROBOTS = (Kind.VIEW, Kind.CLICK)

Hashes = Callable[[], NDArray[np.uint64]]


@dataclass(frozen=True, slots=True)
class BatchDoubts:
    """What is doubtful of n events: `doubts` (n,) holds 0 or the place in DOUBTS plus 1, and
    `outcomes` (n,) the place of what becomes of the event in OUTCOMES.
    """

    doubts: NDArray[np.uint8]
    outcomes: NDArray[np.uint8]

    @property
    def is_rejected(self) -> NDArray[np.bool_]:
        """Return which events go to quarantine, shape (n,)."""
        rejected: NDArray[np.bool_] = self.outcomes == _QUARANTINE
        return rejected

    @property
    def is_learned(self) -> NDArray[np.bool_]:
        """Return which events others learn from unless they are rejected, shape (n,)."""
        learned: NDArray[np.bool_] = self.outcomes != _DOWN_WEIGHT
        return learned

    def counts(self) -> Mapping[tuple[Reason, str], int]:
        """Return how many events have each reason and outcome."""
        rows = self.doubts.nonzero()[0]
        pairs = zip(self.doubts[rows].tolist(), self.outcomes[rows].tolist(), strict=True)
        return Counter((DOUBTS[doubt - 1], OUTCOMES[outcome]) for doubt, outcome in pairs)


class Plausibility:
    """What is known of users' rhythm, and of items' prices and quantities, from this worker's
    events.

    It is kept in memory alone: after a restart nothing is far from what is not known yet.
    """

    def __init__(self, settings: PlausibilitySettings, items: Vocabulary, catalogue: Catalogue) -> None:
        self._settings = settings
        self._items = items
        self._catalogue = catalogue
        self._robots = RobotTable(settings.robot_memory)
        self._prices = UsualValues()
        self._quantities = UsualValues()
        self._is_no_product = np.zeros(0, np.bool_)
        outcomes = (ACCEPT, settings.robots, settings.prices, settings.quantities, settings.non_products)
        self._outcomes = np.array([OUTCOMES.index(each) for each in outcomes], np.uint8)

    def warm_up(self) -> None:
        """Compile the kernels, or load them from numba's cache, without remembering anything."""
        one = np.ones(1)
        RobotTable(1).judge(np.ones(1, np.uint64), np.zeros(1, np.int32), one, 1.0)
        UsualValues().judge(one, np.zeros(1, np.int32), Reference(np.zeros(1, np.int32), one), 2.0, 4.0)

    def judge(self, found: Interactions, user_of: NDArray[np.int32], hashes: Hashes) -> BatchDoubts | None:
        """Take in a batch, and return its doubts; None where there is none.

        `user_of` (n,) is the place of each event's user in `hashes`, of which none is 0.
        """
        doubts = np.zeros(len(found), np.uint8)
        items = self._items.numbers(found.item_ids)
        if found.kind in WITH_ROBOTS:
            robots = self._robots.judge(hashes(), user_of, found.ts, self._settings.robot_rate)
            doubts[robots] = CODES[Reason.ROBOT]
        else:
            self._judge_values(found, items, doubts)
        if found.cancelling is not None:
            # The order was let in when less was known, and most absurd orders are cancelled.
            doubts[found.cancelling & (self._outcomes[doubts] == _QUARANTINE)] = 0
        self._know(len(self._items))
        doubts[self._is_no_product[items]] = CODES[Reason.NON_PRODUCT]
        return BatchDoubts(doubts, self._outcomes[doubts]) if doubts.any() else None

    def _judge_values(self, found: Interactions, items: NDArray[np.int32], doubts: NDArray[np.uint8]) -> None:
        chosen, reference = self._settings, self._reference(items)
        prices = np.array([event.price for event in found.events], np.float64)
        quantities = np.array([event.quantity for event in found.events], np.float64)
        no_price = reference._replace(log_price=np.full(len(items), np.nan))
        far = self._prices.judge(prices, items, reference, chosen.price_factor, MOST * chosen.price_factor)
        doubts[far] = CODES[Reason.PRICE_OUTLIER]
        far = self._quantities.judge(quantities, items, no_price, chosen.quantity_factor, np.inf)
        doubts[far] = CODES[Reason.IMPLAUSIBLE_QUANTITY]

    def _reference(self, items: NDArray[np.int32]) -> Reference:
        categories = np.full(len(items), NO_CATEGORY, np.int32)
        log_price = np.full(len(items), np.nan)
        known = items < len(self._catalogue.category)
        categories[known] = self._catalogue.category[items[known]]
        facts = self._catalogue.facts
        priced = np.flatnonzero(items < len(facts.price))
        priced = priced[facts.price[items[priced]] > 0]
        log_price[priced] = facts.log_price[items[priced]]
        return Reference(categories, log_price)

    def _know(self, size: int) -> None:
        """Look at the ids of items that were not met before."""
        first = len(self._is_no_product)
        if size > first:
            new = [name.casefold().replace("_", " ") in NON_PRODUCTS for name in self._items.names[first:size]]
            self._is_no_product = np.concatenate([self._is_no_product, np.array(new, np.bool_)])

    def detail(self, reason: Reason, event: EventRecord) -> str:
        """Return in words what is doubtful of an event, for the quarantine."""
        match reason:
            case Reason.ROBOT:
                return "the user acts faster or more regularly than a person (HEADRACE_PLAUSIBILITY_ROBOTS)"
            case Reason.PRICE_OUTLIER:
                return f"price {event.price} is far from the item's usual one (HEADRACE_PLAUSIBILITY_PRICES)"
            case Reason.IMPLAUSIBLE_QUANTITY:
                usual = "HEADRACE_PLAUSIBILITY_QUANTITIES"
                return f"quantity {event.quantity} is far from the item's usual one ({usual})"
        return f"item_id {event.item_id!r} is no product (HEADRACE_PLAUSIBILITY_NON_PRODUCTS)"
