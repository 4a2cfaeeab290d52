"""The next page of a list, without what earlier pages showed.

A page's mark holds a hash of 4 bytes of each item that was shown. So no item comes twice, also if
the list changed meanwhile, and nothing is stored. Of 100 items shown, a new one has the hash of one
with a probability of 2 in 100 million, and is then left out.
"""

import re
from collections.abc import Iterable
from hashlib import blake2b

FIRST = "first"
HASH_BYTES = 4
MOST_SHOWN = 500  # so that the mark fits into the line of a request
MARK = rf"({FIRST}|([0-9a-f]{{8}}){{1,{MOST_SHOWN}}})"


class BadPage(ValueError):
    """This is not the mark of a page."""


def hash_of(item_id: str) -> bytes:
    """Return the hash by which a mark remembers an item."""
    return blake2b(item_id.encode(errors="surrogatepass"), digest_size=HASH_BYTES).digest()


def shown_before(mark: str) -> list[bytes]:
    """Return the hashes of what was shown before, in the order of the list. Raises BadPage."""
    if mark == FIRST:
        return []
    if not re.fullmatch(MARK, mark):
        raise BadPage(f"page is {mark[:40]!r}; use {FIRST!r}, then what the answer before has in `next`")
    data = bytes.fromhex(mark)
    return [data[at : at + HASH_BYTES] for at in range(0, len(data), HASH_BYTES)]


def next_mark(before: Iterable[bytes], item_ids: Iterable[str]) -> "str | None":
    """Return the mark of the page after these; None if it would be too long."""
    shown = [*before, *map(hash_of, item_ids)]
    return b"".join(shown).hex() if len(shown) <= MOST_SHOWN else None
