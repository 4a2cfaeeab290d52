"""Where each file of the repository is on the site, and what becomes of the links to it."""

import re
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from posixpath import normpath, relpath

ROOT = Path(__file__).resolve().parents[2]
DOCS = PurePosixPath("docs")
# Files outside docs/ that are pages of the site. One page of the reference stands for .env.example.
PAGES = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "project/contributing.md",
    "CHANGELOG.md": "project/changelog.md",
    "onnx/README.md": "project/models.md",
    "clients/python/README.md": "reference/client.md",
    "helm/headrace/README.md": "reference/chart.md",
    ".env.example": "reference/settings.md",
    "docs/adr": "adr/index.md",
}
LINK = re.compile(r"\]\(([^)\s]+)\)")
FENCE = re.compile(r"^ *(```|~~~)")


@dataclass
class Places:
    """Rewrites links, and collects the source files to which they lead."""

    sources: set[str] = field(default_factory=set)

    def page_of(self, path: str) -> str | None:
        """Return where the file is on the site. None if it is not there."""
        if path in PAGES:
            return PAGES[path]
        if PurePosixPath(path).is_relative_to(DOCS):
            return str(PurePosixPath(path).relative_to(DOCS))
        if (ROOT / path).is_file():
            self.sources.add(path)
            return source_page(path)
        return None

    def rewritten(self, text: str, path: str, page: str) -> str:
        """Return the text of the file at `path` with its links as the page needs them.

        A link to a folder of the source code becomes its text: the site has no page for it.
        """
        lines, is_fenced = [], False
        for line in text.splitlines(keepends=True):
            if FENCE.match(line):
                is_fenced = not is_fenced
            lines.append(line if is_fenced else LINK.sub(lambda m: self._link(m[1], path, page), line))
        return re.sub(r"\[([^][]+)\]\(\)", r"\1", "".join(lines))

    def _link(self, target: str, path: str, page: str) -> str:
        name, mark, anchor = target.partition("#")
        if re.match(r"[a-z]+:", target) or not name:
            return f"]({target})"
        there = self.page_of(normpath(str(PurePosixPath(path).parent / name)))
        return f"]({relpath(there, str(PurePosixPath(page).parent))}{mark}{anchor})" if there else "]()"


def source_page(path: str) -> str:
    """Return the page that shows this file."""
    return f"source/{path}.md"


def shown_source(path: str) -> str:
    """Return a page with the text of a source file."""
    language = {".py": "python", ".yaml": "yaml", ".sh": "sh"}.get(PurePosixPath(path).suffix, "text")
    text = (ROOT / path).read_text(encoding="utf-8").rstrip("\n")
    fence = "`" * max(3, 1 + max((len(each) for each in re.findall(r"`{3,}", text)), default=0))
    return f"# {path}\n\n{fence}{language}\n{text}\n{fence}\n"
