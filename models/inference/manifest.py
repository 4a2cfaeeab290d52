"""Read and write `manifest.json`, the list of model artefacts.

It has each file's sum, how the model was built, and what was measured. The manifest is read once
and checked whole, so that an error names its place in the file and does not appear later in the hot
path.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from models.contract.formats import MANIFEST
from models.inference.onnx_session import Tensor

VERSION = MANIFEST.version
FILE_NAME = "manifest.json"
RANKING = "ranking"
TASKS = ("embedding", "quality", "judge", RANKING)
POOLINGS = ("mean", "cls", "none")
SHA256_DIGITS = 64


class ManifestError(ValueError):
    """Raised for an error in a manifest or in a file that it lists; the message names the place."""


@dataclass(frozen=True, slots=True)
class Pinned:
    """Names a file beside the manifest, with the sum of its content."""

    file: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Artefact:
    """Describes one model.

    `details` is free for what only the model's own task needs, such as the names of its heads. Only
    a model for the task RANKING, which reads features, has no `tokenizer`.
    `canonical` names a file with texts and the vectors that the original model gave for them (see
    `models.inference.canonical`).
    """

    name: str
    task: str
    variant: str
    model: Pinned
    tokenizer: Pinned | None
    canonical: Pinned
    opset: int
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    dimension: int
    pooling: str
    prefix: str
    max_tokens: int
    licence: str
    source: str
    built: str
    parity: Mapping[str, float]
    speed: Mapping[str, float]
    details: Mapping[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """Return name and content as one short word; vectors of different keys are never mixed."""
        return f"{self.name}-{self.variant}-{self.model.sha256[:12]}"

    @property
    def pinned(self) -> tuple[Pinned, ...]:
        """Return every file that belongs to the artefact."""
        return tuple(each for each in (self.model, self.tokenizer, self.canonical) if each is not None)

    @property
    def tokenizer_file(self) -> str:
        """Return the tokenizer's file. Raises ManifestError for a model that reads no text."""
        if self.tokenizer is None:
            raise ManifestError(f"{self.name} has no tokenizer: it reads features, no texts")
        return self.tokenizer.file


@dataclass(frozen=True, slots=True)
class Manifest:
    """Holds all artefacts of one folder."""

    models: tuple[Artefact, ...]

    def find(self, task: str) -> Artefact:
        """Return the artefact in use for a task, the first one listed.

        Raises ManifestError if there is none.
        """
        for artefact in self.models:
            if artefact.task == task:
                return artefact
        raise ManifestError(
            f"no model for the task {task!r} is listed; there are {[each.name for each in self.models]}"
        )


def read_manifest(folder: Path) -> Manifest:
    """Read the folder's manifest, and check everything but the sums of the files.

    Raises ManifestError.
    """
    path = folder / FILE_NAME
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ManifestError(f"{path} cannot be read: {error.strerror}") from error
    try:
        return parse_manifest(text)
    except ManifestError as error:
        raise ManifestError(f"{path}: {error}") from error


def parse_manifest(text: str) -> Manifest:
    """Parse a manifest from JSON. Raises ManifestError that names the place of an error."""
    try:
        document = json.loads(text)
    except ValueError as error:
        raise ManifestError(f"is not JSON: {error}") from error
    manifest = _reader(document, "manifest")
    if not MANIFEST.oldest <= (version := manifest.get("version", int)) <= VERSION:
        advice = (
            "run the version of Headrace that wrote it" if version > VERSION else "it is none that was ever written"
        )
        raise ManifestError(f"manifest.version is {version}, this Headrace reads up to {VERSION}: {advice}")
    models = tuple(_artefact(entry) for entry in manifest.children("models"))
    names = [(each.task, each.name, each.variant) for each in models]
    if len(set(names)) < len(names):
        raise ManifestError("two models have the same task, name and variant")
    return Manifest(models)


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write the folder's manifest as indented JSON."""
    document = {"version": VERSION, "models": [asdict(each) for each in manifest.models]}
    (folder / FILE_NAME).write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def with_artefact(manifest: Manifest, artefact: Artefact) -> Manifest:
    """Return the manifest with the artefact listed first, in place of any other of its task."""
    return Manifest((artefact, *(each for each in manifest.models if each.task != artefact.task)))


def pin(folder: Path, file: str) -> Pinned:
    """Return the file's name with its present sum."""
    return Pinned(file, sha256_of(folder / file))


