"""Applies rules to the entries of a list: what may be shown, in which order, and what that says.

Filters and blocked items come first, then boosts, diversity, and pins. So a blocked item is never
shown, not even where it is pinned.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from headrace.lists import Entry, KnownItem, Row
from headrace.pages import hash_of
from headrace.rules import CATEGORY, Pin, Rules, first_of

PIN = "pin"  # the source of an item that is listed for a pin alone
SCORE_DIGITS = 6


@dataclass(frozen=True, slots=True)
class Arrangement:
    """How a list is wanted. `before` has the hashes of the items on earlier pages."""

    k: int
    rules: Sequence[Rules]
    known_only: bool = False
    before: Sequence[bytes] = ()

    @property
    def pins(self) -> list[Pin]:
        """The pins of this page and later ones; of two of an item, the first."""
        pins: dict[str, Pin] = {}
        for pin in (pin for each in self.rules for pin in each.pins if pin.place > len(self.before)):
            pins.setdefault(pin.item_id, pin)
        return list(pins.values())


@dataclass(frozen=True, slots=True)
class Placed:
    """An item on its way into the list, and the rules that moved it, in words."""

    item_id: str
    score: float
    source: str
    fields: Row
    moved: tuple[str, ...] = ()

    def row(self) -> Row:
        """Return the row of the list."""
        return {"item_id": self.item_id, "score": self.score, "source": self.source, **self.fields}


@dataclass(frozen=True, slots=True)
class Arranged:
    """The items of a page. `left_out` are those of the list that rules refused, and the rules in
    words.

    `has_more` is whether another page may follow.
    """

    items: list[Placed]
    left_out: dict[str, str] = field(default_factory=dict)
    has_more: bool = False


def arrange(
    entries: Sequence[Entry], spare: Sequence[Entry], known: Mapping[str, KnownItem], wanted: Arrangement
) -> Arranged:
    """Return a page of these entries; `spare` ones follow as far as they are needed.

    `known` has all of them, and the pinned items.
    """
    before, left_out = set(wanted.before), dict[str, str]()

    def may_be_listed(item_id: str) -> bool:
        item = known[item_id]
        if not item.shown or not (item.known or not wanted.known_only) or hash_of(item_id) in before:
            return False
        refusal = next(filter(None, (each.refusal(item_id, item.fields) for each in wanted.rules)), "")
        if refusal:
            left_out[item_id] = refusal
        return not refusal

    pins = [pin for pin in wanted.pins if may_be_listed(pin.item_id)]
    pinned = {pin.item_id for pin in pins}
    others: list[Placed] = []
    found: dict[str, Placed] = {}
    for number, (item_id, score, source) in enumerate((*entries, *spare)):
        if number >= len(entries) and len(others) > wanted.k:
            break
        if item_id not in found and may_be_listed(item_id):
            found[item_id] = placed = Placed(item_id, score, source, known[item_id].fields)
            if item_id not in pinned:
                others.append(placed)
    others = _diversified(_boosted(others, wanted.rules), wanted)
    for pin in pins:
        found.setdefault(pin.item_id, Placed(pin.item_id, 0.0, PIN, known[pin.item_id].fields))
    own = {entry[0] for entry in entries} | {pin.item_id for pin in wanted.pins}
    refused = {item_id: rule for item_id, rule in left_out.items() if item_id in own}
    return _with_pins(others, pins, found, refused, wanted)


def _boosted(items: list[Placed], rules: Sequence[Rules]) -> list[Placed]:
    boosts = [boost for each in rules for boost in each.boosts]
    if not boosts:
        return items
    boosted = []
    for item in items:
        hits = [boost for boost in boosts if boost.hits(item.item_id, item.fields)]
        score, said = item.score, tuple(f"boost {hit.field} {hit.value} by {hit.factor:g}" for hit in hits)
        for hit in hits:
            score *= hit.factor
        boosted.append(replace(item, score=round(score, SCORE_DIGITS), moved=said) if hits else item)
    return sorted(boosted, key=lambda item: -item.score)  # stable: equal scores keep their order


def _diversified(items: list[Placed], wanted: Arrangement) -> list[Placed]:
    """Choose one after the other: the next is high in the list, and unlike those before (MMR).

    Being high counts 1 - diversity, from 1 for the first to 0; being like the most similar one
    before counts diversity. Source: Carbonell and Goldstein, SIGIR 1998.
    """
    strength = first_of(wanted.rules, lambda each: each.diversity) or 0.0
    if not strength:
        return items
    paths = [(item.fields.get(CATEGORY) or "").split("/") for item in items]
    likeness, chosen, left = [0.0] * len(items), list[int](), list(range(len(items)))
    while left and len(chosen) <= wanted.k:
        best = max(left, key=lambda at: (1 - strength) * (1 - at / len(items)) - strength * likeness[at])
        left.remove(best)
        chosen.append(best)
        for at in left:
            likeness[at] = max(likeness[at], _likeness(paths[at], paths[best]))
    said = f"diversity {strength:g}"
    moved = [
        items[at] if at == place else replace(items[at], moved=(*items[at].moved, f"{said}: {at + 1} to {place + 1}"))
        for place, at in enumerate(chosen)
    ]
    return [*moved, *(items[at] for at in left)]


def _likeness(path: Sequence[str], other: Sequence[str]) -> float:
    """Return the share of the levels that two categories have in common; unknown ones have none."""
    if not path[0] or not other[0]:
        return 0.0
    common = 0
    while common < min(len(path), len(other)) and path[common] == other[common]:
        common += 1
    return common / max(len(path), len(other))


def _with_pins(
    others: list[Placed],
    pins: Sequence[Pin],
    found: Mapping[str, Placed],
    left_out: dict[str, str],
    wanted: Arrangement,
) -> Arranged:
    """Put each pinned item at its place, or behind an earlier pin of the same place."""
    by_place: dict[int, Pin] = {}
    for pin in pins:
        place = pin.place
        while place in by_place:
            place += 1
        by_place[place] = pin
    page: list[Placed] = []
    rest, place = iter(others), len(wanted.before) + 1
    used = 0
    while len(page) < wanted.k:
        if place not in by_place and used < len(others):
            page.append(next(rest))
            used += 1
        elif by_place:
            # Where the list is shorter than a pin's place, the pin follows the last item.
            pin = by_place.pop(min(by_place))
            page.append(replace(found[pin.item_id], moved=(f"pinned to {pin.place}",)))
        else:
            break
        place += 1
    return Arranged(page, left_out, has_more=used < len(others) or bool(by_place))
