"""Make remarks such as people leave in place of a title: notes, questions, placeholders.

They come from a grammar written without looking at any shop's remarks, so that real remarks can
test what was learned.
"""

import re
from collections.abc import Callable

from models.training.garble import Rng, pick

WORD = re.compile("[a-z]+")
# STATES, ACTS and THINGS: what happened to the stock, as a state, an act and a thing.
STATES = (
    "damaged", "broken", "faulty", "missing", "lost", "found", "stolen", "expired", "wet", "rusty",
    "mouldy", "cracked", "smashed", "returned", "unsold", "sold out", "out of stock", "discontinued",
    "obsolete", "unsaleable", "not saleable", "incomplete", "counted", "short", "over", "surplus",
    "mixed up", "mislabelled", "wrongly coded", "wrongly labelled", "unlabelled", "unknown", "misplaced",
    "scrapped", "written off", "thrown out", "destroyed", "recalled", "quarantined", "on hold", "blocked",
    "reserved", "crushed", "torn", "stained", "water damaged", "dirty", "defective", "rotten",
    "given away", "binned", "dumped", "gone", "not found", "in transit", "pending",
)  # fmt: skip
ACTS = (
    "adjust", "adjustment", "stock adjustment", "count", "recount", "stock count", "stock check", "check",
    "checked", "recheck", "correction", "corrected", "write off", "transfer", "moved", "return", "refund",
    "credit", "rework", "repack", "relabel", "recode", "rebook", "book out", "booked in", "stock take",
    "stocktake", "inventory", "audit", "reconcile", "balance", "rounding", "update", "amend", "amended",
    "fix", "entry error", "reversal", "reverse entry", "cancel", "cancelled", "void", "sample", "donation",
    "display", "staff purchase", "exchange", "reallocate", "allocation", "delivery error",
    "supplier error", "picking error", "keying error", "system error", "delete", "remove",
)  # fmt: skip
THINGS = (
    "stock", "box", "boxes", "carton", "pallet", "batch", "label", "labels", "barcode", "code", "item",
    "items", "unit", "units", "set", "pack", "packs", "parts", "lid", "pieces", "qty", "quantity", "price",
    "invoice", "order", "delivery", "shipment", "return", "line", "one", "two", "colour", "size", "lot",
    "a box", "some", "half", "all", "most", "everything", "paperwork",
)  # fmt: skip
PLACES = (
    "warehouse", "shelf {n}", "bin {n}", "aisle {n}", "bay {n}", "back room", "store room", "shop floor",
    "unit {n}", "branch", "head office", "van", "yard", "the office", "depot", "showroom", "rack {n}",
    "customs", "supplier", "website", "online shop", "the shop", "marketplace", "ebay", "amazon", "web",
    "outlet",
)  # fmt: skip
PEOPLE = (
    "dave",
    "sue",
    "j.s.",
    "kate",
    "manager",
    "mike",
    "supplier",
    "customer",
    "staff",
    "the driver",
    "office",
    "accounts",
    "am",
    "pk",
    "tom",
    "lin",
)
PLACEHOLDERS = (
    "n/a", "na", "none", "null", "nil", "undefined", "test", "test item", "test product", "testing", "tbd",
    "tba", "tbc", "to be confirmed", "to do", "todo", "dummy", "dummy product", "dummy item", "do not use",
    "don't use", "not used", "unused", "placeholder", "title here", "product name", "enter title",
    "untitled", "no name", "no title", "no description", "description missing",
    "unknown item", "misc", "miscellaneous", "other", "various", "sundry", "xxx", "xx", "zzz", "---",
    "...", "-", "--", "?", "??", "???", "????", "??????", "*", "***", "!", "lorem ipsum",
    "lorem ipsum dolor sit amet", "asap", "draft", "temp", "temporary", "sample only", "internal use only",
    "not for sale", "delete me", "to be deleted", "duplicate", "dup", "see above", "see below",
    "see notes", "as above", "same as above", "ditto", "blank", "empty", "sku",
    "code", "manual entry", "open item", "error", "#n/a", "#ref!", "nan", "none none",
    "coming soon", "old code", "default", "0",
)  # fmt: skip
ASIDES = (
    "please", "pls", "asap", "again", "urgent", "not sure", "i think", "maybe", "probably", "today",
    "yesterday", "last week", "no idea", "tbc", "see email", "as agreed", "per phone", "not in system",
    "not on system", "by mistake", "in error", "from last year", "sorry", "??", "?", "!", "ok", "done",
    "- done", "wip",
)  # fmt: skip
QUESTIONS = (
    "where is it", "where are they", "what is this", "which one", "is this right", "is this the {thing}",
    "why negative", "who did this", "how many", "any left", "same as {n}", "wrong {thing}",
    "right {thing}", "correct {thing}", "can't find {thing}", "who counted this",
    "what happened to {thing}", "real price", "still selling this", "did we get this", "is it {state}",
    "should be {n}", "was it {state}", "{thing} or {thing}",
)  # fmt: skip
NOTES = (
    "{state}", "{act}", "{state} {thing}", "{thing} {state}", "{act} {thing}", "{thing} {act}",
    "{act} {n}", "{n} {state}", "{state} {n}", "{state} {date}", "{act} {date}", "{state} in {place}",
    "{state} at {place}", "{act} {place}", "moved to {place}", "sent to {place}", "from {place}",
    "in {place}", "for {place}", "sold on {place}", "sold as {thing}", "sold as {n}", "sold individually",
    "sold separately", "sold in {n}s", "used as {thing}", "part of {thing}", "ask {who}", "{who} to {act}",
    "per {who}", "{act} by {who}", "{act} - {who}", "told by {who}", "{who} has it", "{who} took {n}",
    "see {who}", "{n} {thing} {state}", "{n} {thing} short", "{n} too many", "only {n} left",
    "counted {n} not {n}", "had {n} now {n}", "{n} missing from {thing}", "not {state}", "all {state}",
    "{thing} all {state}", "mostly {state}", "{state} and {state}", "{state}/{state}",
    "{state} or {state}", "{act} and {act}", "{act}/{act}", "{act}: {state}", "{state} - {act}",
    "wrong {thing}", "no {thing}", "{thing} wrong",
    "{thing} ok", "check {thing}", "check {place}", "check with {who}", "needs {act}", "need to {act}",
    "to be {state}", "to {act}", "awaiting {act}", "waiting for {who}", "do not {act}", "do not sell",
    "do not order", "not to be sold", "don't reorder", "hold for {who}", "keep for {who}",
    "put back on {place}", "taken from {place}", "{thing} from {place}", "{act} for {place}",
    "{act} {state}", "{act} {state} {thing}", "{state} {thing} {act}", "incorrectly {act}",
    "wrongly {state}", "incorrect {thing}", "wrong {thing} used", "{thing} changed", "changed to {n}",
    "was {n}", "now {n}", "use {n} instead", "replaced by {n}", "copy of {n}", "{date} {act}", "{date}",
    "code {n}", "see {n}", "{n}?", "+{n}", "-{n}", "{n} off", "{n} {act}", "x{n}", "mix up with {n}",
    "mix of {n} and {n}", "came {state}", "arrived {state}", "came as {thing}", "came in as {n}",
    "delivered {state}", "{thing} never arrived", "customer {act}", "given to {who}", "gift to {who}",
    "charity", "{act} fee", "bank charge", "postage {act}", "price {act}", "{act} test", "test {n}",
    "stock from {place}", "can't sell", "cannot sell", "don't know", "fell off {place}", "left in {place}",
    "eaten by mice", "not ours", "no barcode", "{n} pcs {state}", "{n} x {state}", "{n} kg {state}",
    "{state} {thing} x {n}", "{state} in delivery",
)  # fmt: skip


