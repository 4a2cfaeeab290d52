"""Corrupt titles into spam: keyword stuffing, shouted offers, repetition, addresses.

Every function takes a text and a seeded generator. As `corruptions` wraps them, the result always
differs from the text, also from an empty one.
"""

from models.training.garble import Corrupt, Rng, pick, words_of
from models.training.patterns import around, fill, some

OFFERS = (
    "best price", "free shipping", "cheap", "discount", "hot sale", "limited offer", "buy now",
    "order today", "lowest price", "100% original", "top quality", "money back guarantee", "best seller",
    "big sale", "50% off", "wholesale", "clearance", "fast delivery", "new arrival", "special offer",
    "click here", "act now", "save big", "special deal", "hurry up", "only today", "free gift", "bargain",
    "must have", "super deal", "on sale", "factory price", "guaranteed", "no.1", "best ever",
    "win a prize", "satisfaction guaranteed", "while stocks last", "don't miss out", "amazing value",
    "buy 1 get 1 free", "cheapest online", "top rated", "exclusive deal",
)  # fmt: skip
AUDIENCES = (
    "for men", "for women", "for kids", "for boys", "for girls", "for mom", "for dad", "gift", "gifts",
    "birthday", "christmas", "wedding", "valentine", "party", "home", "office", "travel", "2023", "2024",
    "2025", "new", "fashion", "style", "luxury", "premium", "quality", "original", "online", "shop",
    "store", "uk", "usa", "best", "sale", "deal", "cheap", "hot", "trendy", "popular", "unique", "latest",
    "buy",
)  # fmt: skip
CONTACTS = (
    "www.{w}-deals.com", "visit our shop", "call 0800 {n}", "whatsapp +44 7{n}", "email sales@{w}.com",
    "follow us @{w}", "http://bit.ly/{w}", "see our other items", "message us for discount",
    "shop now at {w}store.net", "text {n} to win", "use code SAVE{n}", "subscribe for more",
    "telegram @{w}{n}",
)  # fmt: skip
DECORATIONS = (
    "★",
    "☆",
    "!!!",
    "$$$",
    "***",
    ">>>",
    "~*~",
    "!!",
    "♥",
    "✅",
    "🔥",
    "=>",
    "^^",
    "@@",
    "L@@K",
    "WOW",
    "!!!!!",
)


def keyword_stuffing(text: str, rng: Rng) -> str:
    """Add a tail of search words, many of them the title's own."""
    own = tuple(words_of(text))
    extra = some(rng, AUDIENCES, 5, 14) + some(rng, own, 1, 5)
    order = [extra[i] for i in rng.permutation(len(extra))]
    return f"{text}{pick(rng, (' ', ', ', ' - '))}{pick(rng, (' ', ', ', ' | ', ' / ')).join(order)}"


def repeated_title(text: str, rng: Rng) -> str:
    """Repeat the title or its end several times."""
    words = words_of(text)
    tail = words if rng.random() < 0.5 else words[-max(1, len(words) // 2) :]
    joint = pick(rng, (" ", ", ", " - ", " | "))
    return joint.join([" ".join(words)] + [" ".join(tail)] * int(rng.integers(2, 6)))


def repeated_words(text: str, rng: Rng) -> str:
    """Repeat each word, or one of them, several times in a row."""
    words = words_of(text)
    chosen = int(rng.integers(len(words))) if rng.random() < 0.5 else None
    times = int(rng.integers(3, 7))
    return " ".join(" ".join([word] * times) if chosen in (None, i) else word for i, word in enumerate(words))


def shouted_offers(text: str, rng: Rng) -> str:
    """Put offers with exclamation marks around the title."""
    marks = pick(rng, ("!", "!!", "!!!", "!!!!", " !!!", "!1!"))
    offers = [f"{offer}{marks}" for offer in some(rng, OFFERS, 1, 5)]
    extra = " ".join(offers)
    return around(text, extra.upper() if rng.random() < 0.7 else extra, rng)


def quiet_offers(text: str, rng: Rng) -> str:
    """Put several offers around the title, without shouting."""
    return around(text, pick(rng, (" ", ", ", " - ", " + ")).join(some(rng, OFFERS, 2, 6)), rng)


def decorated(text: str, rng: Rng) -> str:
    """Put stars, dollars and exclamation marks on both sides, often with an offer."""
    marks = pick(rng, DECORATIONS) * int(rng.integers(1, 4))
    offer = pick(rng, OFFERS).upper() + " " if rng.random() < 0.6 else ""
    return f"{marks} {offer}{text} {marks}"


def search_tail(text: str, rng: Rng) -> str:
    """Add a list of search queries made of the title."""
    words = words_of(text)
    short = " ".join(words[-2:])
    queries = (
        "buy {x} online",
        "cheap {x}",
        "best {x}",
        "{x} for sale",
        "{x} discount",
        "{x} price",
        "{x} uk",
        "{x} free shipping",
        "top {x} 2024",
        "{x} deals",
        "where to buy {x}",
        "{x} review",
    )
    return f"{text} {pick(rng, (' ', ', ', ' | ')).join(q.format(x=short) for q in some(rng, queries, 2, 6))}"


def hash_tags(text: str, rng: Rng) -> str:
    """Add hash tags."""
    tags = [f"#{tag.replace(' ', '')}" for tag in some(rng, OFFERS + AUDIENCES, 3, 9)]
    return around(text, " ".join(tags), rng)


def contact_details(text: str, rng: Rng) -> str:
    """Add addresses, numbers and calls to go elsewhere."""
    extra = " ".join(fill(each, rng) for each in some(rng, CONTACTS, 1, 4))
    return around(text, f"{extra} {pick(rng, OFFERS)}" if rng.random() < 0.6 else extra, rng)


SPAM: dict[str, Corrupt] = {
    each.__name__: each
    for each in (
        keyword_stuffing, repeated_title, repeated_words, shouted_offers, quiet_offers, decorated, search_tail,
        hash_tags, contact_details,
    )
}  # fmt: skip
