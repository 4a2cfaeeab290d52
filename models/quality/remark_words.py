"""Recognise remarks of the shop's staff by their words, and cut one off behind a title.

A text is a remark if all its words are words of such notes and one of them is hardly ever in a
title. The words are those of stock books; they were chosen without the remarks of any test part.
"""

import re
import unicodedata

WORD = re.compile(r"[a-z]+(?:'[a-z]+)?|\d+|\?", re.I)
# Words of a remark; letters of one word; characters and words of a remark behind a title.
LONGEST_REMARK = 10
LONGEST_WORD = 16
LONGEST_TAIL = 100
MOST_TAIL_WORDS = 6
# The last two are the long dashes.
DASHES = "-\u2013\u2014"


def words_of(text: str) -> frozenset[str]:
    """Return the words of a text that is parted by white space."""
    return frozenset(text.split())


# One of these is enough, if all other words are of this file too.
SURE = words_of(
    """
    adjust adjusted adjustment adjustments allocate allocated breakage breakages cancel cancelled
    can't checked counted cracked credited crushed damage damaged damages deleted
    defective destroyed discontinued discrepancy dont don't dumped entered error errors expired faulty
    found incorrect incorrectly invoiced labelled leftover lost marked mislabelled misplaced
    miscoded misprinted missing mouldy obsolete oops quarantine quarantined recalled received recount
    recounted reject rejected reserved returned reversed rotten rusty scrapped
    shortage smashed smudges sold stained stocktake stolen surplus thrown torn unknown unlabelled unsaleable
    unsellable unsold wet wrong wrongly write-off
    allocation amend amended arrived audit awaiting binned corrected correction delivered donated donation incomplete
    mixed-up moved pending reallocate reallocated rebook rebooked recheck rechecked recode recoded reconcile refund
    refunded relabel relabelled repack repacked replaced reversal rework reworked rounding saleable sellable
    stock-take writeoff
    """
)
# Words that stand beside them, and that titles have too.
BESIDE = words_of(
    """
    a add again air aisle all also amazon and any are aside as at away bad balance batch be been book booked
    box boxes broken by came carton cartons code coded colour commission computer count credit credits ctn customer
    customers debt delivery depot did difference display do ebay entry export fee fix fixed for from gift
    given goods had have him his hold i id import imported in into is it item items john label
    labels last left less line made mail manager me mix mixed more must mystery negative never new
    no not now of off office ok old on one online only or order orders order(s) oversold overstock pack packs
    pallet pcs per pieces please pls postage price printing problem put qty quantity quick re reason retail sale
    sales sample samples section sell selling sent set sets shelf shop short should show showroom site size some staff
    stock store supplier system take taken temp that the them then there these they this throw tick ticked to
    too transfer try unit units up use used via w was water web website week were what when where which who why
    with year you zero hse se parts barcode bin check duplicate invoice invoices reserve return reverse test out
    longer available stocked confirmed advised note notes email written accounts agreed asap ask bank bay branch
    carton changed charge charity copy counted customs damaged dave did done driver draft eaten exchange fell half
    head idea individually instead internal keep keying kg kind know later lid lot many marketplace maybe mice missed
    mos mostly need needs nobody none our ours outlet over paperwork part per person phone picking piece pieces plus
    probably purchase rack recount room same see separately shipment someone sorry staff still surplus sure told took
    tomorrow today town two van warehouse wip yard yesterday write line batch depot shelf
    """
)
PHRASES = re.compile(
    r"do not (?:use|sell|order|reorder)|don'?t (?:use|sell|order|reorder)|out of stock|not for sale|sold out|"
    r"no longer (?:sold|available|stocked)|to be (?:confirmed|deleted|advised)|(?:stock|re)[ -]?(?:check|count|take)|"
    r"stock adjustment|check (?:stock|code|barcode|price|label)|wrong (?:code|item|label|barcode|price|stock)|"
    r"see (?:note|notes|email)|sold as (?:sets?|\d+|one)|thrown? away|written off|write off|mix(?:ed)? up|put aside|"
    r"given away",
    re.I,
)
# A note behind a sign that begins so is one whatever comes next: names, shelves, numbers.
BEGINNINGS = re.compile(
    r"\b(?:hold for|keep for|given to|moved to|sent to|check with|check in|ask (?:the )?\w+\W*$|replaced by|fell off|"
    r"cannot (?:sell|find)|can'?t (?:sell|find)|waiting for|awaiting|copy of \d|use \d+ instead|need(?:s)? to|not ours|"
    r"no barcode|no labels?\b|per (?:phone|email|customer|supplier|office|manager)|put back|sent back|"
    r"mislabell?ed|wrongly \w+)",
    re.I,
)
# What stock books call wrong; "The wrong side" is a novel.
WRONG = re.compile(r"(?:wrong|incorrect) \w+\W*$", re.I)
WRONG_IN_STOCK = re.compile(
    r"(?:wrong|incorrect) (?:(?:bar|post)?codes?|items?|labels?|prices?|stock|size|colou?r|product|title|description|"
    r"sku|box|carton|pack|quantity|qty|count|invoice|order|shelf|bin|location|supplier|entry|units?|amount|address|"
    r"number|vat|category|customer|delivery)\W*$",
    re.I,
)
# How goods are sold, and not that they were sold.
SALES_UNIT = re.compile(
    r"sold (?:as|by|per|individually|separately|singly)\b|sold in (?:sets?|pairs?|packs?|boxes|units)\b", re.I
)
# A pattern, if no stock is named with it.
CHECKED = words_of("check checked")
# Such words are also names of goods ("Lost", "Wet wipes"): alone they say nothing.
DOUBTFUL_ALONE = words_of(
    """
    found lost wet missing unknown cracked crushed sold torn rotten
    stolen smashed recalled deleted oops wrong expired destroyed error surplus reject damage marked
    received cancelled defective entered
    """
)
# Goods have these names too, but hardly behind a title that is known to be good.
NOUNS = words_of("barcode bin check duplicate invoice reserve return reverse test")
# What may stand between a title and the remark behind it.
BREAK = re.compile(rf"\s*(?:[{DASHES}]+\s+|\s[{DASHES}]+|[(\[{{*;|]+|[,:/!.]\s|\?\s?|\s\s+)\s*")
TRAILING = DASHES + " \t([{*;|,:/!.?"


