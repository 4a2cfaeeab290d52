"""Read a manifest back whole, and name each kind of mistake by its place."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from models.inference.manifest import (
    ManifestError,
    check_files,
    parse_manifest,
    pin,
    read_manifest,
    with_artefact,
    write_manifest,
)

SUM = "0" * 64


def entry(**changed: Any) -> dict[str, Any]:
    """Return one model as the manifest writes it, with these fields changed."""
    return {
        "name": "tiny",
        "task": "embedding",
        "variant": "int8",
        "model": {"file": "tiny.onnx", "sha256": SUM},
        "tokenizer": {"file": "tokenizer.json", "sha256": SUM},
        "canonical": {"file": "canonical.json", "sha256": SUM},
        "opset": 20,
        "inputs": [{"name": "input_ids", "type": "tensor(int64)", "shape": ["batch", "tokens"]}],
        "outputs": [{"name": "embedding", "type": "tensor(float)", "shape": ["batch", 8]}],
        "dimension": 8,
        "pooling": "mean",
        "prefix": "",
        "max_tokens": 64,
        "licence": "Apache-2.0",
        "source": "a folder",
        "built": "by hand",
        "parity": {"cosine_mean": 0.999},
        "speed": {"texts_per_second": 1000},
        "details": {"heads": ["spam"]},
        **changed,
    }


def document(*entries: dict[str, Any]) -> str:
    return json.dumps({"version": 1, "models": list(entries)})


def without(key: str) -> dict[str, Any]:
    return {name: value for name, value in entry().items() if name != key}


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    manifest = parse_manifest(document(entry(), entry(name="other", task="quality")))
    write_manifest(tmp_path, manifest)
    assert read_manifest(tmp_path) == manifest


def test_the_first_model_of_a_task_is_in_use() -> None:
    manifest = parse_manifest(document(entry(name="q", task="quality"), entry(name="a"), entry(name="b")))
    assert manifest.find("embedding").name == "a"
    assert manifest.find("quality").name == "q"


def test_a_new_artefact_takes_the_place_of_its_task_only() -> None:
    before = parse_manifest(document(entry(name="old"), entry(name="q", task="quality")))
    new = parse_manifest(document(entry(name="new"))).models[0]
    assert [each.name for each in with_artefact(before, new).models] == ["new", "q"]


def test_a_task_without_model_names_what_there_is() -> None:
    with pytest.raises(ManifestError, match=r"no model for the task 'quality' is listed.*tiny"):
        parse_manifest(document(entry())).find("quality")


def test_the_key_changes_with_the_content() -> None:
    one, other = parse_manifest(
        document(entry(), entry(variant="fp32", model={"file": "x.onnx", "sha256": "1" * 64}))
    ).models
    assert one.key == "tiny-int8-000000000000"
    assert other.key == "tiny-fp32-111111111111"


MISTAKES: list[tuple[str, str]] = [
    ("{", "is not JSON"),
    ("[]", "manifest must be an object, not a list"),
    ('{"models": []}', "manifest.version is missing"),
    ('{"version": 3, "models": []}', "manifest.version is 3, this Headrace reads up to 2"),
    ('{"version": 1}', "manifest.models is missing"),
    ('{"version": 1, "models": {}}', "manifest.models must be a list, not an object"),
    ('{"version": 1, "models": [3]}', "manifest.models[0] must be an object, not an integer"),
    (document(entry(), without("licence")), "manifest.models[1].licence is missing"),
    (document(entry(licence=" ")), "manifest.models[0].licence must not be empty"),
    (document(entry(licence=None)), "manifest.models[0].licence must be a text, not null"),
    (document(entry(colour="red")), "manifest.models[0].colour is not a field of a model"),
    (document(entry(task="poetry")), "manifest.models[0].task is 'poetry'; use one of embedding, quality"),
    (document(entry(pooling="max")), "manifest.models[0].pooling is 'max'; use one of mean, cls, none"),
    (document(entry(dimension=0)), "manifest.models[0].dimension must be at least 1, not 0"),
    (document(entry(dimension="8")), "manifest.models[0].dimension must be an integer, not a text"),
    (document(entry(opset=True)), "manifest.models[0].opset must be an integer, not true or false"),
    (document(entry(model={"file": "a.onnx"})), "manifest.models[0].model.sha256 is missing"),
    (document(entry(model={"file": "../a.onnx", "sha256": SUM})), "use the name of a file beside the manifest"),
    (document(entry(model={"file": "..", "sha256": SUM})), "use the name of a file beside the manifest"),
    (document(entry(model={"file": "a.onnx", "sha256": "0AF"})), "must be 64 hexadecimal digits in lower case"),
    (document(entry(inputs=[])), "manifest.models[0].inputs must not be empty"),
    (document(entry(inputs=["ids"])), "manifest.models[0].inputs[0] must be an object, not a text"),
    (document(entry(outputs=[{"name": "e", "type": "t", "shape": [1.5]}])), "shape must hold names and numbers"),
    (document(entry(parity={"cosine": "high"})), "manifest.models[0].parity.cosine must be a number, not a text"),
    (document(entry(details=[])), "manifest.models[0].details must be an object, not a list"),
    (document(entry(), entry()), "two models have the same task, name and variant"),
]


@pytest.mark.parametrize(("text", "message"), MISTAKES, ids=[message for _, message in MISTAKES])
def test_a_mistake_is_named_by_its_place(text: str, message: str) -> None:
    with pytest.raises(ManifestError) as raised:
        parse_manifest(text)
    assert message in str(raised.value)


def test_a_missing_manifest_is_named_by_its_path(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match=r"manifest\.json cannot be read"):
        read_manifest(tmp_path)


def spoil(path: Path) -> None:
    path.write_text("other")


@pytest.mark.parametrize(("harm", "message"), [(Path.unlink, "is missing"), (spoil, "was changed")])
def test_a_file_that_is_not_as_listed_is_named(tmp_path: Path, harm: Callable[[Path], None], message: str) -> None:
    for name in ("tiny.onnx", "tokenizer.json", "canonical.json"):
        (tmp_path / name).write_text(name)
    pinned = {
        key: {"file": file, "sha256": pin(tmp_path, file).sha256}
        for key, file in (("model", "tiny.onnx"), ("tokenizer", "tokenizer.json"), ("canonical", "canonical.json"))
    }
    artefact = parse_manifest(document(entry(**pinned))).models[0]
    check_files(tmp_path, artefact)
    harm(tmp_path / "tokenizer.json")
    with pytest.raises(ManifestError, match=rf"tiny: .*tokenizer\.json {message}"):
        check_files(tmp_path, artefact)
