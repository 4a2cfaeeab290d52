"""Make labelled examples for the quality model: items as shops write them, some corrupted.

Two in five examples are clean. Those vary too (levels of the category, brand inside or outside the
title, harmless additions), because the model takes what it never saw clean for a defect.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from models.quality.defect import DEFECTS, Defect, ItemText
from models.quality.text import PATH, SPACE
from models.training.corruptions import Corruption, corrupted, corruptions_of, other_brand, other_category
from models.training.garble import Rng, pick
from models.training.quality_assortment import ANYTHING, NAME, invented_name, other_name_of
from models.training.quality_catalogue import TeachersView, TrainingCatalogue, leading_brands, with_leading_brand
from models.training.quality_names import NAME as NAMES

CLEAN = "clean"
CLEAN_SHARE = 0.42
SECOND_SHARE = 0.06
NEAR, FAR = 0.42, 0.22
UNKNOWN = -1.0
FEW_WORDS = 2
MADE_UP = (NAME, NAMES)
# After these defects, category, brand and the end of the title cannot be judged.
DESTROYING = frozenset({Defect.GARBLED, Defect.REMARK, Defect.FOREIGN})
DEPENDENT = (Defect.TRUNCATED, Defect.CATEGORY_MISMATCH, Defect.BRAND_MISMATCH)
DRAWN = {
    Defect.GARBLED: 1.2, Defect.ENCODING: 0.8, Defect.SPAM: 1.1, Defect.MARKUP: 1.1, Defect.REMARK: 1.8,
    Defect.TRUNCATED: 1.0,     Defect.FOREIGN: 0.7, Defect.CATEGORY_MISMATCH: 3.0, Defect.BRAND_MISMATCH: 1.2,
}  # fmt: skip
HARMLESS = (
    "(Pack of {n})", "{n} Pack", "- {n} cm", "{n}ml", "{n} oz", "Size {s}", "- {s}", "({c})", "- {c}",
    "in {c}", "with {c} Trim", "Set of {n}", "{n}-Piece", "100% Cotton", "Sugar Free", "BPA Free",
    "New Edition", "{n}GB", "{n} x {m} cm", "Model {s}{n}", "#{n}", "No. {n}", "Vol. {n}", "& Cover",
    "w/ Lid", "{n}in", "{n}\"", "- Gift Boxed", "Extra Large", "({n} Count)", "{n} kg", "1/{n}",
    "({c}/{d})", "{c}, {d}", "®", "™", "Café", "Crème", "Limited Edition", "Best of {n}", "Style {s}{n}",
    "{n}W", "v{n}.0", "for Kids", "Gift Set", "Christmas", "Season {n}", "({n})", "Value Pack", "Original",
    "USB 3.0", "{n}th Anniversary", "Premium", "Free Range", "Gluten-Free", "#{c}", "#{n} {c}", "I <3 {c}",
    "{c}!", "- {c} & {d}", "+ {c} Case", "{c} @ Home", "(for {s}{n})", "{n}%", "${n}", "£{n}", "{n}/{m}",
    "{c}-{d}", "*{s}*", "[{c}]", "{n}° {c}", "Eau de Parfum", "Deluxe Edition", "Part {n}", "Size {n}",
    "{n} Tablets", "SPF {n}", "-{s}", "Mk II", "24/7", "Hi-Fi", "4K", "x{n}", "e{c}", "3-in-1", "O'{c}",
    "Jr.", "(Import)",
)  # fmt: skip
COLOURS = (
    "Black",
    "White",
    "Blue",
    "Red",
    "Navy",
    "Pink",
    "Green",
    "Ivory",
    "Gold",
    "Charcoal",
    "Multi",
    "Grey",
)
SIZES = ("S", "M", "L", "XL", "One Size", "A", "B", "X")
SEPARATORS = (" > ", "/", " / ", " | ", ".", " - ", ", ")


@dataclass(frozen=True, slots=True)
class Example:
    """Holds one text with its labels in the order of `DEFECTS`: 1, 0, or -1 for unknown.

    `corruption` names what was done to the text.
    """

    item: ItemText
    labels: tuple[float, ...]
    corruption: str
    catalogue: str


@dataclass(frozen=True, slots=True)
class Material:
    """Holds what examples are drawn from; build it with `material`."""

    catalogues: tuple[TrainingCatalogue, ...]
    weights: NDArray[np.float64]
    categories: list[str]
    brands: list[str]
    leading: tuple[frozenset[str], ...]
    view: TeachersView | None = None
    left_out: frozenset[str] = frozenset()

    def corruptions(self, defect: Defect) -> tuple[Corruption, ...]:
        """Return the corruptions of a defect without those left out."""
        return tuple(each for each in corruptions_of(defect) if each.name not in self.left_out)


def material(
    catalogues: list[TrainingCatalogue],
    categories: list[str],
    view: TeachersView | None = None,
    left_out: frozenset[str] = frozenset(),
) -> Material:
    """Build the material of these catalogues.

    A catalogue's weight is the square root of its size, so that the largest does not dominate the
    others.
    """
    filled = tuple(each for each in catalogues if each.items)
    sizes = np.sqrt([len(each.items) for each in filled])
    leading = tuple(frozenset() if each.name in MADE_UP else leading_brands(each) for each in filled)
    named = {item.brand for each in filled if each.name != NAMES for item in each.items if item.brand}
    brands = sorted(named | {word for words in leading for word in words})
    return Material(filled, sizes / sizes.sum(), sorted(set(categories)), brands, leading, view, left_out)


def examples(source: Material, rng: Rng) -> Iterator[Example]:
    """Yield examples without end; the same generator state gives the same ones."""
    shares = np.array(list(DRAWN.values()))
    shares /= shares.sum()
    while True:
        number = int(rng.choice(len(source.catalogues), p=source.weights))
        catalogue = source.catalogues[number]
        item = with_leading_brand(catalogue.items[int(rng.integers(len(catalogue.items)))], source.leading[number])
        item = _with_category(item, source, rng)
        defect = None if rng.random() < CLEAN_SHARE else tuple(DRAWN)[int(rng.choice(len(DRAWN), p=shares))]
        made = (
            clean(item, source.brands, catalogue.name, rng)
            if defect is None
            else spoilt(item, defect, source, catalogue, rng)
        )
        if made is not None:
            yield made


def clean(item: ItemText, brands: list[str], catalogue: str, rng: Rng) -> Example:
    """Return the item as some shop might write it, without a defect."""
    if rng.random() < 0.12:
        item = replace(item, title=_part_of_title(item.title, rng))
    shown = presented(item, brands, rng)
    if shown.category and rng.random() < 0.3:
        renamed = other_name_of(item.category, rng) if rng.random() < 0.75 else pick(rng, ANYTHING)
        shown = replace(shown, category=renamed)
    # A word or two with nothing beside them may be the name of a song, and may be a remark.
    bare = catalogue == NAMES and not shown.category and len(shown.title.split()) <= FEW_WORDS
    labels = tuple(UNKNOWN if bare and each is Defect.REMARK else 0.0 for each in DEFECTS)
    return Example(shown, labels, CLEAN, catalogue)


def spoilt(item: ItemText, defect: Defect, source: Material, catalogue: TrainingCatalogue, rng: Rng) -> Example | None:
    """Return the item with the defect.

    Returns None if the item cannot have it: it has no category, or no brand in the title.
    """
    if defect is Defect.CATEGORY_MISMATCH:
        # Any category could hold a title such as "The Harbour".
        if catalogue.name == NAMES:
            return None
        moved = _under_other_category(item, catalogue, source, rng)
        return None if moved is None else Example(moved, _labels(defect), "other_category", catalogue.name)
    if defect is Defect.BRAND_MISMATCH:
        moved = other_brand(item, source.brands, rng)
        return None if moved is None else Example(moved, _labels(defect), "other_brand", catalogue.name)
    options = source.corruptions(defect)
    corruption = options[int(rng.integers(len(options)))]
    out = corrupted(presented(item, source.brands, rng), corruption, rng)
    found = set(corruption.defects)
    if rng.random() < SECOND_SHARE:
        second = source.corruptions(Defect.MARKUP if defect is not Defect.MARKUP else Defect.ENCODING)
        extra = second[int(rng.integers(len(second)))]
        out, found = corrupted(out, extra, rng), found | set(extra.defects)
    return Example(out, _labels(*found), corruption.name, catalogue.name)


def _labels(*found: Defect) -> tuple[float, ...]:
    unknown = set(DEPENDENT) if DESTROYING & set(found) else set()
    if Defect.CATEGORY_MISMATCH not in found and found and not unknown:
        unknown = {Defect.TRUNCATED} - set(found) if {Defect.ENCODING, Defect.MARKUP} & set(found) else set()
    return tuple(1.0 if each in found else UNKNOWN if each in unknown else 0.0 for each in DEFECTS)


def presented(item: ItemText, brands: list[str], rng: Rng) -> ItemText:
    """Return the same item in another shop's way of writing."""
    title, brand = item.title, item.brand
    if item.brand and title.lower().startswith(item.brand.lower() + " ") and rng.random() < 0.15:
        title = title[len(item.brand) :].strip(" -,") or title
    if rng.random() < 0.15:
        title = f"{title} {_harmless(rng)}" if rng.random() < 0.8 else f"{_harmless(rng)} {title}"
    if rng.random() < 0.08:
        name = pick(rng, brands) if brands and rng.random() < 0.5 else invented_name(rng)
        title, brand = f"{name} {title}", name if rng.random() < 0.5 else ""
    if rng.random() < 0.05:
        title = f"{title} {invented_name(rng)}"
    if rng.random() < 0.02:
        title = f"#{''.join(title.split()[:2])} {title}"
    if rng.random() < 0.05:
        title = _with_details(title, rng)
    category = "" if rng.random() < 0.3 else shown_category(item.category, rng)
    return ItemText(title, category, "" if rng.random() < 0.35 else brand)


