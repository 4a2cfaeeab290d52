"""Check that a name says one thing: no two public classes of the sources have the same name."""

import ast
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("app", "agents", "models")


def classes() -> dict[str, list[str]]:
    """Return the files that declare each public class, by its name."""
    found: dict[str, list[str]] = defaultdict(list)
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                    found[node.name].append(path.relative_to(ROOT).as_posix())
    return found


def test_classes_are_found_at_all() -> None:
    assert {"Recommender", "KafkaReplicas", "KeepCatalogue"} <= classes().keys()


def test_no_class_name_is_taken_twice() -> None:
    assert {name: files for name, files in classes().items() if len(files) > 1} == {}
