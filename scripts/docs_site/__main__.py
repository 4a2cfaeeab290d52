"""Write the pages of the site to a folder, for MkDocs, or check a site that was built.

Run it with `make docs`.
"""

import argparse
import shutil
import sys
from pathlib import Path

from .built import faults_of
from .places import PAGES, ROOT, Places, shown_source, source_page
from .reference import pages

TEXT = ".md"


def write_pages(folder: Path) -> None:
    """Write all pages, pictures among them, to the folder, which is emptied before."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(ROOT / "docs", folder)
    places = Places()
    texts = {path: page for path, page in PAGES.items() if path.endswith(TEXT)}
    texts |= {f"docs/{each.relative_to(folder).as_posix()}": "" for each in sorted(folder.rglob(f"*{TEXT}"))}
    for path, named in texts.items():
        page = named or path.removeprefix("docs/")
        text = (ROOT / path).read_text(encoding="utf-8")
        _write(folder / page, places.rewritten(text, path, page))
    for page, text in {**pages(), "adr/index.md": _decisions()}.items():
        _write(folder / page, text)
    for path in sorted(places.sources):
        _write(folder / source_page(path), shown_source(path))


def _decisions() -> str:
    files = sorted((ROOT / "docs/adr").glob("[0-9]*.md"))
    titles = [(path.name, path.read_text(encoding="utf-8").splitlines()[0].removeprefix("# ")) for path in files]
    # A number with a point at the start of an entry would be read as a list in the list.
    entries = [f"- [{title.partition('. ')[2]}]({name})\n" for name, title in titles]
    return "# Decisions\n\nOne page each: context, decision, what was not chosen, with figures.\n\n" + "".join(entries)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def main() -> int:
    """Write the pages, or check a built site with `--check`. Returns 1 if it has faults."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="where to write the pages; with --check the built site")
    parser.add_argument("--check", action="store_true", help="look for links of a built site that lead nowhere")
    args = parser.parse_args()
    if not args.check:
        write_pages(args.folder)
        return 0
    faults = faults_of(args.folder)
    for fault in faults:
        sys.stderr.write(f"{fault}\n")
    return 1 if faults else 0


if __name__ == "__main__":
    raise SystemExit(main())
