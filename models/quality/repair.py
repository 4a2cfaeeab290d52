"""Repair item texts before they are judged, and keep what was changed.

A text goes through the rules in the order of `RULES`, each on what the one before left. A text that
one search finds unsuspicious is returned at once. A rule that would leave nothing is not applied.
"""

import html
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import ftfy
import orjson

from models.contract.events import Item
from models.contract.item_codec import Change
from models.quality.remark_words import without_remark

FIELDS = ("title", "category", "brand")
# Stored texts of a repair are cut here, so that a long field does not fill the store three times.
LONGEST_KEPT = 400

# What any rule but the last can change: signs outside plain ASCII, entities, tags, double spaces.
SUSPECT = re.compile(r"[^\x20-\x7e]|&[#\w]|& ?\w{2,8} ?;|<[a-z/!]|\s\s|^\s|\s$", re.I)
# A name of an entity without its semicolon is too often a real "&": only the usual ones are read.
ENTITY = re.compile(r"&\s?(#\d{2,6}|#x[0-9a-f]{2,5}|[a-z]{2,8}\d?)\s?;|&(amp|nbsp|quot|apos|lt|gt)\b", re.I)
TAG_NAMES = (
    "a|abbr|article|b|big|body|br|button|center|code|dd|div|dl|dt|em|font|footer|form|h[1-6]|head|header|hr|html|i|"
    "iframe|img|input|label|li|link|main|meta|nav|noscript|ol|option|p|pre|q|s|section|select|small|span|strike|"
    "strong|sub|sup|table|tbody|td|th|thead|title|tr|tt|u|ul"
)
TAG = re.compile(rf"</?(?:{TAG_NAMES})(?:\s[^<>]*)?/?>|<!--.*?-->|<!\[CDATA\[|\]\]>", re.I | re.S)
CODE = re.compile(r"<(script|style)\b[^<>]*>.*?</\1\s*>", re.I | re.S)
# A no-break space read as another encoding leaves "Â" where its second half was lost.
STRAY = re.compile(r"Â(?=[\s£©®°·«»¼½¾²³±,.;:!?()/-]|$)")
# After a capital letter ftfy leaves these signs as they are; no language has them in a row.
TRADE_MARK = "â„¢"
INVISIBLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b\u200e\u200f"
    "\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff\ufff9-\ufffb]"
)
# Joiners shape letters of some scripts and join emoji: between plain letters they are left over.
JOINER = re.compile("(?<=[ -~])[\u200c\u200d]|[\u200c\u200d](?=[ -~])")
SPACE = re.compile(r"\s+")
WIDE = re.compile("[\u2e80-\uffff]")

ENCODING = ftfy.TextFixerConfig(
    unescape_html=False,
    remove_terminal_escapes=False,
    fix_latin_ligatures=False,
    fix_character_width=False,
    uncurl_quotes=False,
    remove_control_chars=False,
    normalization=None,
    fix_line_breaks=False,
    explain=False,
)


@dataclass(frozen=True, slots=True)
class Repair:
    """Says what one rule made of one field of an item. `confidence` is in (0, 1]."""

    field: str
    rule: str
    before: str
    after: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Rule:
    """Names what repairs a text, and how sure it is that the change is right, in (0, 1]."""

    name: str
    mend: Callable[[str], str]
    confidence: float


def _entities(text: str) -> str:
    # An entity of an entity comes from two programs that both escape.
    for _ in range(3):
        decoded = ENTITY.sub(_entity, text)
        if decoded == text:
            break
        text = decoded
    return text


def _entity(found: re.Match[str]) -> str:
    name = found[1] or found[2]
    # Some programs write names in capitals: html.unescape knows only a few of those.
    for entity in (f"&{name};", f"&{name.lower()};"):
        decoded = html.unescape(entity)
        if decoded != entity:
            return decoded
    return found[0]


def _encoding(text: str) -> str:
    if text.isascii():
        return text
    # Control signs between Chinese or Japanese ones are not those of Windows.
    config = ENCODING._replace(fix_c1_controls=WIDE.search(text) is None)
    return STRAY.sub("", ftfy.fix_text(text, config)).replace(TRADE_MARK, "\u2122")


def _markup(text: str) -> str:
    return TAG.sub(" ", CODE.sub(" ", text)) if "<" in text or "]]>" in text else text


def _invisible(text: str) -> str:
    return JOINER.sub("", INVISIBLE.sub("", text))


def _white_space(text: str) -> str:
    return SPACE.sub(" ", text).strip()


RULES = (
    Rule("entities", _entities, 0.99),
    Rule("encoding", _encoding, 0.97),
    Rule("markup", _markup, 0.95),
    Rule("invisible", _invisible, 0.99),
    Rule("white_space", _white_space, 1.0),
)
REMARK_CUT = Rule("remark_cut", without_remark, 0.9)
KEPT_RULE = "last_good_text"
RULE_NAMES = (*(rule.name for rule in RULES), REMARK_CUT.name, KEPT_RULE)


def repair_text(field: str, text: str) -> tuple[str, tuple[Repair, ...]]:
    """Return the repaired text of the field, and what each rule did to it, in order.

    Only a title loses a remark at its end.
    """
    rules: Sequence[Rule] = RULES if SUSPECT.search(text) else ()
    if field == "title":
        rules = (*rules, REMARK_CUT)
    done: list[Repair] = []
    for rule in rules:
        mended = rule.mend(text)
        if mended != text and mended.strip():
            done.append(Repair(field, rule.name, text[:LONGEST_KEPT], mended[:LONGEST_KEPT], rule.confidence))
            text = mended
    return text, tuple(done)


def repair_item(item: Item, fields: Sequence[str] = FIELDS) -> tuple[Item, tuple[Repair, ...]]:
    """Return the item with these fields repaired, and the repairs in order.

    The same item comes back if nothing was changed.
    """
    done: list[Repair] = []
    texts = {"title": item.title, "category": item.category, "brand": item.brand}
    for field in fields:
        texts[field], repairs = repair_text(field, texts[field])
        done += repairs
    if not done:
        return item, ()
    return replace(item, title=texts["title"], category=texts["category"], brand=texts["brand"]), tuple(done)


def repair_changes(changes: Sequence[Change]) -> tuple[list[Change], list[tuple[Repair, ...]]]:
    """Return the changes with repaired items, and the repairs of each."""
    pairs = [repair_item(each) if isinstance(each, Item) else (each, ()) for each in changes]
    return [change for change, _ in pairs], [repairs for _, repairs in pairs]


def encode_repairs(repairs: Sequence[Repair]) -> bytes:
    """Return the repairs as JSON, empty if there are none."""
    return orjson.dumps([_row(each) for each in repairs]) if repairs else b""


def decode_repairs(stored: bytes) -> tuple[Repair, ...]:
    """Return the repairs that `encode_repairs` wrote.

    Raises ValueError, TypeError or KeyError for other bytes.
    """
    rows: list[dict[str, Any]] = orjson.loads(stored) if stored else []
    return tuple(
        Repair(str(row["field"]), str(row["rule"]), str(row["before"]), str(row["after"]), float(row["confidence"]))
        for row in rows
    )


def _row(repair: Repair) -> dict[str, object]:
    return {
        "field": repair.field,
        "rule": repair.rule,
        "before": _sound(repair.before),
        "after": _sound(repair.after),
        "confidence": repair.confidence,
    }


def _sound(text: str) -> str:
    # JSON can carry a lone half of a surrogate pair, which has no UTF-8 form.
    return text.encode("utf-8", "replace").decode("utf-8")
