"""Name the defects of catalogue text, and define the text in which they are looked for.

They have a file of their own because corruptions make them, the model finds them and settings name
them.
"""

from dataclasses import dataclass
from enum import StrEnum


class Defect(StrEnum):
    """Names what can be wrong with an item's text; the order is that of the model's outputs."""

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
    """Holds the part of a catalogue entry that the quality model reads."""

    title: str
    category: str = ""
    brand: str = ""
