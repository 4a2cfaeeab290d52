"""What the item table holds can be kept in a snapshot."""

import numpy as np
import pytest

from models.contract.events import Kind
from models.items.facts import HALF_LIFE_SECONDS, HIGHEST_PRICE, ItemFacts


def test_a_price_beyond_single_precision_counts_as_the_highest_and_fits_a_snapshot() -> None:
    facts = ItemFacts()
    facts.describe(0, "Acme", 1e39)
    ItemFacts.check(facts.snapshot())
    assert facts.price[0] == np.float32(HIGHEST_PRICE)


def counted(*kinds: Kind) -> ItemFacts:
    """Items with an event of each of these kinds, a second apart."""
    facts, count = ItemFacts(), len(kinds)
    facts.learn(np.arange(count, dtype=np.int32), np.array(kinds, np.int32), np.arange(1.0, count + 1))
    return facts


def test_a_snapshot_of_the_previous_format_is_taken_and_counts_no_carts() -> None:
    facts = counted(Kind.VIEW, Kind.CLICK, Kind.ORDER)
    stored = facts.snapshot()
    by_kind = stored["counts"].reshape(-1, len(Kind), len(HALF_LIFE_SECONDS))
    former = ItemFacts()
    former.restore(stored | {"counts": np.delete(by_kind, Kind.CART, axis=1).flatten()})
    np.testing.assert_array_equal(former.counts, facts.counts)
    former.learn(np.zeros(1, np.int32), np.array([Kind.CART], np.int32), np.full(1, 1.0))
    assert former.counts[0, :, 0].tolist() == [1.0, 0.0, 1.0, 0.0]


def test_counts_of_any_other_number_of_kinds_are_refused() -> None:
    stored = counted(Kind.CART).snapshot()
    by_kind = stored["counts"].reshape(-1, len(Kind), len(HALF_LIFE_SECONDS))
    for counts in (by_kind[:, :2], np.concatenate([by_kind, by_kind[:, :1]], axis=1)):
        with pytest.raises(ValueError, match="columns of items differ in length"):
            ItemFacts.check(stored | {"counts": counts.flatten()})