def shown_category(category: str, rng: Rng) -> str:
    """Return the path or some of its levels, with one of the usual separators."""
    levels = [level.strip() for level in PATH.split(category) if level.strip()]
    style = rng.random()
    if style < 0.2:
        levels = levels[:1]
    elif style < 0.4:
        levels = levels[-1:]
    elif style < 0.55:
        levels = levels[:2]
    return pick(rng, SEPARATORS).join(levels) if style < 0.8 else category


def _harmless(rng: Rng) -> str:
    return pick(rng, HARMLESS).format(
        n=int(rng.integers(2, 100)),
        m=int(rng.integers(2, 100)),
        s=pick(rng, SIZES),
        c=pick(rng, COLOURS),
        d=pick(rng, COLOURS),
    )


def _with_details(title: str, rng: Rng) -> str:
    """Return a long title that lists what the thing is like, as marketplaces have them."""
    joint = pick(rng, (", ", " - ", ", ", " | ", " "))
    return joint.join([title, *(_harmless(rng) for _ in range(int(rng.integers(2, 6))))])


def _part_of_title(title: str, rng: Rng) -> str:
    """Return the last words of a title: a shorter title that still names the thing."""
    words = title.split()
    return " ".join(words[-int(rng.integers(min(2, len(words)), len(words) + 1)) :])


