"""The pages of the reference, made from the code: settings, help of the commands, HTTP, client."""

import argparse
import asyncio
import inspect
import os
from collections.abc import Iterator
from html import escape
from itertools import groupby
from typing import Any

import orjson
from aiohttp import web
from aiohttp.test_utils import make_mocked_request
from prometheus_client import CollectorRegistry

from app.main import COMMANDS, _parser
from app.settings import load, variables
from app.web.server import ServeConcerns, Surroundings, build_application
from headrace import AsyncHeadrace, CatalogueEntry, Headrace, ListedItem

COLUMNS = "100"


def pages() -> dict[str, str]:
    """Return the text of each page of the reference, by its place on the site."""
    return {
        "reference/settings.md": settings_page(),
        "reference/help.md": help_page(),
        "reference/http.md": http_page(),
        "reference/python.md": client_page(),
    }


def settings_page() -> str:
    """Return a table of the settings for each concern."""
    parts = [
        "# Settings\n\nEnvironment variables. `.env.example` has the same list. A wrong value, or a name that\n"
        "does not exist, ends a command with a line that names it.\n"
    ]
    for concern, settings in groupby(variables(), key=lambda each: each.name.split("_")[1].lower()):
        rows = [f"| `{each.name}` | {_code(each.default)} | {_cell(each.help)} |\n" for each in settings]
        parts.append(f"## {concern}\n\n| setting | default | meaning |\n|---|---|---|\n" + "".join(rows))
    return "\n".join(parts)


def help_page() -> str:
    """Return what `--help` of every command and of its verbs prints."""
    os.environ["COLUMNS"] = COLUMNS
    parts = ["# Help of all commands\n\n[Commands](../commands.md) explains them with examples.\n"]
    for name in COMMANDS:
        for words, parser in _with_verbs(name, _verbs(_parser([name]))[name]):
            level = "##" if " " not in words else "###"
            parts.append(f"{level} headrace {words}\n\n```text\n{parser.format_help().rstrip()}\n```\n")
    return "\n".join(parts)


def http_page() -> str:
    """Return the paths of `headrace serve`, and the fields of their answers."""
    whole = asyncio.run(_description())
    parts = [
        "# HTTP\n\n`GET /openapi.json` of `headrace serve` answers this as OpenAPI 3.1. [Reading\n"
        "lists](../reading-lists.md#http) explains the paths.\n"
    ]
    for path, methods in whole["paths"].items():
        for method, operation in methods.items():
            parts.append(f"## {method.upper()} {path}\n\n{operation['summary']}.\n")
            parts.extend(_operation(operation))
    parts.append("## Schemas\n")
    for name, schema in whole["components"]["schemas"].items():
        body = _fields(schema) if "properties" in schema else "An object; its fields may change between versions.\n"
        parts.append(f"### {name} {{#schema-{name.lower()}}}\n\n{body}")
    return "\n".join(parts)


def client_page() -> str:
    """Return the public classes of the Python client, with their docstrings."""
    parts = ["# Python client\n\n[The client's page](client.md) has examples.\n"]
    for cls in (Headrace, AsyncHeadrace, ListedItem, CatalogueEntry):
        parts.append(f"## {cls.__name__}\n\n```python\n{_signature(cls.__name__, cls)}\n```\n")
        parts.append(f"{inspect.getdoc(cls) or ''}\n")
        for name, method in inspect.getmembers(cls, inspect.isfunction):
            if not name.startswith("_"):
                prefix = "async def " if inspect.iscoroutinefunction(method) else "def "
                parts.append(f"### {cls.__name__}.{name}\n\n```python\n{prefix}{_signature(name, method)}\n```\n")
                parts.append(f"{inspect.getdoc(method) or ''}\n")
    return "\n".join(parts)


async def _description() -> dict[str, Any]:
    """Return what `headrace serve` answers to GET /openapi.json. No connection is opened for it."""
    settings = load({})
    concerns = ServeConcerns(settings.serve, settings.redis, settings.kafka)
    application = build_application(concerns, Surroundings(CollectorRegistry()))
    [handler] = [
        route.handler
        for route in application.router.routes()
        if route.method == "GET" and route.resource is not None and route.resource.canonical == "/openapi.json"
    ]
    answer = await handler(make_mocked_request("GET", "/openapi.json"))
    assert isinstance(answer, web.Response)
    assert isinstance(answer.body, bytes)
    found: dict[str, Any] = orjson.loads(answer.body)
    return found


def _with_verbs(words: str, parser: argparse.ArgumentParser) -> Iterator[tuple[str, argparse.ArgumentParser]]:
    yield words, parser
    for name, verb in _verbs(parser).items():
        yield from _with_verbs(f"{words} {name}", verb)


def _verbs(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    found: dict[str, argparse.ArgumentParser] = {}
    for action in parser._actions:  # argparse offers no other way
        if isinstance(action, argparse._SubParsersAction):
            found.update(action.choices)
    return found


def _operation(operation: dict[str, Any]) -> Iterator[str]:
    if given := operation.get("parameters"):
        rows = [
            f"| `{each['name']}` | {each['in']} | {_type(each['schema'])} "
            f"| {_cell(each.get('description') or each['schema'].get('description'))} |\n"
            for each in given
        ]
        yield "| parameter | in | type | meaning |\n|---|---|---|---|\n" + "".join(rows)
    rows = [
        f"| {status} | {_cell(answer.get('description'))} | {_content(answer)} |\n"
        for status, answer in operation["responses"].items()
        if "$ref" not in answer
    ]
    yield "| status | meaning | body |\n|---|---|---|\n" + "".join(rows)


def _content(answer: dict[str, Any]) -> str:
    kinds = answer.get("content", {})
    return ", ".join(f"`{kind}` {_type(body.get('schema', {}))}".strip() for kind, body in kinds.items())


def _fields(schema: dict[str, Any]) -> str:
    needed = set(schema.get("required", ()))
    rows = [
        f"| `{name}` | {_type(each)} | {'always' if name in needed else 'where known'} "
        f"| {_cell(each.get('description'))} |\n"
        for name, each in schema["properties"].items()
    ]
    return "| field | type | there | meaning |\n|---|---|---|---|\n" + "".join(rows)


def _type(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[{name}](#schema-{name.lower()})"
    if schema.get("type") == "array":
        return f"list of {_type(schema['items'])}"
    kind = schema.get("type", "")
    return " or ".join(kind) if isinstance(kind, list) else str(kind)


def _signature(name: str, what: Any) -> str:
    return f"{name}{inspect.signature(what)}".replace("'", "")


def _code(text: str) -> str:
    return f"`{text}`" if text else "empty"


def _cell(text: str | None) -> str:
    return escape(text or "", quote=False).replace("|", "\\|").replace("\n", " ")