def typical_words() -> frozenset[str]:
    """Return the words of such remarks; one of them alone is more likely a remark than a title."""
    note = " ".join((*STATES, *ACTS, *THINGS, *PLACES, *PLACEHOLDERS, *ASIDES, *QUESTIONS, *NOTES))
    return frozenset(WORD.findall(note.lower()))


def _fill(pattern: str, rng: Rng) -> str:
    """Fill each slot by a draw of its own, so `{state} or {state}` names two states."""
    sources: dict[str, Callable[[], str]] = {
        "{state}": lambda: pick(rng, STATES),
        "{act}": lambda: pick(rng, ACTS),
        "{thing}": lambda: pick(rng, THINGS),
        "{who}": lambda: pick(rng, PEOPLE),
        "{place}": lambda: pick(rng, PLACES),
        "{date}": lambda: _date(rng),
        "{n}": lambda: _number(rng),
    }
    for slot, source in sources.items():
        while slot in pattern:
            pattern = pattern.replace(slot, source(), 1)
    return pattern


def _number(rng: Rng) -> str:
    return str(int(rng.integers(1, 13)) if rng.random() < 0.6 else int(rng.integers(10, 99999)))


def _date(rng: Rng) -> str:
    day, month, year = int(rng.integers(1, 29)), int(rng.integers(1, 13)), int(rng.integers(8, 27))
    return pick(
        rng,
        (
            f"{day}/{month}/{year:02d}",
            f"{day}.{month}",
            f"20{year:02d}-{month:02d}-{day:02d}",
            f"{day}/{month}",
        ),
    )