def _with_category(item: ItemText, source: Material, rng: Rng) -> ItemText:
    """Put an item without category under the one nearest in meaning, if that is near enough."""
    if item.category or source.view is None or item.title not in source.view.rows:
        return item
    category, cosine = source.view.nearest(item.title)
    return replace(item, category=category) if cosine >= NEAR else item


def _under_other_category(item: ItemText, catalogue: TrainingCatalogue, source: Material, rng: Rng) -> ItemText | None:
    """Move the item to a category of another kind.

    It is drawn from all catalogues, or by chance from the neighbours in the item's own.
    """
    view = source.view
    if not item.category and (view is None or item.title not in view.rows):
        return None
    near = bool(catalogue.items[0].category) and rng.random() < 0.45

    def related(drawn: str, own: str) -> bool:
        cosine = view.cosine(item.title, drawn) if view else None
        return same_kind(drawn, own, near=near) or (cosine is not None and cosine > FAR)

    options = (
        [catalogue.items[int(rng.integers(len(catalogue.items)))].category for _ in range(8)]
        if near
        else source.categories
    )
    moved = other_category(item, options, related, rng)
    if moved is None:
        return None
    category = _shown_wrong(moved.category, near, rng)
    return replace(moved, category=category, brand=moved.brand if rng.random() < 0.6 else "")


def _shown_wrong(category: str, near: bool, rng: Rng) -> str:
    """Return the wrong category as it is shown.

    A neighbour is shown whole or by its last level alone, because its upper levels are the right
    ones.
    """
    if not near:
        return other_name_of(category, rng) if rng.random() < 0.15 else shown_category(category, rng)
    return category if rng.random() < 0.7 else PATH.split(category)[-1]


def same_kind(one: str, other: str, *, near: bool) -> bool:
    """Return whether two categories could hold the same things.

    Neighbours are compared by their last level, others by any common word.
    """
    if not one or not other:
        return False
    a, b = ([_words(level) for level in PATH.split(each)] for each in (one, other))
    if near:
        return a[-1] == b[-1] or a[-1] in b or b[-1] in a
    return bool(frozenset[str]().union(*a) & frozenset[str]().union(*b))


def _words(level: str) -> frozenset[str]:
    return frozenset(word.rstrip("s") for word in SPACE.split(level.lower()) if len(word) > 2 and word != "and")
