"""Check that what the documents repeat of the code is complete and up to date."""

import re
from collections.abc import Iterable
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from agents.metrics import Metrics
from app.kafka.topics import CONFIGS
from app.main import COMMANDS
from app.settings import variables
from app.web.measure import measure_requests
from models.contract.event_codec import KNOWN_FIELDS
from models.contract.outcome import Reason

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *sorted(ROOT.glob("docs/**/*.md"))]
ADRS = sorted((ROOT / "docs/adr").glob("*.md"))
LONGEST_ADR = 40
FOR_TESTS_ONLY = {"HEADRACE_TEST_DATA"}
TYPES = ("counter", "gauge", "histogram")


def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def table_below(heading: str, document: str) -> list[list[str]]:
    """Return the cells, without backticks, of the rows of the first table after the heading."""
    section = text_of(document).split(f"\n{heading}\n", maxsplit=1)[1]
    table = re.search(r"(?:^\|.*\n)+", section, re.MULTILINE)
    assert table, f"no table below {heading}"
    rows = [line.strip().strip("|").split("|") for line in table[0].splitlines()[2:]]
    return [[cell.strip().replace("`", "") for cell in row] for row in rows]


def names(documents: Iterable[Path]) -> list[str]:
    return [path.relative_to(ROOT).as_posix() for path in documents]


def declared_metrics() -> set[tuple[str, str, str]]:
    """Return exposed name, type and meaning of every metric of worker and look-ups."""
    registry = CollectorRegistry()
    Metrics(registry)
    measure_requests(registry)
    return {
        (metric.name + "_total" * (metric.type == "counter"), metric.type, metric.documentation)
        for metric in registry.collect()
    }


def test_the_readme_gives_every_reason_of_the_quarantine() -> None:
    assert [row[0] for row in table_below("## The quarantine", "README.md")] == [reason.value for reason in Reason]


def test_the_readme_gives_every_field_of_an_event() -> None:
    assert {row[0] for row in table_below("## Sending events", "README.md")} == KNOWN_FIELDS


def test_the_readme_gives_every_command_as_the_help_does() -> None:
    rows = table_below("## Commands", "README.md")
    assert {row[0].removeprefix("headrace "): row[1] for row in rows} == COMMANDS


def test_the_operations_page_gives_every_metric() -> None:
    rows = table_below("## Metrics", "docs/operations.md")
    assert {(row[0], row[1], row[3]) for row in rows} == declared_metrics()
    assert {row[1] for row in rows} <= set(TYPES)


def test_the_operations_page_gives_the_labels_of_the_metrics() -> None:
    found = vars(Metrics(CollectorRegistry())).values()
    labels = {getattr(each, "_name", ""): ", ".join(getattr(each, "_labelnames", ())) for each in found}
    rows = table_below("## Metrics", "docs/operations.md")
    given = {row[0].removesuffix("_total"): row[2] for row in rows}
    assert {name: given[name] for name in labels if name} == {name: label for name, label in labels.items() if name}


def test_the_operations_page_gives_every_topic_as_it_is_made() -> None:
    rows = table_below("## Kafka", "docs/operations.md")
    made = {row[0]: row[2] if "=" in row[2] else "" for row in rows}
    assert made == {topic: ", ".join(f"{k}={v}" for k, v in config.items()) for topic, config in CONFIGS.items()}


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


@pytest.mark.parametrize("document", names(DOCUMENTS))
def test_the_anchors_of_a_document_are_headings(document: str) -> None:
    headings = re.findall(r"^#+ (.+)$", text_of(document), re.MULTILINE)
    anchors = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
    assert set(re.findall(r"\]\(#([^)]+)\)", text_of(document))) - anchors == set()


def test_the_files_that_a_document_names_exist() -> None:
    pattern = re.compile(r"`((?:app|agents|models|tests|helm|scripts|docs)/[\w./-]*\w)`?")
    named = {(path.name, name) for path in DOCUMENTS for name in pattern.findall(path.read_text(encoding="utf-8"))}
    assert named
    assert [each for each in sorted(named) if not (ROOT / each[1]).exists()] == []


def test_decisions_are_numbered_without_gaps_and_short() -> None:
    assert [path.name[:4] for path in ADRS] == [f"{number:04}" for number in range(1, len(ADRS) + 1)]
    lengths = {path.name: len(path.read_text(encoding="utf-8").splitlines()) for path in ADRS}
    assert {name: lines for name, lines in lengths.items() if lines > LONGEST_ADR} == {}
