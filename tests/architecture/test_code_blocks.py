"""Every code block of the documents can be read by the tool that it is for: Python compiles, shells
parse, commands take their arguments, JSON and YAML load. Other tests run those that can run.
"""

import contextlib
import io
import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest
import yaml

from app.main import _parser

ROOT = Path(__file__).resolve().parents[2]
TOP = ("README.md", "CONTRIBUTING.md", "onnx/README.md", "clients/python/README.md", "helm/headrace/README.md")
DOCUMENTS = [*(ROOT / name for name in TOP), *sorted(ROOT.glob("docs/**/*.md"))]
BLOCK = re.compile(r"^( *)```([a-z]+)\n(.*?)^ *```", re.DOTALL | re.MULTILINE)
# Run by `make test-examples` (tests/examples).
OTHER_LANGUAGES = {"go", "java", "js"}
COMMAND = re.compile(r"^(?:\S+=\S+ )*(?:\.venv/bin/)?headrace (?P<words>.*)$")
# What stands for a value of the reader's own.
PLACEHOLDER = re.compile(r"<[a-z_ ]+>|…")


def blocks(*languages: str) -> list[tuple[str, str]]:
    """Place and text of each block in one of these languages; all if none is named."""
    found = []
    for path in DOCUMENTS:
        text = path.read_text(encoding="utf-8")
        for match in BLOCK.finditer(text):
            line = text[: match.start()].count("\n") + 1
            if not languages or match[2] in languages:
                found.append((f"{path.relative_to(ROOT)}:{line}", match[3]))
    return found


def commands(script: str) -> Iterator[list[str]]:
    """The arguments of each `headrace` in a script, without what a shell does around them."""
    for line in script.replace("\\\n", " ").splitlines():
        bare = re.split(r" (?:\||&&|;|>|<|&$) ?|&$", line.strip().removeprefix("$ "))[0]
        if match := COMMAND.match(bare):
            yield shlex.split(PLACEHOLDER.sub("X", match["words"]), comments=True)


def refusal(arguments: list[str]) -> str:
    """What the command says against its arguments; empty if it takes them."""
    said = io.StringIO()
    with contextlib.redirect_stderr(said), contextlib.redirect_stdout(io.StringIO()):
        try:
            _parser(arguments).parse_args(arguments)
        except SystemExit as ended:
            return said.getvalue() if ended.code else ""
    return ""


def test_every_block_names_a_language_that_is_checked() -> None:
    languages = {match[2] for path in DOCUMENTS for match in BLOCK.finditer(path.read_text(encoding="utf-8"))}
    assert languages == {"python", "sh", "json", "yaml"} | OTHER_LANGUAGES


@pytest.mark.parametrize(("place", "program"), blocks("python"))
def test_python_compiles(place: str, program: str) -> None:
    # The client's page shows lines of a coroutine alone.
    flags = 0x2000  # ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    compile(program, place, "exec", flags=flags)


@pytest.mark.parametrize(("place", "script"), blocks("sh"))
def test_a_shell_can_read_its_scripts(place: str, script: str) -> None:
    read = subprocess.run(
        ["bash", "-n"], input=PLACEHOLDER.sub("X", script), capture_output=True, text=True, check=False
    )
    assert read.returncode == 0, f"{place}: {read.stderr}"


@pytest.mark.parametrize(("place", "script"), blocks("sh"))
def test_commands_take_the_arguments_that_are_shown(place: str, script: str) -> None:
    assert {" ".join(each): said for each in commands(script) if (said := refusal(each))} == {}, place


def test_there_are_commands_to_check() -> None:
    assert sum(len(list(commands(script))) for _, script in blocks("sh")) > 40


@pytest.mark.parametrize(("place", "text"), blocks("json"))
def test_json_loads(place: str, text: str) -> None:
    assert orjson.loads(text), place


@pytest.mark.parametrize(("place", "text"), blocks("yaml"))
def test_yaml_loads(place: str, text: str) -> None:
    assert yaml.safe_load(text), place


@pytest.mark.parametrize(
    ("script", "wrong"),
    [("headrace check --no-such-option f", True), ("headrace nonsense", True), ("A=b headrace check f | less", False)],
)
def test_a_wrong_command_is_found(script: str, wrong: bool) -> None:
    (arguments,) = commands(script)
    assert bool(refusal(arguments)) == wrong