def is_remark(text: str, *, beside_a_title: bool = False) -> bool:
    """Return whether the text is a remark by its words alone.

    With `beside_a_title` a real title is known of the item, so one doubtful word is enough.
    """
    words = [word.lower() for word in WORD.findall(text)]
    if not words or len(words) > LONGEST_REMARK or _has_other_letters(text):
        return False
    named = [word for word in words if not (word.isdigit() or word == "?")]
    if any(word not in SURE and word not in BESIDE for word in named):
        return False
    sure = [word for word in named if word in SURE]
    if beside_a_title:
        return (
            bool(sure)
            or not NOUNS.isdisjoint(named)
            or PHRASES.search(text) is not None
            or not named
            or len(named) < len(words)
        )
    if PHRASES.search(text) or named == ["check"]:
        return True
    return bool(sure) and (len(named) > 1 or sure[0] not in DOUBTFUL_ALONE)


def has_words_of_notes(text: str) -> bool:
    """Return whether all words are such as stand in remarks, though titles have them too."""
    words = [word.lower() for word in WORD.findall(text)]
    if not words or _has_other_letters(text):
        return False
    return all(word in SURE or word in BESIDE or word.isdigit() or word == "?" for word in words)


def _has_other_letters(text: str) -> bool:
    """Return whether there are letters that no word of this file has: the rest is no whole note."""
    return not text.isascii() and any(char.isalpha() and not char.isascii() for char in text)


def mostly_latin(text: str) -> bool:
    """Return whether more than half of the letters are Latin ones; False without any letter."""
    letters = [char for char in text if char.isalpha()]
    return 2 * sum(char.isascii() or unicodedata.name(char, "").startswith("LATIN") for char in letters) > len(letters)


def without_remark(title: str) -> str:
    """Return the title without the remark at its end, if both can be told apart.

    A remark stands behind a sign, or in small letters behind a title in capitals.
    """
    if not _may_end_in_a_remark(title):
        return title
    for end, start in _breaks(title):
        if len(title) - start <= LONGEST_TAIL and _is_tail(title[start:]) and _names_something(title[:end]):
            return title[:end].rstrip(TRAILING)
    return title


def _may_end_in_a_remark(title: str) -> bool:
    """Return whether the last word can be one of a remark: a fast check that most titles fail."""
    words = WORD.findall(title[-LONGEST_WORD:])
    last = words[-1].lower() if words else ""
    if last in SURE or last in BESIDE or last == "?" or last.isdigit():
        return True
    return BEGINNINGS.search(title) is not None or WRONG_IN_STOCK.search(title) is not None


def _breaks(title: str) -> list[tuple[int, int]]:
    # The first break before which a title stands leaves the whole remark behind it.
    signs = [(match.start(), match.end()) for match in BREAK.finditer(title)]
    return signs + _falls(title) if any(each.islower() for each in title) else signs


def _falls(title: str) -> list[tuple[int, int]]:
    """Return where small letters begin behind words in capitals."""
    found = re.match(r"([^a-z]*[A-Z]{3}[^a-z]*\s)(?=[a-z?])", title)
    return [(found.end(), found.end())] if found and not re.search("[A-Z]", title[found.end() :]) else []


def _is_tail(text: str) -> bool:
    tail = text.strip(DASHES + " )]}*.!")
    words = [word.lower() for word in WORD.findall(tail)]
    if not words or SALES_UNIT.match(tail):
        return False
    if WRONG.match(tail):
        return WRONG_IN_STOCK.match(tail) is not None
    if PHRASES.search(tail) and is_remark(tail):
        return True
    if BEGINNINGS.match(tail) and len(words) <= MOST_TAIL_WORDS:
        return True
    if words[0] in CHECKED and "stock" not in words and SURE.intersection(words) <= CHECKED:
        return False
    return is_remark(tail) and (len(words) > 1 or words[0] in TAIL_ALONE)


# One word behind a sign that cannot be a form, a colour or a state in which goods are sold.
TAIL_ALONE = words_of(
    """
    damages damaged faulty unsaleable mouldy discontinued miscoded mislabelled adjustment wrongly thrown stocktake
    recount breakages
    """
)


def _names_something(head: str) -> bool:
    return sum(char.isalpha() for char in head) >= 3 and not is_remark(head)
