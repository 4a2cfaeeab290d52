"""The documents as text: line lengths, the README's size, and words that readers of simple English
do not know.
"""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LONGEST_LINE = 100
LONGEST_README = 200
INDENTED_CODE = "    "
LINK_TARGET = re.compile(r"\]\([^)\s]*\)")
HARD_WORDS = re.compile(r"\b(anew|somebody|thereof|whereof|said of|so many)\b", re.IGNORECASE)


def documents() -> list[str]:
    """Every Markdown file that git tracks or would track."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return [name for name in listed.splitlines() if (ROOT / name).is_file()]


def prose(text: str) -> Iterator[tuple[int, str]]:
    """Number and text of each line outside tables and code, link targets left out."""
    is_fenced, may_be_code = False, True
    for number, line in enumerate(text.splitlines(), start=1):
        # Code is indented after a blank line; an indented line after a list item goes on with the
        # item.
        is_indented = may_be_code and line.startswith(INDENTED_CODE)
        may_be_code = is_indented or not line.strip()
        if line.lstrip().startswith("```"):
            is_fenced = not is_fenced
        elif not (is_fenced or is_indented or line.startswith("|")):
            yield number, LINK_TARGET.sub("]", line)


def too_long(text: str) -> list[int]:
    """The numbers of the prose lines that are longer than allowed."""
    return [number for number, line in prose(text) if len(line) > LONGEST_LINE]


def test_there_are_documents() -> None:
    assert {"README.md", "docs/architecture.md", "onnx/README.md"} <= set(documents())


@pytest.mark.parametrize("document", documents())
def test_a_line_of_prose_has_at_most_100_columns(document: str) -> None:
    assert too_long((ROOT / document).read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("document", documents())
def test_a_document_uses_plain_words(document: str) -> None:
    text = (ROOT / document).read_text(encoding="utf-8")
    assert [(number, HARD_WORDS.findall(line)) for number, line in prose(text) if HARD_WORDS.search(line)] == []


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= LONGEST_README


@pytest.mark.parametrize(
    "line", ["word " * 21, "- " + "word " * 20, "- item\n    " + "word " * 20, "# " + "word " * 20]
)
def test_a_long_line_of_prose_is_found(line: str) -> None:
    assert too_long(f"short\n\n{line}\n") == [2 + len(line.splitlines())]


@pytest.mark.parametrize(
    "text",
    [
        "| " + "word " * 30 + "|",
        "```\n" + "word " * 30 + "\n```",
        "text\n\n    " + "word " * 30,
        f"[a link](https://example.org/{'x' * 100})",
    ],
)
def test_tables_code_and_link_targets_may_be_longer(text: str) -> None:
    assert too_long(text) == []
