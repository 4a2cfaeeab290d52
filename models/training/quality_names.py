"""Make clean titles that name no kind of goods, such as films, songs, part numbers or "Item 12".

They are patterns filled with whole words of the tokenizer's vocabulary, in the order of how common
those are, so that the model cannot learn the titles by heart. A model that never saw such titles
takes a song for a remark, and "Graduate, The" for a title that was cut off. For training and
calibration only; nothing is measured on them.
"""

from collections.abc import Callable
from dataclasses import dataclass

from models.quality.defect import ItemText
from models.training.garble import Rng, pick
from models.training.quality_assortment import SURNAMES, invented_name
from models.training.quality_catalogue import TrainingCatalogue
from models.training.remarks import typical_words

NAME = "names"
COMMON, KNOWN = 3_000, 15_000
SHORTEST_WORD, STEM = 3, 5
GENRES = (
    "Drama", "Comedy", "Action", "Thriller", "Horror", "Romance", "Documentary", "Animation", "Western", "War", "Crime",
    "Musical", "Mystery", "Fantasy", "Adventure", "Children's", "Sci-Fi", "Family", "History", "Biography", "Sport",
)  # fmt: skip
STYLES = (
    "Pop", "Rock", "Jazz", "Blues", "Folk", "Soul", "Hip Hop", "Country", "Metal", "Reggae", "Electronic", "Classical",
    "Punk", "Indie", "Latin", "Gospel", "World", "Dance", "R&B", "Ambient", "Soundtrack", "Opera",
)  # fmt: skip
SHELVES = (
    "Fiction", "Books > Novels", "Poetry", "Books/Classics", "DVD", "Films", "Movies & TV", "CDs & Vinyl", "Songs",
    "Albums", "Video Games", "Strategy", "Puzzle Games", "E-Books", "Travel", "Self-Help", "Cookbooks", "Comics",
)  # fmt: skip
PLAIN = (
    "Item", "Product", "Title", "Article", "Model", "Thing", "Part", "Object", "Kit", "Widget", "Gadget", "Series",
    "Type", "Version", "Book", "Movie", "Song", "Shirt", "Shoe", "Lamp", "Pen", "Cup", "Bag", "Box", "Tool", "Toy",
)  # fmt: skip
SHELF_WORDS = ("cat", "Category ", "c", "group-", "Type ", "Dept ", "shelf", "Section ", "class_", "Level ")
MADE_FOR = ("Cars", "Vehicles", "SUV", "Phones", "Laptops", "Hardware", "Computers", "Motorcycles", "Bicycles", "Audio")
PARTS = (
    "resistor", "capacitor", "transistor", "diode", "regulator", "connector", "relay", "fuse", "switch", "sensor",
    "bearing", "bolt", "nut", "washer", "seal", "belt", "valve", "cable", "adapter", "module", "board", "LED", "motor",
    "crystal", "inductor", "screw", "pump", "filter", "hose", "fitting", "plug", "socket", "drill bit", "blade",
)  # fmt: skip
UNITS = (
    "k",
    "M",
    "R",
    " ohm",
    "nF",
    "pF",
    "uF",
    "mm",
    " mm",
    "V",
    "A",
    "W",
    "mA",
    " MHz",
    "GB",
    "TB",
    "mH",
    '"',
    " pin",
)
GRADES = (
    "1%",
    "5%",
    "0603",
    "0402",
    "1206",
    "SMD",
    "M3",
    "M6",
    "25V",
    "IP65",
    "DIN",
    "black",
    "x 10",
    "1/4W",
    "type B",
)
PARTS_SHELVES = (
    "Components",
    "Electronics",
    "Passives",
    "ICs",
    "Fasteners",
    "Plumbing",
    "Spares",
    "Semiconductors",
    "Hardware",
)
VERBS = (
    "love", "leave", "stop", "look", "run", "fall", "dance", "break", "hold", "follow", "call", "kill", "catch",
    "remember", "forget", "believe", "wait", "sing", "cry", "stay", "come", "go", "give", "take", "feel", "live", "die",
    "fly", "play", "wake", "burn", "shake", "kiss", "hurt", "tell", "save", "steal", "change", "drive", "dream",
)  # fmt: skip
# {w}: a common word, {r}: a rarer one, {v}: a verb, {n}: a number, {s}: a surname.
PHRASES = (
    "the {w}", "the {w} {w}", "{w}", "{r}", "{w} {w}", "{w} {r}", "{r} {w}", "a {w} {w}", "{w} of {w}",
    "the {w} of {r}",
    "{w} and {w}", "{w} & {r}", "{r} and {r}", "{w} in {r}", "{w} in the {w}", "{w} on the {w}", "{w} for {w}",
    "the {w} who {v} {r}", "{w} without {w}", "{w} from {r}", "{r}'s {w}", "my {w} {w}", "our {w}", "{w} {w} {w}",
    "{w}: {w} {w}", "{r}: the {w}", "{w} ({w} {w})", "the last {w}", "the {n} {w}s", "{n} {w}s", "{r} {n}",
    "{w} vs. {w}", "{w} II", "{w}, {w} and {w}", "{w}, the", "{w} {w}, the", "{r} of {w}, the", "{w}, a", "{r}, la",
    "{r}, le", "{r}, der", "{w} {w} ({n})", "dr. {s}", "mr. {s}'s {w}", "{s} & {s}", "{s}", "{r} {s}", "the {s} {w}",
    "{r} - {r}", "{w}/{w}", "{w}!", "oh {r}!", "{w} {w}!", "who {v}s the {w}?", "where is {r}?", "why {v}?",
    "what {w}?", "what is {w}?", "do you {v}?", "do you {v} {r}?", "are you {w}?", "who is {r}?", "guess {w}?",
    "how to {v} a {w}", "how to {v}", "don't {v} me", "don't {v}", "never {v}", "never {v} you",
    "i {v} you", "i will {v}", "you {v} me", "we {v}", "we {v} the {w}", "let's {v}", "let it {v}", "let me {v}",
    "{v} me", "{v} it", "{v} it out", "{v} on", "{v} away", "{v} with me", "{v} the {w}", "{v} or {v}", "to {v} or {v}",
    "{v} again", "still {v}", "born to {v}", "gotta {v}", "{v}in' {w}", "{v}ing {r}", "{v}ed in {r}", "nobody {v}s",
    "nobody {v}s {r}", "everybody {v}s", "nothing to {v}", "something to {v}", "something {w}", "no {w} {w}",
    "no more {w}s", "all {w} {w}", "all the {w}s", "all i {v}", "every {w} {w}", "this {w}", "that {w} {w}",
    "some {w} {v}", "after {w}", "before the {w}", "until {w}", "over the {w}", "under the {w}", "beyond {r}",
    "between {w}s", "down by the {w}", "up in {r}", "back to {r}", "only {w}", "always {r}", "forever {w}",
    "when {r} {v}s", "as {w}s {v} by", "the way we {v}", "the way you {v}", "what it's all about", "come on in",
    "it's a {w} {w}", "it's {w}", "i'm {w}", "i'm not {w}", "you're {w}", "she's {w}", "they {v}", "yesterday's {w}",
    "re{v}ed", "out of {w}", "in {w} we {v}", "{w} by {w}", "one {w}", "two {w}s", "{n}",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Words:
    """Holds whole words, the common and the rarer ones."""

    common: tuple[str, ...]
    known: tuple[str, ...]


def words_of_vocabulary(vocabulary: dict[str, int]) -> Words:
    """Return the whole ASCII words of a tokenizer's vocabulary, in its order: the most common
    first.

    Leaves out the words of remarks and their other forms, so that "damaged" alone stays a remark.
    """
    stems = {word[:STEM] for word in typical_words() if len(word) >= SHORTEST_WORD}
    found = [
        word
        for word, _ in sorted(vocabulary.items(), key=lambda pair: pair[1])
        if word.isascii() and word.isalpha() and len(word) >= SHORTEST_WORD and word[:STEM] not in stems
    ]
    return Words(tuple(found[:COMMON]), tuple(found[:KNOWN]))


def names(words: Words, rng: Rng, count: int) -> TrainingCatalogue:
    """Make `count` titles, most under a category where such titles are found."""
    kinds = (_phrase, _phrase, _phrase, _phrase, _bare, _model, _part, _spec, _alone)
    return TrainingCatalogue(
        NAME, tuple(dict.fromkeys(kinds[int(rng.integers(len(kinds)))](words, rng) for _ in range(count)))
    )


def _phrase(words: Words, rng: Rng) -> ItemText:
    title = _filled(pick(rng, PHRASES), words, rng)
    if rng.random() < 0.6:
        title = " ".join(word[:1].upper() + word[1:] for word in title.split())
    style = rng.random()
    if style < 0.4:
        shelf = pick(rng, (" ", ", ", "/", "|")).join(pick(rng, GENRES) for _ in range(int(rng.integers(1, 4))))
    else:
        shelf = pick(rng, STYLES if style < 0.65 else SHELVES)
    artist = rng.random()
    by = f"{pick(rng, words.known).title()} {pick(rng, SURNAMES)}" if artist < 0.25 else ""
    return ItemText(title, shelf, by or (f"The {pick(rng, words.known).title()}s" if artist < 0.35 else ""))


def _bare(words: Words, rng: Rng) -> ItemText:
    """Make an item as test catalogues have it: "Item 12", "product-b", "Title a"."""
    end = pick(rng, (str(int(rng.integers(1, 2000))), pick(rng, "abcdefghijkmnpqrstuvwxyz"), pick(rng, words.common)))
    joint = pick(rng, (" ", " ", " ", "-", "_", " of item ", " no. ", " #"))
    title = f"{pick(rng, PLAIN)}{joint}{end}" if rng.random() < 0.8 else f"{pick(rng, words.common)} {end}"
    number = str(int(rng.integers(1, 40)))
    return ItemText(
        title.lower() if rng.random() < 0.3 else title,
        pick(rng, (pick(rng, SHELF_WORDS) + number, pick(rng, "abcxyz"), pick(rng, words.common), "a/b", "")),
        pick(rng, ("", "", pick(rng, ("Brand ", "brand", "b", "maker-")) + number, pick(rng, words.known))),
    )


def _model(words: Words, rng: Rng) -> ItemText:
    """Make an item of a maker's name and a model's name, which may be in no dictionary."""
    maker = invented_name(rng) if rng.random() < 0.4 else pick(rng, words.known).title()
    kinds: tuple[Callable[[], str], ...] = (
        lambda: invented_name(rng),
        lambda: pick(rng, words.known).title(),
        lambda: _code(rng),
        lambda: f"{pick(rng, words.known).title()} {int(rng.integers(1, 9999))}",
        lambda: (
            f"{invented_name(rng)} {pick(rng, ('Pro', 'Plus', 'S', 'GT', 'Max', 'Mini', 'XL', 'SE', 'II', 'Sport'))}"
        ),
    )
    title = f"{maker} {kinds[int(rng.integers(len(kinds)))]()}"
    return ItemText(title, pick(rng, MADE_FOR), maker if rng.random() < 0.5 else "")


def _part(words: Words, rng: Rng) -> ItemText:
    """Make a component named by its value, its number or both."""
    value = f"{int(rng.integers(1, 1000))}{pick(rng, UNITS)}"
    parts = [pick(rng, (value, _code(rng))), pick(rng, PARTS), pick(rng, GRADES), pick(rng, GRADES)]
    shown = parts[: int(rng.integers(1, 5))] if rng.random() < 0.8 else [parts[1], parts[0], parts[2]]
    maker = pick(rng, words.known).title() if rng.random() < 0.3 else ""
    return ItemText(" ".join(shown), pick(rng, PARTS_SHELVES) if rng.random() < 0.7 else parts[1] + "s", maker)


def _spec(words: Words, rng: Rng) -> ItemText:
    """Make a title of initials and measures such as "SSD 1TB NVMe" or "27 inch QHD IPS monitor"."""
    initials = ["".join(pick(rng, "ABCDEFGHILMNOPRSTUVX") for _ in range(int(rng.integers(2, 5)))) for _ in range(2)]
    value = f"{int(rng.integers(1, 1000))}{pick(rng, UNITS)}"
    shown = [*initials[: int(rng.integers(1, 3))], value, pick(rng, (pick(rng, PARTS), pick(rng, words.common), ""))]
    order = rng.permutation(len(shown))
    maker = pick(rng, words.known).title() if rng.random() < 0.4 else ""
    title = " ".join(filter(None, (maker, *(shown[i] for i in order))))
    return ItemText(title, pick(rng, (*PARTS_SHELVES, *MADE_FOR)), maker if rng.random() < 0.6 else "")


def _alone(words: Words, rng: Rng) -> ItemText:
    """Make an item of one or two words in a category of any name."""
    title = f"{pick(rng, words.common)} {pick(rng, PLAIN)}" if rng.random() < 0.5 else pick(rng, words.known)
    return ItemText(title.capitalize() if rng.random() < 0.6 else title, pick(rng, words.common), "")


def _code(rng: Rng) -> str:
    """Make a part or model number such as BC547, STM32F103, LM-317T or 74HC595."""
    letters = "ABCDEFGHKLMNPRSTVWXZ"

    def drawn(source: str, low: int, high: int) -> str:
        return "".join(pick(rng, source) for _ in range(int(rng.integers(low, high))))

    tail = drawn(letters, 1, 3) + drawn("0123456789", 0, 4) if rng.random() < 0.4 else ""
    head = drawn(letters, 1, 4) + ("-" if rng.random() < 0.2 else "") + drawn("0123456789", 1, 5)
    return head + tail if rng.random() < 0.8 else drawn("0123456789", 2, 5) + drawn(letters, 1, 3) + tail


def _filled(pattern: str, words: Words, rng: Rng) -> str:
    sources: dict[str, Callable[[], str]] = {
        "{w}": lambda: pick(rng, words.common),
        "{r}": lambda: pick(rng, words.known),
        "{v}": lambda: pick(rng, VERBS),
        "{n}": lambda: str(int(rng.integers(2, 2000))),
        "{s}": lambda: pick(rng, SURNAMES),
    }
    for slot, source in sources.items():
        while slot in pattern:
            pattern = pattern.replace(slot, source(), 1)
    return pattern
