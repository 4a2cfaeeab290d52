"""Corrupt texts until little is readable: random keys, shuffled letters, broken encodings.

Every function takes a text and a seeded generator. As `corruptions` wraps them, the result always
differs from the text, also from an empty one.
"""

import html
from collections.abc import Callable

import numpy as np

Rng = np.random.Generator
Corrupt = Callable[[str, Rng], str]

KEY_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
LETTERS = "abcdefghijklmnopqrstuvwxyz"
ALPHANUMERIC = LETTERS + LETTERS.upper() + "0123456789"
SYMBOLS = "#@%&*$^~=+|\\?!_;:<>"
# Characters that shops write and that a wrong decoder breaks.
TYPOGRAPHIC = "éèüöäñçàêåøßœ’‘“”–—®™©£€½°•… ×"  # noqa: RUF001
CODECS = ("latin-1", "cp1252", "mac_roman", "cp437", "cp850", "cp1251")
ENTITIES = (
    "amp",
    "nbsp",
    "quot",
    "#39",
    "eacute",
    "rsquo",
    "#8217",
    "lt",
    "gt",
    "reg",
    "trade",
    "#x27",
    "ndash",
    "uuml",
)


def pick(rng: Rng, options: str | tuple[str, ...] | list[str]) -> str:
    """Return one of the options, each equally likely."""
    return options[int(rng.integers(len(options)))]


def mash(rng: Rng, length: int) -> str:
    """Return letters as hands hit keys at random: runs along a row of keys, and jumps."""
    out: list[str] = []
    while len(out) < length:
        row = pick(rng, KEY_ROWS)
        start, run = int(rng.integers(len(row))), int(rng.integers(1, 6))
        step = 1 if rng.random() < 0.7 else -1
        out += [row[(start + step * i) % len(row)] for i in range(run)]
    return "".join(out[:length])


def words_of(text: str) -> list[str]:
    """Return the text's words, or one made-up word if there is none."""
    return text.split() or ["item"]


def _some_words(text: str, rng: Rng, change: Callable[[str], str]) -> str:
    """Change all words, or by chance at least half of them."""
    words = words_of(text)
    share = 1.0 if rng.random() < 0.6 else float(rng.uniform(0.5, 0.9))
    count = max(1, int(np.ceil(share * len(words))))
    longest_first = sorted(range(len(words)), key=lambda i: (-len(words[i]), i))
    chosen = set(longest_first[:count])
    return " ".join(change(word) if i in chosen else word for i, word in enumerate(words))


def keyboard_mash(text: str, rng: Rng) -> str:
    """Replace words by runs of neighbouring keys."""
    if rng.random() < 0.4:
        return " ".join(mash(rng, int(rng.integers(3, 14))) for _ in range(int(rng.integers(1, 6))))
    return _some_words(text, rng, lambda word: mash(rng, max(3, len(word) + int(rng.integers(-1, 3)))))


def random_letters(text: str, rng: Rng) -> str:
    """Replace words by letters drawn at random."""
    return _some_words(text, rng, lambda word: _draw(rng, LETTERS, max(3, len(word))))


def random_string(text: str, rng: Rng) -> str:
    """Replace the whole title by tokens like keys, hashes or base64."""
    alphabet = pick(rng, (ALPHANUMERIC, "0123456789abcdef", ALPHANUMERIC + "+/=", ALPHANUMERIC + SYMBOLS))
    parts = [_draw(rng, alphabet, int(rng.integers(5, 24))) for _ in range(int(rng.integers(1, 5)))]
    return pick(rng, (" ", "-", " ")).join(parts)


def shuffled_letters(text: str, rng: Rng) -> str:
    """Put the letters of each word in random order."""
    return _some_words(text, rng, lambda word: "".join(rng.permutation(list(word)).tolist()))


def shuffled_characters(text: str, rng: Rng) -> str:
    """Put all characters of the title in random order, spaces too."""
    return "".join(rng.permutation(list(text)).tolist())


def vowels_lost(text: str, rng: Rng) -> str:
    """Leave out every vowel."""
    return "".join(char for char in text if char.lower() not in "aeiou")


def heavy_typos(text: str, rng: Rng) -> str:
    """Replace, double or drop characters, or add letters: at a quarter to half of the places."""
    rate = float(rng.uniform(0.25, 0.5))
    out: list[str] = []
    for char in text:
        if rng.random() > rate:
            out.append(char)
        else:
            out.append(pick(rng, (_draw(rng, LETTERS, 1), char * 2, "", char + _draw(rng, LETTERS, 1))))
    return "".join(out)


def reversed_text(text: str, rng: Rng) -> str:
    """Reverse the title, or each of its words."""
    return text[::-1] if rng.random() < 0.5 else " ".join(word[::-1] for word in words_of(text))


