"""Prepare catalogues for training: trusted titles, the split into parts, and words that are brands.

The split goes by title, so the same title is never on both sides.
"""

import re
import zlib
from collections import Counter
from dataclasses import dataclass, replace
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from models.quality.defect import ItemText
from models.quality.features import BROKEN, ENTITY, MOJIBAKE, TAG

ODD_CASE = 0.9
PRICED = 0.9
BRAND_TITLES = 5
LEADING = 0.6
TITLE_WORD = re.compile(r"[a-z0-9]+")


class Part(Enum):
    """Names a part of a catalogue.

    80 % are to learn from, 10 % to calibrate and choose with, 10 % to measure with.
    """

    TRAIN = "train"
    VALIDATION = "validation"
    TEST = "test"


@dataclass(frozen=True, slots=True)
class Entry:
    """Holds one catalogue row as the files have it; `priced` tells whether it has a price."""

    text: ItemText
    priced: bool


@dataclass(frozen=True, slots=True)
class TrainingCatalogue:
    """Holds the trusted, distinct texts of one file."""

    name: str
    items: tuple[ItemText, ...]

    def part(self, part: Part) -> "TrainingCatalogue":
        """Return the items of one part of the split."""
        return TrainingCatalogue(self.name, tuple(item for item in self.items if part_of(item.title) is part))


def normalised(title: str) -> str:
    """Return the title's letters and digits, in which repeats are equal."""
    return " ".join(TITLE_WORD.findall(title.lower()))


def part_of(title: str) -> Part:
    """Return the part that a title belongs to, by a checksum of its normalised form."""
    bucket = zlib.crc32(normalised(title).encode()) % 10
    return Part.TEST if bucket == 0 else Part.VALIDATION if bucket == 1 else Part.TRAIN


def trusted(name: str, entries: list[Entry]) -> TrainingCatalogue:
    """Return the catalogue without doubtful titles, and without repeats of title, category and
    brand.

    Doubtful are titles with tags, entities or broken characters, titles without a word, titles in
    another case than nine tenths of their catalogue, and titles without a price if nine tenths have
    one: in a real catalogue many of these are remarks.
    """
    with_title = [entry for entry in entries if entry.text.title.strip()]
    upper = sum(entry.text.title.isupper() for entry in with_title) > ODD_CASE * len(with_title)
    priced = sum(entry.priced for entry in with_title) > PRICED * len(with_title)
    kept = [
        _tidied(entry.text)
        for entry in with_title
        if not _visibly_broken(entry.text.title)
        and (entry.text.title.isupper() or not upper)
        and (entry.priced or not priced)
    ]
    return TrainingCatalogue(name, tuple(dict.fromkeys(kept)))


def categories_only(entries: list[Entry]) -> list[str]:
    """Return the categories of all rows, with or without a title."""
    return [entry.text.category for entry in entries if entry.text.category and not TAG.search(entry.text.category)]


def _visibly_broken(title: str) -> bool:
    return bool(
        TAG.search(title) or ENTITY.search(title) or MOJIBAKE.search(title) or BROKEN.search(title)
    ) or not normalised(title)


def _tidied(item: ItemText) -> ItemText:
    category = "" if TAG.search(item.category) else item.category
    return ItemText(" ".join(item.title.split()), category, "" if TAG.search(item.brand) else item.brand)


def leading_brands(catalogue: TrainingCatalogue) -> frozenset[str]:
    """Return words that look like brands: they begin five titles or more and are rare elsewhere."""
    first: Counter[str] = Counter()
    anywhere: Counter[str] = Counter()
    for item in catalogue.items:
        words = item.title.split()
        if len(words) > 1 and words[0].isalpha() and len(words[0]) > 2:
            first[words[0]] += 1
        anywhere.update(set(words))
    return frozenset(
        word for word, count in first.items() if count >= BRAND_TITLES and count >= LEADING * anywhere[word]
    )


def with_leading_brand(item: ItemText, brands: frozenset[str]) -> ItemText:
    """Return the item with the brand that its title begins with, if it had none."""
    first = item.title.split(maxsplit=1)[0] if item.title else ""
    return replace(item, brand=first) if not item.brand and first in brands else item


@dataclass(frozen=True, slots=True)
class TeachersView:
    """Holds how near titles are to categories in meaning, for catalogues without categories.

    An embedding model computes it. `similarity[title row, category column]` are cosines; `rows` and
    `columns` name them.
    """

    similarity: NDArray[np.float32]
    rows: dict[str, int]
    columns: dict[str, int]

    def nearest(self, title: str) -> tuple[str, float]:
        """Return the category nearest to a title, and its cosine."""
        row = self.similarity[self.rows[title]]
        column = int(row.argmax())
        return tuple(self.columns)[column], float(row[column])

    def cosine(self, title: str, category: str) -> float | None:
        """Return the cosine of the two, or None if the title was not embedded."""
        if title not in self.rows or category not in self.columns:
            return None
        return float(self.similarity[self.rows[title], self.columns[category]])
