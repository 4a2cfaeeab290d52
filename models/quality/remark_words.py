"""Recognise remarks of the shop's staff by their words, and cut one off behind a title.

A text is a remark if all its words are words of such notes and one of them is hardly ever in a
title. The words are those of stock books; they were chosen without the remarks of any test part.
"""

import re

WORD = re.compile(r"[a-z]+(?:'[a-z]+)?|\d+|\?", re.I)
LONGEST_REMARK = 10
LONGEST_WORD = 16
# The last two are the long dashes.
DASHES = "-\u2013\u2014"


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# One of these is enough, if all other words are of this file too.
SURE = _words(
    """
    adjust adjusted adjustment adjustments allocate allocated barcode bin breakage breakages cancel cancelled
    can't check checked counted cracked credited crushed damage damaged damages deleted
    defective destroyed discontinued discrepancy dont don't dumped duplicate entered error errors expired faulty
    found incorrect incorrectly invoice invoiced invoices labelled leftover lost marked mislabelled misplaced
    miscoded misprinted missing mouldy obsolete oops quarantine quarantined recalled received recount
    recounted reject rejected reserve reserved return returned reverse reversed rotten rusty scrapped
    shortage smashed smudges sold stained stocktake stolen surplus test thrown torn unknown unlabelled unsaleable
    unsellable unsold wet wrong wrongly write-off
    """
)
# Words that stand beside them, and that titles have too.
BESIDE = _words(
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
    with year you zero hse se
    """
)
PHRASES = re.compile(
    r"do not (?:use|sell|order|reorder)|don'?t (?:use|sell|order|reorder)|out of stock|not for sale|no longer (?:sold|"
    r"available|stocked)|to be (?:confirmed|deleted|advised)|stock (?:check|count|take|adjustment)|wrong (?:code|item|"
    r"label|barcode|price|stock)|see (?:note|notes|email)|sold as (?:sets?|\d+|one)|thrown? away|written off|write off|"
    r"sold out|mix(?:ed)? up|put aside|given away",
    re.I,
)
# Such words are also names of goods ("Lost", "Wet wipes"): alone they say nothing.
DOUBTFUL_ALONE = _words(
    """
    found lost wet test missing unknown return invoice invoices check bin cracked crushed sold reverse torn rotten
    stolen smashed reserve recalled deleted oops wrong expired duplicate destroyed error surplus reject damage marked
    received cancelled defective entered
    """
)
# What may stand between a title and the remark behind it.
BREAK = re.compile(rf"\s*(?:[{DASHES}]+\s+|\s[{DASHES}]+|[(\[{{*;|]+|[,:/!.]\s|\?\s?|\s\s+)\s*")
TRAILING = DASHES + " \t([{*;|,:/!.?"


def is_remark(text: str, *, beside_a_title: bool = False) -> bool:
    """Return whether the text is a remark by its words alone.

    With `beside_a_title` a real title is known of the item, so one doubtful word is enough.
    """
    words = [word.lower() for word in WORD.findall(text)]
    if not words or len(words) > LONGEST_REMARK:
        return False
    named = [word for word in words if not (word.isdigit() or word == "?")]
    if any(word not in SURE and word not in BESIDE for word in named):
        return False
    sure = [word for word in named if word in SURE]
    if beside_a_title:
        return bool(sure) or PHRASES.search(text) is not None or not named or len(named) < len(words)
    if PHRASES.search(text):
        return True
    return bool(sure) and (len(named) > 1 or sure[0] not in DOUBTFUL_ALONE)


def has_words_of_notes(text: str) -> bool:
    """Return whether all words are such as stand in remarks, though titles have them too."""
    words = [word.lower() for word in WORD.findall(text)]
    return bool(words) and all(word in SURE or word in BESIDE or word.isdigit() or word == "?" for word in words)


def without_remark(title: str) -> str:
    """Return the title without the remark at its end, if both can be told apart.

    A remark stands behind a sign, or in small letters behind a title in capitals.
    """
    if not _may_end_in_a_remark(title):
        return title
    for found in _breaks(title):
        head, tail = title[: found[0]], title[found[1] :]
        if _names_something(head) and _is_tail(tail):
            return head.rstrip(TRAILING)
    return title


def _may_end_in_a_remark(title: str) -> bool:
    """Return whether the last word can be one of a remark: a fast check that most titles fail."""
    words = WORD.findall(title[-LONGEST_WORD:])
    last = words[-1].lower() if words else ""
    return last in SURE or last in BESIDE or last == "?" or last.isdigit()


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
    if not words:
        return False
    if PHRASES.search(tail) and is_remark(tail):
        return True
    return is_remark(tail) and (len(words) > 1 or words[0] in TAIL_ALONE)


# One word behind a sign that cannot be a form, a colour or a state in which goods are sold.
TAIL_ALONE = _words(
    """
    damages damaged faulty unsaleable mouldy discontinued miscoded mislabelled adjustment wrongly thrown stocktake
    recount breakages check checked
    """
)


def _names_something(head: str) -> bool:
    return sum(char.isalpha() for char in head) >= 3 and not is_remark(head)
