"""The defects that catalogue text can have, and the text they are looked for in.

They stand apart because corruptions make them, the model finds them and settings name them.
"""

from dataclasses import dataclass
from enum import StrEnum


class Defect(StrEnum):
    """What can be wrong with an item's text; the order is the order of the model's outputs."""

    GARBLED = "garbled"
    ENCODING = "encoding"
    SPAM = "spam"
    MARKUP = "markup"
    REMARK = "remark"
    TRUNCATED = "truncated"
    FOREIGN = "foreign"
    CATEGORY_MISMATCH = "category_mismatch"
    BRAND_MISMATCH = "brand_mismatch"


DEFECTS = tuple(Defect)


@dataclass(frozen=True, slots=True)
class ItemText:
    """The part of a catalogue entry that the quality model reads."""

    title: str
    category: str = ""
    brand: str = ""
