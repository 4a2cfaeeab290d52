"""Find defects by rule, beside the model: addresses, keyword lists, held keys, empty-like texts.

The model was not taught these, or sees too little of the title. A rule is about one sign that real
titles hardly have; it raises the probability of one defect, and never lowers one.
"""

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from models.quality.defect import Defect
from models.quality.remark_words import is_remark, words_of

# A text with a finding is hidden: the score is at most 1 - SURE.
SURE = 0.9
# What asks to be called or written to, or is an address in one piece.
CALL = (
    r"(?:call|phone|tel|telephone|mobile|mob|what'?s\s?app|hotline|helpline|text|sms|dial|fax|contact|order(?:s)? line)"
)
PHONES = (
    rf"\b{CALL}\b\W{{0,3}}(?:(?:us|now|me|on|at|no|number|today|free)\W{{0,3}}){{0,3}}\(?\+?\d[\d\s()./-]{{5,18}}\d\b",
    r"(?<![\w.+-])\+\(?\d{1,3}\)?[\s().-]{0,2}\d[\d\s()./-]{5,14}\d\b",
    r"(?<![\w.-])\(?0\d{2,4}\)?[\s-]\d{3,4}[\s-]\d{3,4}(?![\w-])",
    r"(?<![\w.-])\(?0\d{2,4}\)?[\s/-]\d{6,8}(?![\w-])",
    r"(?<![\w.-])0[1-9]\d{9}(?![\w-])",
    r"(?<![\w.-])0\d(?:[\s.-]\d{2}){4}(?![\w-])",
    r"(?<![\w.-])(?:1[\s.-])?(?:\([2-9]\d{2}\)[\s.-]?|[2-9]\d{2}[\s.-])[2-9]\d{2}[\s.-]\d{4}(?![\w-])",
    r"(?<![\w.-])1[\s.-]8\d\d[\s.-]\d{3}[\s.-]\d{4}(?![\w-])",
    r"(?<![\w.-])1[3-9]\d{9}(?![\w-])",
)
PHONE = re.compile("|".join(PHONES), re.I)
# Books and parts have numbers of this kind too.
NUMBERED = re.compile(r"\b(?:isbn|ean|upc|gtin|asin|sku|part|model|mpn|ref|item|art|serial)\b", re.I)
AT = r"\s?(?:@|\(at\)|\[at\]|\{at\})\s?"
MAIL = re.compile(
    rf"[\w.+-]{{1,40}}{AT}[\w-]{{1,60}}\s?(?:\.|\(dot\)|\[dot\])\s?[a-z]{{2,}}|\b[\w.]{{1,40}}\sat\s[\w-]{{1,60}}\sdot\s[a-z]{{2,}}\b",
    re.I,
)
ENDING = r"(?:com|net|org|info|biz|shop|store|online|site|ru|cn|de|fr|it|es|eu|io|co|us|uk|co\.uk|com\.\w\w)"
URL = re.compile(
    rf"\bh(?:tt|xx)ps?\s?:\s?/{{1,2}}\S|\bwww\s?\.\s?[\w-]+\s?\.|\b[\w-]{{2,60}}\.{ENDING}/\S"
    rf"|\b(?:visit|see|go to|order (?:at|from|on)|buy (?:at|from|on)|shop (?:at|on)|more (?:at|on)|find us (?:at|on)"
    rf"|only (?:at|on)|follow us (?:at|on)|check out)\W{{1,3}}[\w-]{{1,60}}\.{ENDING}\b",
    re.I,
)
WORD = re.compile(r"[^\W_]+(?:['\u2019][^\W_]+)?")
LETTERS = re.compile(r"[^\W\d_]+")
LATIN = re.compile(r"[a-z]", re.I)
PIECE = re.compile(r"\s*[,;|\u2022/]\s*|\s+[-+]\s+")
FEWEST_PIECES, LONGEST_PIECE, FEWEST_WORDS = 6, 2.2, 8
# "x" stands in sizes; a letter five times is hardly in any word.
HELD = re.compile(r"([a-wyz])\1{4,}|([!?])\2{4,}|([.;:#$%^&+=~])\3{6,}", re.I)
TWICE = re.compile(r"\b([a-z]{2,3})\1{3,}\w?\b", re.I)
# Words such as "salads" or "property" stay within one row: only a run of keys tells them apart.
KEYS = re.compile(r"(?=[a-z]*(?:asdf|jkl))[asdfghjkl]{4,}")
ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm", "poiuytrewq", "lkjhgfdsa", "mnbvcxz")
WORDS_IN_ROWS = words_of("wert")
EMPTY = words_of(
    """
    n/a na n.a. n.a none null nil undefined nan unknown tbd tba tbc todo title untitled test testing dummy placeholder
    empty xxx xx asdf #n/a #ref! #value! #null! [object_object] lorem_ipsum product_name product_title
    item_name no_title no_name no_description test_item test_product test_title to_do
    title_here enter_title insert_title your_title_here sample_text
    not_available not_applicable to_be_confirmed to_be_announced coming_soon (none) (null) <null> none_none null_null
    """
)
FILLED = re.compile(r"^(?:test|dummy|placeholder|lorem)\W*(?:product|item|title|ipsum)?\W*\d*$", re.I)
PROSE_WORDS = words_of(
    """
    i we you he she it they me us him her them my our your his their this that these those is are was were be been
    am has have had do does did will would can could should not but because when which who what if so as very really
    just also there here than then to of and the a an in on at for with from by or
    """
)
SPEAKS = words_of(
    """
    i we you he she it they me us my our your is are was were am has have had do does did will would can could should
    because really very please
    """
)
FEWEST_IN_PROSE, PROSE_SHARE, SPEAKING = 12, 0.45, 3
LONGEST_TITLE = 400


