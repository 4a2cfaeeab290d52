"""Follow the advice on 16 kinds of dirt in files of 8 tools: it leads to the clean content.

Until then nothing lands in a wrong field: what is accepted of a dirty file is in the clean one too.
"""

import re
import shlex
from argparse import ArgumentParser
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import orjson
import pytest
from dirt import DIRT, Dirty
from shop_files import SHOP_FILES, ShopFile

from app.commands.file_options import add_file_options, mapping_of
from app.datasets.folder import open_dataset
from app.datasets.mapping import FileMapping
from app.datasets.record import Dataset, Record
from app.errors import HeadraceError
from app.filecheck.count import CheckedSource, check_log
from app.filecheck.shown import as_text
from models.contract.coercion import plain_time
from models.contract.event_codec import EventSettings, decode
from models.contract.events import KIND_OF_TOPIC
from models.contract.fields import moment
from models.contract.item_codec import decode_items

NOW = 1_760_000_000.0
OPTION = re.compile(r"--[a-z-]+ (?:'[^']*'|\S+)")
STEPS = 4
SEVERAL = ("--map", "--kind")
PLACEHOLDER = re.compile(r"\b(COLUMN|NAME|C)$")


@dataclass(frozen=True)
class Look:
    """What a check says of a file, and the records that a worker would accept."""

    said: str
    rejected: int
    accepted: list[bytes]


def options(text: str) -> FileMapping:
    parser = ArgumentParser()
    add_file_options(parser)
    return mapping_of(parser.parse_args(shlex.split(text)))


def named_in(said: str) -> list[str]:
    """Return the options in the advice of a check; of one that is named twice, the first."""
    advice = "\n".join(line for line in said.splitlines() if "→" in line or "headrace: " in line)
    found: dict[str, str] = {}
    for text in OPTION.findall(advice):
        name, value = shlex.split(text)
        bare = value.rstrip(",;") or value
        key = text if name in SEVERAL else name
        if not PLACEHOLDER.search(bare):
            found.setdefault(key, f"{name} {shlex.quote(bare)}")
    return list(found.values())


def look(path: Path, said: list[str]) -> Look:
    """Look at a file as `headrace check` does, with the options that were said."""
    try:
        dataset = open_dataset(path, options(" ".join(said)))
        [source] = check_log(dataset, EventSettings(), NOW, None).sources
    except HeadraceError as error:
        return Look(f"headrace: {error}", 1, [])
    text = as_text(check_log(dataset, EventSettings(), NOW, None))
    return Look(text, source.rejected, list(accepted(dataset, source)))


def accepted(dataset: Dataset, source: CheckedSource) -> Iterator[bytes]:
    """Yield what the worker would accept, without ids that are made of a row's content."""
    for record in dataset.items() if source.source.of == "items" else dataset.events():
        if record.topic != "quarantine" and is_accepted(record):
            fields = orjson.loads(record.value or b"null") or {}
            fields.pop("event_id", None)
            times = {name: moment(name, plain_time(fields[name])) for name in ("ts", "updated_at") if name in fields}
            yield orjson.dumps(
                [record.topic, (record.key or b"").decode(), {**fields, **times}], option=orjson.OPT_SORT_KEYS
            )


def is_accepted(record: Record) -> bool:
    from app.filecheck.rejected import _batch

    batch = _batch(record.topic, [record], NOW)
    if record.topic == "items":
        return not any(each.rejected for each in decode_items(batch, EventSettings()))
    return not decode(batch, KIND_OF_TOPIC[record.topic], EventSettings()).rejected


def dirty_file(folder: Path, shop: ShopFile, dirt: str) -> tuple[Dirty, Path, list[bytes]]:
    """Write a dirty file, and return it with what is accepted of the clean one."""
    dirty = DIRT[dirt](shop)
    clean = folder / "clean" / dirty.clean.name
    clean.parent.mkdir()
    clean.write_text(dirty.clean.text(), encoding="utf-8")
    truth = look(clean, [shop.options])
    assert truth.rejected == 0, truth.said
    path = folder / (dirty.clean.name + dirty.ending)
    path.write_bytes(dirty.content)
    return dirty, path, truth.accepted


@pytest.mark.parametrize("tool", SHOP_FILES)
@pytest.mark.parametrize("dirt", DIRT)
def test_what_is_said_about_a_dirty_file_works_when_it_is_followed(dirt: str, tool: str, tmp_path: Path) -> None:
    shop = SHOP_FILES[tool]
    dirty, path, truth = dirty_file(tmp_path, shop, dirt)
    said = [shop.options]
    seen = look(path, said)
    assert set(seen.accepted) <= set(truth)
    assert (seen.rejected == 0) is dirty.harmless, seen.said
    for _ in range(STEPS):
        if seen.rejected == 0:
            break
        if dirty.advice:
            assert dirty.advice in seen.said
            said.append(dirty.options)
            path.write_bytes(dirty.mended or dirty.content)
        else:
            said += named_in(seen.said)
        seen = look(path, said)
        assert set(seen.accepted) <= set(truth)
    assert (seen.rejected, sorted(seen.accepted)) == (0, sorted(truth)), seen.said
