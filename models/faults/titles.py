"""Faults of titles, put into a sound catalogue on purpose, and what the rules make of them.

Each faulty title comes as an update of an item whose title was good. No model reads it: the rules,
the repairs and the last good title do all.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from models.contract.events import Item
from models.contract.item_codec import RecordPlace
from models.faults.detection import Detection
from models.quality.last_good import ACCIDENTS, StoredText, settle
from models.quality.repair import KEPT_RULE, repair_item
from models.quality.rules import findings

Rng = np.random.Generator

TYPOGRAPHIC = ("®", "™", "’", "–", "é", "ü", "£")  # noqa: RUF001
TAGS = ("<b>{}</b>", "<p>{}</p>", "{}<br/>", "<span class='title'>{}</span>")
INVISIBLE = ("\u200b", "\ufeff", "\u00ad", "\u2060")
REMARKS = ("damages", "check", "wrong code", "thrown away", "found in warehouse", "sold as set", "?", "wet/mouldy")
APPENDED = ("damaged", "discontinued", "do not use", "out of stock", "wrong barcode")
CONTACTS = ("call 0171 555 0199", "write to sales@cheapshop.com", "www.cheapshop.com", "more at https://cheap.shop/x")
KEYS = ("asdfghjkl", "qwertyuiop", "aaaaaaaaaa", "zxcvbnm", "lkjhgfdsa")
WORD = re.compile(r"\S+")


class TitleFault(NamedTuple):
    """What spoils a title, and the rules of which one must find it.

    `make` returns the true title and the faulty one. `is_repaired` says whether the true title must
    come back; otherwise the item is hidden.
    """

    rules: frozenset[str]
    make: Callable[[str, Rng], tuple[str, str]]
    is_repaired: bool = True


@dataclass(frozen=True, slots=True)
class TitleDetection(Detection):
    """How a fault of titles was found; `others` are sound titles with the rules of this fault.
    `restored` titles are right again.
    """

    restored: int
    is_repaired: bool


def _pick(rng: Rng, options: Sequence[str]) -> str:
    return options[int(rng.integers(len(options)))]


def _between(title: str, rng: Rng, part: str) -> str:
    """Put a part after one of the title's words."""
    ends = [found.end() for found in WORD.finditer(title)]
    end = ends[int(rng.integers(len(ends)))]
    return title[:end] + part + title[end:]


def _misread(title: str, rng: Rng) -> tuple[str, str]:
    true = _between(title, rng, _pick(rng, TYPOGRAPHIC))
    return true, true.encode().decode("cp1252", "replace")


def _entity(title: str, rng: Rng) -> tuple[str, str]:
    true = _between(title, rng, " & Co")
    return true, true.replace("&", "&amp;")


def _tagged(title: str, rng: Rng) -> tuple[str, str]:
    return title, _pick(rng, TAGS).format(title)


def _with_invisible(title: str, rng: Rng) -> tuple[str, str]:
    return title, _between(title, rng, _pick(rng, INVISIBLE))


def _spaced(title: str, rng: Rng) -> tuple[str, str]:
    return title, _pick(rng, ("  {}", "{}\t", "\n{} ")).format(title.replace(" ", "  ", 1))


def _appended(title: str, rng: Rng) -> tuple[str, str]:
    return title, f"{title} - {_pick(rng, APPENDED)}"


def _of(options: Sequence[str], form: str = "{1}") -> Callable[[str, Rng], tuple[str, str]]:
    return lambda title, rng: (title, form.format(title, _pick(rng, options)))


TITLE_FAULTS: Mapping[str, TitleFault] = {
    "title_misread": TitleFault(frozenset({"encoding"}), _misread),
    "title_entities": TitleFault(frozenset({"entities"}), _entity),
    "title_markup": TitleFault(frozenset({"markup"}), _tagged),
    "title_invisible": TitleFault(frozenset({"invisible"}), _with_invisible),
    "title_white_space": TitleFault(frozenset({"white_space"}), _spaced),
    "title_remark_appended": TitleFault(frozenset({"remark_cut"}), _appended),
    "title_remark": TitleFault(frozenset({KEPT_RULE}), _of(REMARKS)),
    "title_held_key": TitleFault(frozenset({KEPT_RULE}), _of(KEYS)),
    "title_contact": TitleFault(frozenset({"phone", "mail", "url"}), _of(CONTACTS, "{0} {1}"), is_repaired=False),
}


def find_title_faults(items: Sequence[Item], rate: float, rng: Rng) -> dict[str, TitleDetection]:
    """Return how faults were found that `rate` of the items get, in equal shares.

    What is wrong with the catalogue already is repaired first, and items without a title stay out.
    """
    sound = [repair_item(item)[0].title for item in items]
    titles = [title for title in sound if title and not findings(title)]
    count = min(round(rate * len(titles) / len(TITLE_FAULTS)), len(titles) // len(TITLE_FAULTS))
    drawn = rng.permutation(len(titles)).tolist()
    begin, done = 0, []
    for name, fault in TITLE_FAULTS.items():
        for row in drawn[begin : begin + count]:
            true, faulty = fault.make(titles[row], rng)
            after, rules = _updated(true, faulty)
            done.append((name, rules, after == true))
        begin += count
    done += [("", _updated(titles[row], titles[row])[1], True) for row in drawn[begin:]]
    found = {}
    for name, fault in TITLE_FAULTS.items():
        mine = [(rules & fault.rules, is_right) for each, rules, is_right in done if each == name]
        # A title without tags has lost spaces too: that is no false alarm.
        others = sum(bool(rules & fault.rules) for each, rules, _ in done if not each)
        restored = sum(is_right for rules, is_right in mine if rules)
        found[name] = TitleDetection(
            len(mine), sum(bool(rules) for rules, _ in mine), others, restored, fault.is_repaired
        )
    return found


def _updated(before: str, said: str) -> tuple[str, frozenset[str]]:
    """Return the title that an item has after an update, and the rules that had a say."""
    item, repairs = repair_item(Item("i", said))
    stored = {"i": StoredText(before, RecordPlace(0, 0, 0))}
    settled = settle([item], [RecordPlace(0, 1, 1)], [repairs], stored, _accident)
    after = settled.changes[0]
    title = after.title if isinstance(after, Item) else ""
    named = {each.rule for each in settled.repairs[0]} | {each.rule for each in findings(title)}
    return title, frozenset(named)


def _accident(title: str) -> str:
    return next((each.defect for each in findings(title) if each.defect in ACCIDENTS), "")
