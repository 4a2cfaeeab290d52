"""Tell whether a text shows anything: zero-width characters, joiners and fillers alone do not."""

import unicodedata

# Control and format characters, separators, and marks that only change another character.
UNSEEN = frozenset(("Cc", "Cf", "Cs", "Zs", "Zl", "Zp", "Mn", "Me"))
# Letters and signs by their category, and blank all the same: Hangul fillers, an empty Braille
# cell.
BLANK = frozenset("\u115f\u1160\u3164\uffa0\u2800")


def is_visible(text: str) -> bool:
    r"""Return whether any character of the text can be seen.

    >>> is_visible("\u200b\ufeff"), is_visible("\u0645\u06cc\u200c\u062e")
    (False, True)
    """
    if text.isascii():
        return bool(text.strip()) and any(each > " " and each != "\x7f" for each in text)
    return any(each not in BLANK and unicodedata.category(each) not in UNSEEN for each in text)