def sha256_of(path: Path) -> str:
    """Return the content's SHA-256, in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def check_files(folder: Path, artefact: Artefact) -> None:
    """Compare every file with its sum.

    Raises ManifestError for the first that is missing or changed.
    """
    for pinned in artefact.pinned:
        path = folder / pinned.file
        if not path.is_file():
            raise ManifestError(f"{artefact.name}: {path} is missing")
        if (found := sha256_of(path)) != pinned.sha256:
            raise ManifestError(
                f"{artefact.name}: {path} was changed: its sha256 is {found}, listed is {pinned.sha256}"
            )


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads an object of the manifest.

    Each method reads one field, or raises ManifestError with the field's place.
    """

    entry: Mapping[str, Any]
    place: str

    def get(self, key: str, kind: type) -> Any:
        if key not in self.entry:
            raise ManifestError(f"{self.place}.{key} is missing")
        value = self.entry[key]
        if not isinstance(value, kind) or isinstance(value, bool):
            raise ManifestError(f"{self.place}.{key} must be {_NAME_OF_KIND[kind]}, not {_kind(value)}")
        return value

    def word(self, key: str) -> str:
        text: str = self.get(key, str)
        if not text.strip():
            raise ManifestError(f"{self.place}.{key} must not be empty")
        return text

    def choice(self, key: str, choices: tuple[str, ...]) -> str:
        if (value := self.word(key)) not in choices:
            raise ManifestError(f"{self.place}.{key} is {value!r}; use one of {', '.join(choices)}")
        return value

    def count(self, key: str) -> int:
        value: int = self.get(key, int)
        if value < 1:
            raise ManifestError(f"{self.place}.{key} must be at least 1, not {value}")
        return value

    def numbers(self, key: str) -> Mapping[str, float]:
        numbers: dict[str, Any] = self.get(key, dict)
        for name, value in numbers.items():
            if not isinstance(value, int | float) or isinstance(value, bool):
                raise ManifestError(f"{self.place}.{key}.{name} must be a number, not {_kind(value)}")
        return numbers

    def child(self, key: str) -> "_Reader":
        return _Reader(self.get(key, dict), f"{self.place}.{key}")

    def children(self, key: str) -> list["_Reader"]:
        listed = self.get(key, list)
        return [_reader(each, f"{self.place}.{key}[{number}]") for number, each in enumerate(listed)]


def _reader(value: Any, place: str) -> _Reader:
    if not isinstance(value, dict):
        raise ManifestError(f"{place} must be an object, not {_kind(value)}")
    return _Reader(value, place)


def _artefact(entry: _Reader) -> Artefact:
    known = set(Artefact.__dataclass_fields__)
    if unknown := sorted(set(entry.entry) - known):
        raise ManifestError(
            f"{entry.place}.{unknown[0]} is not a field of a model; there are {', '.join(sorted(known))}"
        )
    task = entry.choice("task", TASKS)
    return Artefact(
        name=entry.word("name"),
        task=task,
        variant=entry.word("variant"),
        model=_pinned(entry.child("model")),
        tokenizer=None if task == RANKING else _pinned(entry.child("tokenizer")),
        canonical=_pinned(entry.child("canonical")),
        opset=entry.count("opset"),
        inputs=_tensors(entry, "inputs"),
        outputs=_tensors(entry, "outputs"),
        dimension=entry.count("dimension"),
        pooling=entry.choice("pooling", POOLINGS),
        prefix=entry.get("prefix", str),
        max_tokens=entry.count("max_tokens"),
        licence=entry.word("licence"),
        source=entry.word("source"),
        built=entry.word("built"),
        parity=entry.numbers("parity"),
        speed=entry.numbers("speed"),
        details=entry.get("details", dict),
    )


def _pinned(entry: _Reader) -> Pinned:
    file, sha256 = entry.word("file"), entry.word("sha256")
    if PurePosixPath(file).name != file or "\\" in file or file == "..":
        raise ManifestError(f"{entry.place}.file is {file!r}; use the name of a file beside the manifest")
    if len(sha256) != SHA256_DIGITS or not set(sha256) <= set("0123456789abcdef"):
        raise ManifestError(
            f"{entry.place}.sha256 must be {SHA256_DIGITS} hexadecimal digits in lower case, not {sha256!r}"
        )
    return Pinned(file, sha256)


def _tensors(entry: _Reader, key: str) -> tuple[Tensor, ...]:
    tensors = tuple(_tensor(each) for each in entry.children(key))
    if not tensors:
        raise ManifestError(f"{entry.place}.{key} must not be empty")
    return tensors


def _tensor(entry: _Reader) -> Tensor:
    shape = entry.get("shape", list)
    for axis in shape:
        if not isinstance(axis, int | str) or isinstance(axis, bool):
            raise ManifestError(f"{entry.place}.shape must hold names and numbers, not {_kind(axis)}")
    return Tensor(entry.word("name"), entry.word("type"), tuple(shape))


def _kind(value: Any) -> str:
    return "null" if value is None else _NAME_OF_KIND.get(type(value), "true or false")


_NAME_OF_KIND: Mapping[type, str] = {
    dict: "an object",
    list: "a list",
    str: "a text",
    int: "an integer",
    float: "a number",
}
