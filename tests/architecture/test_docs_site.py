"""The documentation site: its pages are complete, the drawing is up to date, and faults of a built
site are found.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from app.main import COMMANDS
from app.settings import variables

ROOT = Path(__file__).resolve().parents[2]
MKDOCS = ROOT / ".venv-docs/bin/mkdocs"
# Reached by links of other pages, so not in the menu.
NOT_IN_MENU = ("source/", "adr/0", "quality-report/")
SOUND = '<h1 id="top">A</h1><a href="b.html#more">b</a><img src="a.png"><a href="https://example.org">x</a>'


def docs_site(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "scripts")}
    command = [sys.executable, "-m", "docs_site", *map(str, arguments)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pages as MkDocs gets them."""
    folder = tmp_path_factory.mktemp("site") / "docs"
    written = docs_site(folder)
    assert written.returncode == 0, written.stderr
    return folder


def menu() -> set[str]:
    """The pages that the menu names."""
    text = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    nav = yaml.safe_load(text[text.index("\nnav:") :])["nav"]
    return {page for tab in nav for entries in tab.values() for entry in entries for page in entry.values()}


def test_the_menu_has_every_page(pages: Path) -> None:
    written = {path.relative_to(pages).as_posix() for path in pages.rglob("*.md")}
    assert {page for page in written if not page.startswith(NOT_IN_MENU)} == menu(), "add the page to mkdocs.yml"


def test_no_link_leads_out_of_the_site(pages: Path) -> None:
    broken = []
    for page in pages.rglob("*.md"):
        text = re.sub(r"^ *```.*?^ *```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
        for target in re.findall(r"\]\(([^)#\s]+)", text):
            if not re.match(r"[a-z]+:", target) and not (page.parent / target).is_file():
                broken.append((page.name, target))
    assert broken == []


def test_a_file_of_the_code_is_shown_where_a_page_links_to_it(pages: Path) -> None:
    shown = pages / "source/app/kafka/batch_book.py.md"
    assert (ROOT / "app/kafka/batch_book.py").read_text(encoding="utf-8").strip() in shown.read_text(encoding="utf-8")
    assert "(source/app/kafka/batch_book.py.md)" in (pages / "architecture.md").read_text(encoding="utf-8")


def test_the_reference_has_every_setting_and_command(pages: Path) -> None:
    settings = (pages / "reference/settings.md").read_text(encoding="utf-8")
    assert [each.name for each in variables() if f"| `{each.name}` |" not in settings] == []
    helped = (pages / "reference/help.md").read_text(encoding="utf-8")
    assert [name for name in COMMANDS if f"\n## headrace {name}\n" not in helped] == []
    assert "\n### headrace quarantine replay\n" in helped
    assert "## GET /recommendations/{user_id}\n" in (pages / "reference/http.md").read_text(encoding="utf-8")
    assert "### Headrace.recommendations\n" in (pages / "reference/python.md").read_text(encoding="utf-8")


def test_the_drawing_is_as_the_code_is() -> None:
    command = [sys.executable, str(ROOT / "scripts/drawing.py"), "--check"]
    checked = subprocess.run(command, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr


@pytest.mark.parametrize(
    ("page", "fault"),
    [
        (SOUND, ""),
        ('<a href="c.html">c</a>', "links to c.html, which is not there"),
        ('<a href="b.html#less">b</a>', "links to b.html#less, which has no such heading"),
        ('<a href="#top">top</a>', "links to #top, which has no such heading"),
        ('<img src="b.png">', "fetches b.png, which is not there"),
        ('<script src="https://cdn.example.org/x.js"></script>', "fetches https://cdn.example.org/x.js from elsewhere"),
        ('<link rel="stylesheet" href="//example.org/x.css">', "fetches //example.org/x.css from elsewhere"),
    ],
)
def test_a_fault_of_a_built_site_is_found(tmp_path: Path, page: str, fault: str) -> None:
    (tmp_path / "a.html").write_text(page)
    (tmp_path / "a.png").touch()
    (tmp_path / "b.html").write_text('<h2 id="more">B</h2><a href="a.html">a</a>')
    checked = docs_site("--check", tmp_path)
    assert (checked.returncode, checked.stderr) == ((1, f"a.html: {fault}\n") if fault else (0, ""))


def test_a_site_without_pages_is_a_fault(tmp_path: Path) -> None:
    assert "no page was built" in docs_site("--check", tmp_path).stderr


@pytest.mark.skipif(not MKDOCS.exists(), reason="MkDocs is not there: make docs installs it")
def test_the_site_builds_without_a_warning_and_all_its_links_lead_somewhere(pages: Path, tmp_path: Path) -> None:
    config = tmp_path / "mkdocs.yml"
    text = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    config.write_text(text.replace("docs_dir: build/docs", f"docs_dir: {pages}"))
    site = tmp_path / "built"
    command = [str(MKDOCS), "build", "--quiet", "--strict", "--config-file", str(config), "--site-dir", str(site)]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    built = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stdout + built.stderr
    checked = docs_site("--check", site)
    assert checked.returncode == 0, checked.stderr
