"""What the item table holds can be kept in a snapshot."""

import numpy as np

from models.items.facts import HIGHEST_PRICE, ItemFacts


def test_a_price_beyond_single_precision_counts_as_the_highest_and_fits_a_snapshot() -> None:
    facts = ItemFacts()
    facts.describe(0, "Acme", 1e39)
    ItemFacts.check(facts.snapshot())
    assert facts.price[0] == np.float32(HIGHEST_PRICE)
