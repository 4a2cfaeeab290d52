"""The rules of a shop for its lists: filters, blocked items, boosts, pins and diversity.

Look-ups apply them to the stored list; `headrace.arranging` does it. The rules of settings and
those of a request hold together: what one of them blocks is blocked.
"""

import math
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

ITEM, CATEGORY, BRAND = "item", "category", "brand"
BOOSTED = (ITEM, CATEGORY, BRAND)
LARGEST_FACTOR = 1000.0
MOST_PLACES = 100
HIGHEST_PRICE = 1e12
MOST_VALUES = 20  # of one kind in a request
LONGEST_VALUE = 128  # characters
# How a boost and a pin are written.
BOOST = r"(1000|[0-9]{1,3}(?:\.[0-9]{1,6})?):(item|category|brand):([\s\S]+)"
PIN = r"([1-9][0-9]?|100):([\s\S]+)"

Fields = Mapping[str, Any]
T = TypeVar("T")


class BadRule(ValueError):
    """A rule cannot be used. The message says which, and what is allowed."""


@dataclass(frozen=True, slots=True)
class Boost:
    """Multiplies the scores of an item, a category or a brand: above 1 up, below 1 down."""

    factor: float
    field: str
    value: str

    def __post_init__(self) -> None:
        if self.field not in BOOSTED:
            raise BadRule(f"a boost is of {self.field[:40]!r}; use item, category or brand")
        if not 0 <= self.factor <= LARGEST_FACTOR:
            raise BadRule(f"a boost has the factor {self.factor:g}; use a number from 0 to {LARGEST_FACTOR:g}")

    def hits(self, item_id: str, fields: Fields) -> bool:
        """Return whether the item gets this boost."""
        if self.field == CATEGORY:
            return is_within(fields.get(CATEGORY), self.value)
        return bool((item_id if self.field == ITEM else fields.get(BRAND)) == self.value)


@dataclass(frozen=True, slots=True)
class Pin:
    """Puts an item at a place of the list, counted from 1 over all pages."""

    place: int
    item_id: str

    def __post_init__(self) -> None:
        if not 1 <= self.place <= MOST_PLACES:
            raise BadRule(f"a pin has the place {self.place}; use 1 to {MOST_PLACES}")


@dataclass(frozen=True, slots=True)
class Rules:
    """Rules for lists; by default there are none.

    Only items of `categories` and `brands` are listed, with prices from `price_from` to `price_to`,
    and none of the blocked ones. A category includes those below it: `Home` has `Home/Kitchen`. An
    item whose category, brand or price is not known fails a filter on it. `diversity` is from 0
    (by score) to 1 (categories as different as can be); None leaves it to other rules.
    """

    categories: Sequence[str] = ()
    brands: Sequence[str] = ()
    price_from: float | None = None
    price_to: float | None = None
    blocked: Collection[str] = ()
    blocked_categories: Sequence[str] = ()
    blocked_brands: Collection[str] = ()
    boosts: Sequence[Boost] = ()
    pins: Sequence[Pin] = ()
    diversity: float | None = None

    def __post_init__(self) -> None:
        for name in ("categories", "brands", "blocked", "blocked_categories", "blocked_brands"):
            if isinstance(getattr(self, name), str):
                raise BadRule(f"{name} is one text; use a sequence of texts")
        for name in ("price_from", "price_to"):
            price = getattr(self, name)
            if price is not None and not 0 <= price <= HIGHEST_PRICE:
                raise BadRule(f"{name} is {price:g}; use a number from 0 to {HIGHEST_PRICE:g}")
        if self.diversity is not None and not 0 <= self.diversity <= 1:
            raise BadRule(f"diversity is {self.diversity:g}; use a number from 0 to 1")

    def refusal(self, item_id: str, fields: Fields) -> str:
        """Return the rule, in words, for which the item may not be listed; empty if there is
        none.
        """
        category, brand = fields.get(CATEGORY), fields.get(BRAND)
        if item_id in self.blocked:
            return "blocked item"
        if found := next((each for each in self.blocked_categories if is_within(category, each)), None):
            return f"blocked category {found}"
        if brand in self.blocked_brands:
            return f"blocked brand {brand}"
        if self.categories and not any(is_within(category, each) for each in self.categories):
            return "filter by category"
        if self.brands and brand not in self.brands:
            return "filter by brand"
        return "" if self._has_price(fields.get("price")) else "filter by price"

    def _has_price(self, price: float | None) -> bool:
        if price is None:
            return self.price_from is None and self.price_to is None
        return (self.price_from is None or price >= self.price_from) and (
            self.price_to is None or price <= self.price_to
        )


NO_RULES = Rules()


def is_within(category: str | None, wanted: str) -> bool:
    """Return whether a category is another one or below it.

    >>> is_within("Home/Kitchen", "Home"), is_within("Homeware", "Home")
    (True, False)
    """
    return category is not None and (category == wanted or category.startswith(f"{wanted}/"))


# How rules are written in queries and settings: the name, which field of `Rules` it is, and how one
# value is read.
NAMES: Mapping[str, str] = {
    "category": "categories",
    "brand": "brands",
    "price_from": "price_from",
    "price_to": "price_to",
    "block": "blocked",
    "block_category": "blocked_categories",
    "block_brand": "blocked_brands",
    "boost": "boosts",
    "pin": "pins",
    "diversity": "diversity",
}
SINGLE = frozenset({"price_from", "price_to", "diversity"})


def read_rules(given: Mapping[str, Sequence[str]], most_values: int = MOST_VALUES) -> Rules:
    """Return the rules that are written by the names of NAMES. Raises BadRule.

    >>> read_rules({"brand": ["Acme"], "pin": ["1:50"], "boost": ["2:category:Home"]}).pins
    (Pin(place=1, item_id='50'),)
    """
    found: dict[str, Any] = {}
    for name, texts in given.items():
        if len(texts) > (most := 1 if name in SINGLE else most_values):
            raise BadRule(f"{name} is there {len(texts)} times; at most {most}")
        values = [_read(name, text) for text in texts]
        if values:
            found[NAMES[name]] = values[0] if name in SINGLE else tuple(values)
    return Rules(**found)


def _read(name: str, text: str) -> Any:
    if name in SINGLE:
        return _number(name, text)
    if not 1 <= len(text) <= LONGEST_VALUE:
        raise BadRule(f"{name} has {len(text)} characters; use 1 to {LONGEST_VALUE}")
    if name == "boost":
        factor, field, value = _parts(BOOST, text, "2:brand:Acme, a factor up to 1000, item, category or brand, which")
        return Boost(float(factor), field, value)
    if name == "pin":
        place, item_id = _parts(PIN, text, "1:50, a place from 1 to 100 and an item's id")
        return Pin(int(place), item_id)
    return text


def _parts(pattern: str, text: str, form: str) -> Sequence[str]:
    found = re.fullmatch(pattern, text)
    if found is None:
        raise BadRule(f"{text[:40]!r} is no rule; write {form}")
    return found.groups()


def _number(name: str, text: str) -> float:
    try:
        number = float(text) if len(text) <= 40 and "_" not in text else math.nan
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise BadRule(f"{name} is {text[:40]!r}; use a number")
    return number


def first_of(rules: Sequence[Rules], read: Callable[[Rules], T | None]) -> T | None:
    """Return what the last of the rules says that says anything."""
    return next((value for each in reversed(rules) if (value := read(each)) is not None), None)
