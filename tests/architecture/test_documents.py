"""Check that what the documents repeat of the code is complete and up to date."""

import inspect
import re
from collections.abc import Iterable
from dataclasses import fields
from pathlib import Path

import pytest
from made_pages import assert_up_to_date
from prometheus_client import CollectorRegistry

from app.commands.models import VERBS
from app.kafka.topics import CONFIGS
from app.main import COMMANDS
from app.settings import load, variables
from app.store.keys import Keys
from app.web.server import ServeConcerns, Surroundings, build_application
from app.worker.terms import is_shared
from models.contract.event_codec import KNOWN_FIELDS
from models.contract.events import Item
from models.contract.outcome import Reason

ROOT = Path(__file__).resolve().parents[2]
TOP = (
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "onnx/README.md",
    "clients/python/README.md",
    "helm/headrace/README.md",
)
DOCUMENTS = [*(ROOT / name for name in TOP), *sorted(ROOT.glob("docs/**/*.md"))]
ADRS = sorted((ROOT / "docs/adr").glob("*.md"))
LONGEST_ADR = 40
FOR_TESTS_ONLY = {"HEADRACE_TEST_DATA", "HEADRACE_TEST_KAFKA"}
PACKAGES = ("app", "agents", "models")
# How the documents name the parts of keys whose parameters have shorter names.
PLACES = {"place": "<topic>-<partition>"}


def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def table_below(heading: str, document: str, first_column: str = "") -> list[list[str]]:
    """Return the cells, without backticks, of the first table after the heading with this first
    column.
    """
    section = f"\n{text_of(document)}".split(f"\n{heading}\n", maxsplit=1)[1]
    table = re.search(rf"^\| {first_column}.*\n(?:^\|.*\n)+", section, re.MULTILINE)
    assert table, f"no table below {heading}"
    rows = [line.strip().strip("|").split("|") for line in table[0].splitlines()[2:]]
    return [[cell.strip().replace("`", "") for cell in row] for row in rows]


def names(documents: Iterable[Path]) -> list[str]:
    return [path.relative_to(ROOT).as_posix() for path in documents]


def key_names() -> set[str]:
    """Every name that `Keys` builds, with `<parameter>` for each argument; optional ones given and
    left out.
    """
    keys, found = Keys("hr:"), set()
    for name, method in inspect.getmembers(keys, inspect.ismethod):
        if name.startswith("_"):
            continue
        parameters = inspect.signature(method).parameters.values()
        given = {each.name: PLACES.get(each.name, f"<{each.name}>") for each in parameters}
        found.add(method(**given))
        if any(each.default is not inspect.Parameter.empty for each in parameters):
            found.add(method())
    return found


def http_routes() -> set[str]:
    """Method and path of every route of `headrace serve`; no connection is opened for it."""
    settings = load({})
    concerns = ServeConcerns(settings.serve, settings.redis, settings.kafka)
    application = build_application(concerns, Surroundings(CollectorRegistry()))
    routes = [route for route in application.router.routes() if route.method != "HEAD" and route.resource is not None]
    return {f"{route.method} {route.resource.canonical}" for route in routes if route.resource is not None}


def test_the_quarantine_page_gives_every_reason() -> None:
    assert [row[0] for row in table_below("## Reasons", "docs/quarantine.md")] == [reason.value for reason in Reason]


def test_the_page_for_producers_gives_every_field_of_an_event() -> None:
    assert {row[0] for row in table_below("## Fields", "docs/sending-events.md")} == KNOWN_FIELDS


def test_the_page_for_producers_gives_every_field_of_an_item() -> None:
    assert [row[0] for row in table_below("## Items", "docs/sending-events.md")] == [each.name for each in fields(Item)]


def test_the_page_for_readers_gives_every_redis_key() -> None:
    assert {row[0] for row in table_below("## Redis", "docs/reading-lists.md", first_column="key")} == key_names()


def test_the_page_for_readers_gives_every_http_path() -> None:
    rows = table_below("## HTTP", "docs/reading-lists.md")
    assert {row[0].partition("?")[0] for row in rows} == http_routes()


def test_the_page_of_commands_gives_every_command_as_the_help_does() -> None:
    rows = table_below("# Commands", "docs/commands.md")
    assert {row[0].removeprefix("headrace "): row[1] for row in rows} == COMMANDS


