"""Prepare a title for the quality model: the whole of it, and without what misleads the model.

The model was taught a text of 120 characters. A longer title is read in windows. A bare "&" counts
as an entity with it, emoji are unknown to its tokenizer, and some goods have the names of notes.
The stored title is not changed.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from models.quality.defect import DEFECTS, Defect, ItemText
from models.quality.features import LONGEST_TITLE
from models.quality.rules import SURE, findings
from models.quality.text import TITLE_LIMIT

# A change of what is read or found here makes other verdicts: raise it, and items are judged again.
READING = 1
AMPERSAND = re.compile(r"\s*&(?!\s?#?\w{2,8};)\s*")
EMOJI = re.compile(
    "[\U0001f000-\U0001faff\u2600-\u27bf\u2b00-\u2bff\u231a-\u23ff\u25aa-\u25fe\ufe0e\ufe0f\u200d\u20e3]+"
)
# Goods whose names are words of notes, and goods of the same kind that the model knows.
STAND_INS = (
    (re.compile(r"\b(?:duplicate )?(?:order|receipt|invoice|delivery|cash|stock) (?:book|pad)s?\b", re.I), "notebook"),
    (re.compile(r"\breceipts?\b", re.I), "notebook"),
    (re.compile(r"\bcash registers?\b", re.I), "calculator"),
)  # fmt: skip
# What a later part of a title can be by itself; it is no whole title, so it is not cut off either.
IN_PARTS = (Defect.GARBLED, Defect.ENCODING, Defect.SPAM, Defect.MARKUP)
COLUMNS = [DEFECTS.index(each) for each in IN_PARTS]


@dataclass(frozen=True, slots=True)
class TitleReading:
    """Holds what the model reads of n items: n texts, then the later parts of long titles.

    `owners` has the item of each later part.
    """

    texts: list[ItemText]
    owners: NDArray[np.intp]


def reading_of(items: Sequence[ItemText]) -> TitleReading:
    """Return what the model reads of these items."""
    texts = [replace(item, title=readable(item.title)) for item in items]
    parts = [(number, part) for number, text in enumerate(texts) for part in later_parts(text.title)]
    owners = np.array([number for number, _ in parts], np.intp)
    return TitleReading([*texts, *(ItemText(part) for _, part in parts)], owners)


def combined(items: Sequence[ItemText], reading: TitleReading, probability: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the probabilities of the items' defects, shape (n, defects), from the reading's.

    The worst part of a title counts, and what the rules find is as good as certain.
    """
    whole = probability[: len(items)].copy()
    for owner, part in zip(reading.owners.tolist(), probability[len(items) :], strict=True):
        whole[owner, COLUMNS] = np.maximum(whole[owner, COLUMNS], part[COLUMNS])
    for row, item in zip(whole, items, strict=True):
        for found in findings(item.title):
            column = DEFECTS.index(found.defect)
            row[column] = max(row[column], SURE)
    return whole


def readable(title: str) -> str:
    """Return the title as the model reads it."""
    text = AMPERSAND.sub(" and ", title) if "&" in title else title
    if not text.isascii():
        text = EMOJI.sub(" ", text)
    for name, stand_in in STAND_INS:
        text = name.sub(stand_in, text)
    return text.strip() or title


def later_parts(title: str) -> list[str]:
    """Return what comes behind the first part that the model reads, cut between words."""
    parts, rest = [], title[:LONGEST_TITLE]
    while len(rest) > TITLE_LIMIT:
        cut = rest.rfind(" ", TITLE_LIMIT // 2, TITLE_LIMIT) + 1 or TITLE_LIMIT
        parts.append(rest[:cut].strip())
        rest = rest[cut:]
    return [*parts[1:], rest] if parts else []
