"""Finds listings of the same product in a catalogue, without labels and without training.

A model number that few listings share says most. Beside it, titles are compared by the cosine of
their words, each weighted by how rare it is (inverse document frequency, Spärck Jones 1972). Two
listings are nearest to each other where neither has a nearer one: that keeps the variants of one
product line apart, which are all alike.
"""

import math
import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

RARE = 5  # listings: a number that more of them share is no model number
RELATED, ALIKE = 0.25, 0.5  # cosines of titles: with the same number, and without
COMMON_SHARE = 0.2  # of all titles: a word that more of them have joins nothing
MOST_JOINED = 2_000  # listings that one word may join, which bounds the time
SHORTEST_NUMBER, SHORTEST_DIGITS = 4, 5  # characters
TOKEN = re.compile(r"[A-Za-z0-9][A-Za-z0-9./-]*[A-Za-z0-9]")
MEASURE = re.compile(
    r"\d+(gb|mb|tb|[mg]?hz|mm|cm|in|inch|w|watts?|v|oz|lbs?|ft|mp|x|p|k|pack|ct|pcs?|th|st|[nr]d|ml|l|k?g|hp|btu|cu|"
    r"mah|hrs?|users?|bit|[dcs]|years?|yr|x\d+(x\d+)?)"
)
WORD = re.compile(r"[a-z]+|\d+(?:\.\d+)?")


class Duplicate(NamedTuple):
    """Two listings by their places, the earlier one first.

    `similarity` is the cosine of their titles. A link that `is_certain` needs no look: the listings
    share a model number, no brand contradicts, and each is the other's nearest. The rest is a
    proposal.
    """

    first: int
    second: int
    similarity: float
    is_certain: bool


@dataclass(frozen=True, slots=True)
class Listing:
    """What is compared. Listings with the same `side` are not compared, unless it is empty."""

    title: str
    brand: str = ""
    side: str = ""


def model_numbers(title: str) -> frozenset[str]:
    """Return what may be model numbers: tokens with a digit, without signs, in small letters.

    >>> sorted(model_numbers("Sony Turntable PS-LX350H, 512MB"))
    ['pslx350h']
    """
    tokens = (re.sub(r"[^a-z0-9]", "", each.lower()) for each in TOKEN.findall(title))
    return frozenset(filter(_is_number, tokens))


def _is_number(token: str) -> bool:
    if token.isdigit():
        return len(token) >= SHORTEST_DIGITS
    return len(token) >= SHORTEST_NUMBER and any(map(str.isdigit, token)) and not MEASURE.fullmatch(token)


def find_duplicates(listings: Sequence[Listing]) -> list[Duplicate]:
    """Return pairs of listings of one product, the surest first: certain links, then proposals."""
    words = [frozenset(WORD.findall(each.title.lower())) for each in listings]
    near = _neighbours(listings, words)
    nearest = [max(each, key=lambda other: (each[other], -other), default=-1) for each in near]
    numbers = [model_numbers(each.title) for each in listings]
    shared = Counter(number for each in numbers for number in each)
    found = []
    for first, similar in enumerate(near):
        for second, cosine in similar.items():
            if second <= first:
                continue
            is_nearest = nearest[first] == second and nearest[second] == first
            has_number = any(shared[each] <= RARE for each in numbers[first] & numbers[second])
            if (has_number and cosine >= RELATED) or (is_nearest and cosine >= ALIKE):
                agree = _brands_agree(listings[first].brand, listings[second].brand)
                certain = has_number and is_nearest and cosine >= RELATED and agree
                found.append(Duplicate(first, second, round(cosine, 4), certain))
    return sorted(found, key=lambda each: (not each.is_certain, -each.similarity, each.first, each.second))


def _neighbours(listings: Sequence[Listing], words: Sequence[frozenset[str]]) -> list[dict[int, float]]:
    """Return the cosine to each listing that shares a word that is not common, by its place."""
    holders: defaultdict[str, list[int]] = defaultdict(list)
    for place, each in enumerate(words):
        for word in each:
            holders[word].append(place)
    weights = {word: math.log(len(words) / len(places)) ** 2 for word, places in holders.items()}
    norms = [math.sqrt(sum(weights[word] for word in each)) or 1.0 for each in words]
    most = min(MOST_JOINED, COMMON_SHARE * len(words))
    near: list[dict[int, float]] = []
    for place, each in enumerate(words):
        dots: defaultdict[int, float] = defaultdict(float)
        for word in sorted(each):
            if len(holders[word]) <= max(most, 2):
                for other in holders[word]:
                    dots[other] += weights[word]
        side = listings[place].side
        near.append(
            {
                other: dot / (norms[place] * norms[other])
                for other, dot in dots.items()
                if other != place and not (side and listings[other].side == side)
            }
        )
    return near


def _brands_agree(one: str, other: str) -> bool:
    """Return False if both are given and begin with different words."""
    first, second = (WORD.findall(each.lower())[:1] for each in (one, other))
    return not first or not second or first == second