@dataclass(frozen=True, slots=True)
class RuleFinding:
    """Names the rule that found a defect."""

    rule: str
    defect: Defect


@dataclass(frozen=True, slots=True)
class TitleRule:
    """Finds one defect in a title."""

    name: str
    defect: Defect
    holds: Callable[[str], bool]


def _phone(title: str) -> bool:
    found = PHONE.search(title)
    return found is not None and not (NUMBERED.search(title) and "+" not in found[0])


def _keywords(title: str) -> bool:
    """A bare list of words, or the same word over and over; of Latin letters alone.

    Chinese shops write real titles as lists.
    """
    if not LATIN.search(title) or any(ord(char) > 0x24F and char.isalpha() for char in title):
        return False
    pieces = [piece for piece in PIECE.split(title) if piece]
    words = [word.lower() for word in WORD.findall(title)]
    if len(words) < FEWEST_WORDS - 2:
        return False
    if len(pieces) >= FEWEST_PIECES and not any(char.isdigit() for char in title):
        return len(words) / len(pieces) <= LONGEST_PIECE
    stems = Counter(word[:5].rstrip("s") for word in words if len(word) > 3)
    most = max(stems.values(), default=0)
    return len(words) >= FEWEST_WORDS and most >= 4 and most / len(words) >= 0.3


def _held_key(title: str) -> bool:
    if HELD.search(title) or TWICE.search(title):
        return True
    words = LETTERS.findall(title.lower())
    if words and all(KEYS.fullmatch(word) for word in words):
        return True
    # Keyboards are sold as "Qwerty keyboard".
    named = WORDS_IN_ROWS if len(words) == 1 else WORDS_IN_ROWS | {"qwerty"}
    runs = [word for word in words if len(word) >= 4 and word not in named and any(word in row for row in ROWS)]
    return bool(runs) and len(words) <= 2


def _empty(title: str) -> bool:
    plain = "_".join(title.lower().split())
    if plain in EMPTY or FILLED.search(title.strip()):
        return True
    if not any(char.isalnum() for char in title):
        return True
    return title.replace(" ", "").isdigit() and len(title.replace(" ", "")) > 4


def _prose(title: str) -> bool:
    words = [word.lower() for word in WORD.findall(title)]
    if len(words) < FEWEST_IN_PROSE:
        return False
    share = sum(word in PROSE_WORDS for word in words) / len(words)
    return share >= PROSE_SHARE and sum(word in SPEAKS for word in words) >= SPEAKING


RULES = (
    TitleRule("phone", Defect.SPAM, _phone),
    TitleRule("mail", Defect.SPAM, lambda title: MAIL.search(title) is not None),
    TitleRule("url", Defect.SPAM, lambda title: URL.search(title) is not None),
    TitleRule("keywords", Defect.SPAM, _keywords),
    TitleRule("too_long", Defect.SPAM, lambda title: len(title) > LONGEST_TITLE),
    TitleRule("held_key", Defect.GARBLED, _held_key),
    TitleRule("empty", Defect.REMARK, _empty),
    TitleRule("prose", Defect.REMARK, _prose),
    TitleRule("remark", Defect.REMARK, is_remark),
)


def findings(title: str) -> tuple[RuleFinding, ...]:
    """Return what the rules find in the whole title, in the order of `RULES`.

    An empty title has no findings.
    """
    # Longer titles are too long whatever stands in them.
    text = title[: 2 * LONGEST_TITLE]
    return tuple(RuleFinding(rule.name, rule.defect) for rule in RULES if rule.holds(text)) if title.strip() else ()