def _misspelt(text: str, rng: Rng) -> str:
    """Double, drop or swap one letter, as in notes typed in a hurry."""
    if len(text) < 5:
        return text
    spot = int(rng.integers(1, len(text) - 2))
    forms = (
        text[:spot] + text[spot + 1 :],
        text[:spot] + text[spot] + text[spot:],
        text[:spot] + text[spot + 1] + text[spot] + text[spot + 2 :],
    )
    return pick(rng, forms)


def stock_note(text: str, rng: Rng) -> str:
    """Make a note of what happened to the stock, or of what must be done."""
    note = _fill(pick(rng, NOTES), rng)
    if rng.random() < 0.15:
        note += pick(rng, (", ", " - ", " ", "; ", "/")) + _fill(pick(rng, NOTES), rng)
    return _finish(note, rng)


def open_question(text: str, rng: Rng) -> str:
    """Make a question to a colleague, or a note with only a question mark."""
    note = _fill(pick(rng, QUESTIONS if rng.random() < 0.6 else NOTES), rng)
    return _finish(note + pick(rng, ("?", "?", " ?", "??", "???")), rng)


def placeholder(text: str, rng: Rng) -> str:
    """Make the text that people write to fill a mandatory field."""
    note = pick(rng, PLACEHOLDERS)
    if rng.random() < 0.2:
        note += " " + pick(rng, (_number(rng), pick(rng, PLACEHOLDERS), _date(rng)))
    return _finish(note, rng)


def note_on_title(text: str, rng: Rng) -> str:
    """Make a note with a word of the title: "copy of mug", "mug - wrong code", "not the mug"."""
    words = [word for word in text.split() if word.isalpha()]
    if not words:
        return stock_note(text, rng)
    word = pick(rng, words).lower()
    forms = (
        "copy of {x}", "{x} copy", "old {x} do not use", "wrong {x}", "not the {x}", "{x} {state}",
        "{state} {x}", "{x} - {act}", "{x} {act}", "{x}?", "{x} ???", "sold as {x}", "{act} {x}",
        "should be {x}", "same as {x}", "{x} is {state}", "was {x}", "missing {x}", "delete {x}",
        "{x} ({state})", "test {x}", "dummy {x}", "{n} {x} {state}", "mixed with {x}", "{x} to {act}",
        "{x} from {place}", "{x} {thing} wrong", "{x} not in {place}", "use {x} code", "marked as {x}",
        "labelled {x}", "{x} wrongly {state}",
    )  # fmt: skip
    return _finish(_fill(pick(rng, forms).replace("{x}", word), rng), rng)


def _finish(note: str, rng: Rng) -> str:
    if rng.random() < 0.15:
        note += " " + pick(rng, ASIDES)
    if rng.random() < 0.12:
        note = _misspelt(note, rng)
    style = rng.random()
    return note.upper() if style < 0.2 else note.capitalize() if style < 0.45 else note


REMARK = {each.__name__: each for each in (stock_note, open_question, placeholder, note_on_title)}
