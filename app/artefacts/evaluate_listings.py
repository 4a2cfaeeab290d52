"""Measures how well listings of one product are found, on pairs that are known."""

from pathlib import Path

from app.artefacts.targets import Target
from app.datasets.named_rows import named_rows
from app.errors import HeadraceError
from models.quality.listings import Duplicate, Listing, find_duplicates

# Two shops each, the F1 that links and proposals together must reach, and the precision of links.
# The known pairs of Amazon and Google leave out some that have one part number.
SHOPS = (("abt", "buy", 0.80, 0.95), ("amazon_sw", "google", 0.60, None))


def listing_targets(data: Path) -> list[Target]:
    """Return F1 of all pairs of both pairs of shops, and the precision of certain ones.

    Listings of different shops are compared. Nothing is fitted to these pairs. Raises HeadraceError
    if a file of the sample data is missing.
    """
    folder = data / "product_listings"
    items, pairs = folder / "items.csv.gz", folder / "duplicate_pairs.csv.gz"
    for path in (items, pairs):
        if not path.is_file():
            raise HeadraceError(f"{path} is missing; --data must name the folder of the sample data")
    rows = [
        (row["item_id"], row["title"], row["brand"])
        for row in named_rows(items, required=("item_id", "title", "brand"))
    ]
    known = {frozenset((row["item_a"], row["item_b"])) for row in named_rows(pairs, required=("item_a", "item_b"))}
    targets = []
    for one, other, bound, precise in SHOPS:
        ids = [each for each, *_ in rows if _shop(each) in (one, other)]
        listings = [Listing(title, brand, _shop(each)) for each, title, brand in rows if _shop(each) in (one, other)]
        truth = {each for each in known if {_shop(item) for item in each} == {one, other}}
        found = find_duplicates(listings)
        certain = [each for each in found if each.is_certain]
        targets.append(Target(f"F1 duplicates, {one} and {other}", f1(_named(found, ids), truth), bound))
        if precise is not None:
            value = _precision(_named(certain, ids), truth)
            targets.append(Target(f"precision of {len(certain)} certain duplicates, {one} and {other}", value, precise))
    return targets


def f1(found: set[frozenset[str]], truth: set[frozenset[str]]) -> float:
    """Return the harmonic mean of precision and recall.

    >>> pair = frozenset("ab")
    >>> f1({pair}, {pair, frozenset("cd")})
    0.6666666666666666
    """
    return 2 * len(found & truth) / (len(found) + len(truth)) if found or truth else 1.0


def _precision(found: set[frozenset[str]], truth: set[frozenset[str]]) -> float:
    return len(found & truth) / len(found) if found else 1.0


def _named(found: list[Duplicate], ids: list[str]) -> set[frozenset[str]]:
    return {frozenset((ids[each.first], ids[each.second])) for each in found}


def _shop(item_id: str) -> str:
    return item_id.partition(":")[0]
