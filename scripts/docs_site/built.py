"""Looks through a built site: links and anchors that lead nowhere, and what a page would fetch from
elsewhere.
"""

from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

# Attributes with which a page fetches something by itself, and those that a reader follows.
FETCHED = {"script": "src", "img": "src", "link": "href", "iframe": "src", "source": "src"}
# A <link> that fetches nothing.
NAMED_ONLY = {"canonical", "next", "prev", "alternate"}


class _Page(HTMLParser):
    """Collects the ids, links and fetched addresses of one page."""

    def __init__(self) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.links: list[str] = []
        self.fetched: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take what the tag names."""
        given = {name: value or "" for name, value in attrs}
        if "id" in given:
            self.ids.add(given["id"])
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        is_fetched = not (tag == "link" and given.get("rel") in NAMED_ONLY)
        if tag in FETCHED and FETCHED[tag] in given and is_fetched:
            self.fetched.append(given[FETCHED[tag]])


def faults_of(site: Path) -> list[str]:
    """Return a line for each link that leads nowhere, and each address fetched from elsewhere."""
    site = site.resolve()
    pages = {path: _read(path) for path in sorted(site.rglob("*.html"))}
    if not pages:
        return [f"{site}: no page was built"]
    return [f"{path.relative_to(site)}: {fault}" for path in pages for fault in _faults(site, path, pages)]


def _read(path: Path) -> _Page:
    page = _Page()
    page.feed(path.read_text(encoding="utf-8"))
    return page


def _file(site: Path, page: Path, address: str) -> Path:
    """Return the file of an address; one of the page of errors counts from the site's root."""
    start = site if address.startswith("/") else page.parent
    target = (start / unquote(address).lstrip("/")).resolve() if address else page
    return target / "index.html" if target.is_dir() else target


def _faults(site: Path, path: Path, pages: dict[Path, _Page]) -> Iterator[str]:
    page = pages[path]
    for address in page.fetched:
        parts = urlsplit(address)
        if parts.netloc:
            yield f"fetches {address} from elsewhere"
        elif parts.scheme != "data" and not _file(site, path, parts.path).is_file():
            yield f"fetches {address}, which is not there"
    for address in page.links:
        parts = urlsplit(address)
        if parts.scheme or parts.netloc:
            continue
        target = _file(site, path, parts.path)
        if not target.is_file():
            yield f"links to {address}, which is not there"
        elif parts.fragment and target in pages and unquote(parts.fragment) not in pages[target].ids:
            yield f"links to {address}, which has no such heading"
