"""Count features of an item's text: the quality model's second input, beside its tokens.

The tokenizer drops case, accents and rare signs, so the signs of broken encodings and repetition
are counted here, from the raw text. Each row is counted by itself: no row depends on its batch.
Letter case is deliberately not counted, because whole catalogues are written in capitals.
"""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from models.quality.defect import ItemText

VOWELS = frozenset("aeiouyAEIOUY")
SENTENCE_MARKS = frozenset("!?")
BRACKETS = frozenset("<>{}[]|\\=_`")
MOJIBAKE = re.compile(
    "[ÃÂâÐÑÅÎï][\u0080-\u00bf\u0152-\u0178\u02c6\u02dc\u2013-\u2122€™œž]|â€|ï¿½|ï»¿|√|├|┬|╬|Γ[Çòô]|[бвГ][Ђ-џ]"
)
BROKEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ufffd□]")
ESCAPE = re.compile(r"\\x[0-9a-f]{2}|\\u[0-9a-f]{4}|%[0-9A-F]{2}|=[0-9A-F]{2}\b|<U\+[0-9A-F]{4}>", re.I)
TAG = re.compile(r"</?[a-z!?%][^<>]{0,200}/?>?", re.I)
ENTITY = re.compile(r"&\s?#?x?[a-z0-9]{2,8};?|\b(?:amp|nbsp|quot|rsquo|eacute|lt|gt|reg);", re.I)
ADDRESS = re.compile(r"https?:|www\.|//|\.(?:com|net|org|jpe?g|png|gif|html?)\b|@", re.I)
ATTRIBUTE = re.compile(r"[\w-]+\s?=\s?[\"'\w]|:\s?#?[\w-]+;|\w\(\)|\{\{|\}\}|\$\{|%\}|\]\]|\[\[")
CONSONANTS = re.compile("[bcdfghjklmnpqrstvwxz]+", re.I)
RUN = re.compile(r"(\S)\1+")
WORD = re.compile(r"[^\W_]+")


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


def _longest(pattern: re.Pattern[str], text: str) -> int:
    return max((len(match.group()) for match in pattern.finditer(text)), default=0)


def _count(pattern: re.Pattern[str]) -> Callable[[str], float]:
    return lambda text: float(np.log1p(len(pattern.findall(text))))


def _share_of(test: Callable[[str], bool]) -> Callable[[str], float]:
    return lambda text: _share(sum(map(test, text)), len(text))


def _vowel_share(text: str) -> float:
    letters = [char for char in text if char.isascii() and char.isalpha()]
    return _share(sum(char in VOWELS for char in letters), len(letters)) if letters else 0.4


def _repeated_words(text: str) -> float:
    words = [word.lower() for word in WORD.findall(text)]
    return 1.0 - _share(len(set(words)), len(words)) if words else 0.0


def _most_frequent_word(text: str) -> float:
    counts = Counter(word.lower() for word in WORD.findall(text))
    return float(np.log1p(max(counts.values(), default=0)))


def _repeated_pairs(text: str) -> float:
    words = [word.lower() for word in WORD.findall(text)]
    pairs = list(pairwise(words))
    return 1.0 - _share(len(set(pairs)), len(pairs)) if pairs else 0.0


def _mixed_words(text: str) -> float:
    words = WORD.findall(text)
    mixed = sum(any(map(str.isdigit, word)) and any(map(str.isalpha, word)) for word in words)
    return _share(mixed, len(words))


def _word_length(text: str) -> float:
    words = text.split()
    return float(np.log1p(_share(sum(map(len, words)), len(words))))


# The order is that of the columns; a change of name, order or meaning needs a new artefact.
TITLE_FEATURES: dict[str, Callable[[str], float]] = {
    "characters": lambda text: float(np.log1p(len(text))),
    "words": lambda text: float(np.log1p(len(text.split()))),
    "mean_word_length": _word_length,
    "longest_word": lambda text: float(np.log1p(max(map(len, text.split()), default=0))),
    "digits": _share_of(str.isdigit),
    "letters": _share_of(str.isalpha),
    "not_ascii": _share_of(lambda char: ord(char) > 127),
    "not_latin": _share_of(lambda char: ord(char) > 0x24F and char.isalpha()),
    "accented": _share_of(lambda char: 0xC0 <= ord(char) <= 0x24F),
    "sentence_marks": _share_of(SENTENCE_MARKS.__contains__),
    "brackets": _share_of(BRACKETS.__contains__),
    "punctuation": _share_of(lambda char: not char.isalnum() and not char.isspace()),
    "vowels": _vowel_share,
    "longest_consonants": lambda text: float(np.log1p(_longest(CONSONANTS, text))),
    "longest_run": lambda text: float(np.log1p(_longest(RUN, text))),
    "repeated_words": _repeated_words,
    "repeated_pairs": _repeated_pairs,
    "most_frequent_word": _most_frequent_word,
    "mixed_words": _mixed_words,
    "mojibake": _count(MOJIBAKE),
    "broken_characters": _count(BROKEN),
    "escapes": _count(ESCAPE),
    "tags": _count(TAG),
    "entities": _count(ENTITY),
    "addresses": _count(ADDRESS),
    "attributes": _count(ATTRIBUTE),
}


def _overlap(part: str, title: str) -> float:
    """Return the share of the part's words that the title has too; plurals count as equal."""
    words = {word.lower().rstrip("s") for word in WORD.findall(part)}
    own = {word.lower().rstrip("s") for word in WORD.findall(title)}
    return _share(len(words & own), len(words))


PAIR_FEATURES: dict[str, Callable[[ItemText], float]] = {
    "has_category": lambda item: float(bool(item.category.strip())),
    "has_brand": lambda item: float(bool(item.brand.strip())),
    "category_in_title": lambda item: _overlap(item.category, item.title),
    "brand_in_title": lambda item: _overlap(item.brand, item.title),
    "brand_written_in_title": lambda item: float(
        bool(item.brand.strip()) and item.brand.lower().replace(" ", "") in item.title.lower().replace(" ", "")
    ),
}

FEATURE_NAMES = (*TITLE_FEATURES, *PAIR_FEATURES)
LONGEST_TITLE = 1_000


def lexical_features(items: Sequence[ItemText]) -> NDArray[np.float32]:
    """Return the features, shape (n, len(FEATURE_NAMES)).

    Of a title, category or brand only the first 1,000 characters count.
    """
    rows = [_row(item) for item in items]
    return np.asarray(rows, np.float32).reshape(len(rows), len(FEATURE_NAMES))


def _row(item: ItemText) -> list[float]:
    title = item.title[:LONGEST_TITLE]
    short = ItemText(title, item.category[:LONGEST_TITLE], item.brand[:LONGEST_TITLE])
    return [count(title) for count in TITLE_FEATURES.values()] + [count(short) for count in PAIR_FEATURES.values()]
