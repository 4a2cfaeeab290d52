"""List every corruption by name and defect: the quality model is trained and measured with them.

A corruption has no state: the same text and the same generator state give the same result.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from models.quality.defect import Defect, ItemText
from models.training.foreign import FOREIGN
from models.training.garble import ENCODING, GARBLED, Corrupt, Rng, keyboard_mash, pick
from models.training.markup import MARKUP
from models.training.remarks import REMARK
from models.training.spam import SPAM

TRIES = 4
DANGLING = (
    "and",
    "with",
    "for",
    "of",
    "the",
    "in",
    "&",
    "-",
    "from",
    "to",
    ",",
    "by",
    "/",
    "(",
    "+",
    "set of",
    "on",
    "or",
)


def cut_inside_word(text: str, rng: Rng) -> str:
    """Cut in the middle of a word of four letters or more, at least two letters into it."""
    spots = [i for i in range(3, len(text) - 1) if text[i - 2 : i + 2].isalpha() and len(text[:i].split()) > 1]
    return text[: spots[int(rng.integers(len(spots)))]] if spots else with_ellipsis(text, rng)


def with_ellipsis(text: str, rng: Rng) -> str:
    """Cut anywhere after the first third, and add an ellipsis."""
    keep = int(rng.integers(len(text) // 3, len(text) + 1))
    return text[:keep].rstrip() + pick(rng, ("...", "…", " ...", "..", " …"))


def cut_after_dangling_word(text: str, rng: Rng) -> str:
    """Cut the text, and end it with a word that cannot end a phrase."""
    words = text.split()
    keep = int(rng.integers(1, len(words) + 1)) if words else 0
    return " ".join([*words[:keep], pick(rng, DANGLING)])


TRUNCATED: dict[str, Corrupt] = {
    each.__name__: each for each in (cut_inside_word, with_ellipsis, cut_after_dangling_word)
}

BY_DEFECT: Mapping[Defect, Mapping[str, Corrupt]] = {
    Defect.GARBLED: GARBLED,
    Defect.ENCODING: ENCODING,
    Defect.SPAM: SPAM,
    Defect.MARKUP: MARKUP,
    Defect.REMARK: REMARK,
    Defect.TRUNCATED: TRUNCATED,
    Defect.FOREIGN: FOREIGN,
}
# A broken entity damages the encoding and leaves markup at once.
ALSO = {"broken_entities": (Defect.MARKUP,), "whole_entities": (Defect.ENCODING,)}


@dataclass(frozen=True, slots=True)
class Corruption:
    """Holds one way to corrupt a title: its name, the defects that it causes, and the function."""

    name: str
    defects: tuple[Defect, ...]
    apply: Corrupt


def _all_corruptions() -> tuple[Corruption, ...]:
    return tuple(
        Corruption(name, (defect, *ALSO.get(name, ())), _always_changing(function))
        for defect, functions in BY_DEFECT.items()
        for name, function in functions.items()
    )


def _always_changing(function: Corrupt) -> Corrupt:
    def apply(text: str, rng: Rng) -> str:
        for _ in range(TRIES):
            out = function(text, rng)
            if out != text and out.strip():
                return out
        # The corruption found nothing to change, such as no vowel to drop. So another kind of
        # damage is done: a corruption always changes the text.
        return (
            f"{keyboard_mash(text, rng)} {text}".strip()
            if function in GARBLED.values()
            else f"{text} {function('item', rng)}"
        )

    return apply


CORRUPTIONS = _all_corruptions()


def corruptions_of(defect: Defect) -> tuple[Corruption, ...]:
    """Return the text corruptions whose first defect this is; none for the two mismatches."""
    return tuple(each for each in CORRUPTIONS if each.defects[0] is defect)


def corrupted(item: ItemText, corruption: Corruption, rng: Rng) -> ItemText:
    """Return the item with its title corrupted."""
    return replace(item, title=corruption.apply(item.title, rng))


def other_category(
    item: ItemText, categories: list[str], related: Callable[[str, str], bool], rng: Rng
) -> ItemText | None:
    """Return the item under a category drawn from `categories` that is not `related` to its own.

    Returns None if no such category was found.
    """
    for _ in range(TRIES * 4):
        drawn = pick(rng, categories) if categories else item.category
        if drawn and not related(drawn, item.category):
            return replace(item, category=drawn)
    return None


def other_brand(item: ItemText, brands: list[str], rng: Rng) -> ItemText | None:
    """Return the item under another brand than its title names.

    Returns None if the title names none, or no other brand is known.
    """
    if not item.brand or item.brand.lower() not in item.title.lower():
        return None
    for _ in range(TRIES * 4):
        drawn = pick(rng, brands) if brands else item.brand
        if drawn and drawn.lower() not in item.title.lower() and item.brand.lower() not in drawn.lower():
            return replace(item, brand=drawn)
    return None