def test_the_page_of_commands_gives_every_verb_of_models_as_the_help_does() -> None:
    rows = table_below("## `headrace models`", "docs/commands.md")
    assert {row[0]: row[1] for row in rows} == {name: verb.SUMMARY for name, verb in VERBS.items()}


def test_the_page_of_metrics_is_as_they_are_declared() -> None:
    assert_up_to_date("metrics_page.py")


def test_the_operations_page_gives_every_topic_as_it_is_made() -> None:
    rows = table_below("## Kafka", "docs/operations.md")
    made = {row[0]: row[2] if "=" in row[2] else "" for row in rows}
    assert made == {topic: ", ".join(f"{k}={v}" for k, v in config.items()) for topic, config in CONFIGS.items()}


def test_the_operations_page_gives_every_setting_that_workers_share() -> None:
    rows = table_below("### Workers that disagree", "docs/operations.md")
    named = {re.sub(r"^(?:HEADRACE_)?", "HEADRACE_", name) for row in rows for name in re.findall(r"[A-Z_]+…?", row[0])}
    wholes = tuple(name.removesuffix("…") for name in named if name.endswith("…"))
    shared = {variable.name for variable in variables() if is_shared(variable.name)}
    assert {name for name in shared - named if not name.startswith(wholes)} == set()


def test_the_map_names_every_room() -> None:
    named = {name for row in table_below("## The rooms", "docs/architecture.md") for name in row[0].split(", ")}
    rooms = {
        f"{path.parent.relative_to(ROOT)}/" for package in PACKAGES for path in (ROOT / package).glob("*/__init__.py")
    }
    assert rooms
    assert rooms - named == set()


@pytest.mark.parametrize("document", names(DOCUMENTS))
def test_a_document_names_only_settings_that_exist(document: str) -> None:
    named = set(re.findall(r"HEADRACE_[A-Z_]*[A-Z]\b(?!…|_)", text_of(document)))
    assert named - {variable.name for variable in variables()} - FOR_TESTS_ONLY == set()


@pytest.mark.parametrize("document", names(DOCUMENTS))
def test_a_document_names_only_targets_of_the_makefile(document: str) -> None:
    named = set(re.findall(r"(?:`|^)make ([a-z][a-z-]*)", text_of(document), re.MULTILINE))
    assert named - set(re.findall(r"^([a-z-]+):", text_of("Makefile"), re.MULTILINE)) == set()


@pytest.mark.parametrize("document", names(DOCUMENTS))
def test_the_links_of_a_document_lead_somewhere(document: str) -> None:
    links = re.findall(r"\]\(([^)\s]+)\)", text_of(document))
    targets = {link.partition("#")[0] for link in links if not link.startswith("http")} - {""}
    assert [target for target in targets if not ((ROOT / document).parent / target).exists()] == []


def anchors_of(page: Path) -> set[str]:
    """What may follow a # in a link to the page, by GitHub's rule."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", names(DOCUMENTS))
def test_the_anchors_in_links_are_headings(document: str) -> None:
    links = re.findall(r"\]\(([^)#\s]*)#([^)\s]+)\)", text_of(document))
    here = [(name, anchor) for name, anchor in links if not name.startswith("http")]
    pages = {name: ROOT / document if not name else (ROOT / document).parent / name for name, _ in here}
    assert [(name, anchor) for name, anchor in here if anchor not in anchors_of(pages[name])] == []


def test_the_files_that_a_document_names_exist() -> None:
    pattern = re.compile(r"`((?:app|agents|models|tests|helm|scripts|docs)/[\w./-]*\w)`?")
    named = {(path.name, name) for path in DOCUMENTS for name in pattern.findall(path.read_text(encoding="utf-8"))}
    assert named
    assert [each for each in sorted(named) if not (ROOT / each[1]).exists()] == []


def test_decisions_are_numbered_without_gaps_and_short() -> None:
    assert [path.name[:4] for path in ADRS] == [f"{number:04}" for number in range(1, len(ADRS) + 1)]
    lengths = {path.name: len(path.read_text(encoding="utf-8").splitlines()) for path in ADRS}
    assert {name: lines for name, lines in lengths.items() if lines > LONGEST_ADR} == {}