def symbol_noise(text: str, rng: Rng) -> str:
    """Replace letters by symbols."""
    rate = float(rng.uniform(0.25, 0.7))
    return "".join(pick(rng, SYMBOLS) if char != " " and rng.random() < rate else char for char in text)


def shifted_hand(text: str, rng: Rng) -> str:
    """Move every letter one key to the side, or along the alphabet."""
    rows = KEY_ROWS if rng.random() < 0.5 else (LETTERS,)
    step = 1 if rows is KEY_ROWS else int(rng.integers(1, 26))
    moved = {row[i]: row[(i + step) % len(row)] for row in rows for i in range(len(row))}
    return "".join(moved.get(char.lower(), char) for char in text)


def stuttered(text: str, rng: Rng) -> str:
    """Repeat letters, as keys held down too long do."""
    rate = float(rng.uniform(0.3, 0.6))
    return "".join(char * int(rng.integers(2, 6)) if rng.random() < rate else char for char in text)


def spaces_astray(text: str, rng: Rng) -> str:
    """Remove the spaces and put others at wrong places."""
    joined = text.replace(" ", "")
    rate = float(rng.uniform(0.25, 0.6))
    return "".join(char + (" " if rng.random() < rate else "") for char in joined).strip()


def _draw(rng: Rng, alphabet: str, length: int) -> str:
    return "".join(alphabet[i] for i in rng.integers(len(alphabet), size=length))


def _with_typography(text: str, rng: Rng) -> str:
    """Add a few characters that a wrong decoder breaks, unless the text has enough of them."""
    if sum(ord(char) > 127 for char in text) >= 2:
        return text
    chars = list(text or "item")
    for _ in range(int(rng.integers(1, 4))):
        chars.insert(int(rng.integers(1, len(chars) + 1)), pick(rng, TYPOGRAPHIC))
    return "".join(chars)


def misread(text: str, rng: Rng) -> str:
    """Read the text's UTF-8 as an old 8-bit encoding, once or twice."""
    broken = _with_typography(text, rng)
    for _ in range(1 if rng.random() < 0.75 else 2):
        broken = broken.encode().decode(pick(rng, CODECS), errors="replace")
    return broken


def replacement_characters(text: str, rng: Rng) -> str:
    """Put signs of failed decoding inside words: U+FFFD, a box or question marks."""
    mark = pick(rng, ("\ufffd", "\ufffd", "\ufffd\ufffd", "ï¿½", "□", "??"))
    chars = list(text or "item")
    for _ in range(int(rng.integers(1, 5))):
        chars[int(rng.integers(len(chars)))] = mark
    return "".join(chars)


def escaped_bytes(text: str, rng: Rng) -> str:
    """Leave non-ASCII characters as escapes: \\xc3, \\u00e9, %C3, =C3."""
    styles: tuple[Callable[[str], str], ...] = (
        lambda char: "".join(f"\\x{byte:02x}" for byte in char.encode()),
        lambda char: f"\\u{ord(char):04x}",
        lambda char: "".join(f"%{byte:02X}" for byte in char.encode()),
        lambda char: "".join(f"={byte:02X}" for byte in char.encode()),
        lambda char: f"<U+{ord(char):04X}>",
    )
    style = styles[int(rng.integers(len(styles)))]
    return "".join(style(char) if ord(char) > 127 else char for char in _with_typography(text, rng))


def stray_controls(text: str, rng: Rng) -> str:
    """Put a byte order mark, NULs of UTF-16, soft hyphens or control characters inside the text."""
    base = text or "item"
    if rng.random() < 0.3:
        return "ï»¿" + base
    if rng.random() < 0.3:
        return "\x00".join(base)
    mark = pick(rng, ("\x00", "\x81", "\x92", "\x93", "\x1a", "\x96", "â€™", "Â", "Ã"))
    spot = int(rng.integers(len(base) + 1))
    return base[:spot] + mark + base[spot:]


def broken_entities(text: str, rng: Rng) -> str:
    """Insert an HTML entity without its semicolon or ampersand, or escaped twice."""
    base = html.escape(text) if "&" in text or "'" in text else text or "item"
    entity = pick(rng, ENTITIES)
    broken = pick(rng, (f"&{entity}", f"&amp;{entity};", f"{entity};", f"& {entity};", f"&amp;amp;{entity};"))
    spot = int(rng.integers(len(base) + 1))
    return base[:spot] + broken + base[spot:]


GARBLED: dict[str, Corrupt] = {
    each.__name__: each
    for each in (
        keyboard_mash, random_letters, random_string, shuffled_letters, shuffled_characters, vowels_lost,
        heavy_typos, reversed_text, symbol_noise, shifted_hand, stuttered, spaces_astray,
    )
}  # fmt: skip

ENCODING: dict[str, Corrupt] = {
    each.__name__: each for each in (misread, replacement_characters, escaped_bytes, stray_controls, broken_entities)
}
