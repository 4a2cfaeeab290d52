"""Bytes that were worth keeping, given to the readers that they are for."""

from pathlib import Path

import pytest
from fuzz.targets import CORPUS, TARGETS, kept

KEPT = [(name, path) for name in TARGETS for path in kept(name)]
MOST_BYTES = 4096


@pytest.mark.parametrize(("name", "path"), KEPT, ids=[f"{name}/{path.name}" for name, path in KEPT])
def test_a_kept_input_breaks_nothing(name: str, path: Path) -> None:
    TARGETS[name](path.read_bytes())


@pytest.mark.parametrize("name", sorted(TARGETS))
def test_every_target_has_some_and_they_are_small(name: str) -> None:
    assert len(kept(name)) >= 2
    assert all(path.stat().st_size <= MOST_BYTES for path in kept(name))


def test_every_folder_belongs_to_a_target() -> None:
    assert {path.name for path in CORPUS.iterdir()} == set(TARGETS)
