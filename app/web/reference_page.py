"""Makes the page at /api out of the description of the HTTP interface; it has no scripts."""

from html import escape
from importlib.resources import files
from typing import Any

import orjson

Schema = dict[str, Any]

HEAD = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Headrace: HTTP interface</title>
<style>{style}</style>
</head>
<body>
<header><h1>Headrace: HTTP interface</h1><a href="/">console</a> <a href="/openapi.json">openapi.json</a></header>
<main>
<p>Errors are problem details (RFC 9457): <code>title</code> names the status and <code>detail</code> says what to do.
With HEADRACE_HTTP_TOKENS set, send a token, also for openapi.json:
<code>curl -H "Authorization: Bearer $TOKEN" …</code></p>
"""


def reference_page(description: Schema) -> str:
    """Return the page as HTML. `description` is OpenAPI 3.1."""
    style = files("app.web").joinpath("console", "style.css").read_text(encoding="utf-8")
    parts = [HEAD.format(style=style)]
    for path, operations in description["paths"].items():
        parts += [_section(method, path, operation) for method, operation in operations.items()]
    parts.append('<section><h2 id="schemas">Schemas</h2>')
    for name, schema in description["components"]["schemas"].items():
        parts.append(f"<h3 id={_quoted(name)}>{escape(name)}</h3><pre>{_pretty(schema)}</pre>")
    parts.append("</section></main></body></html>")
    return "\n".join(parts)


def _section(method: str, path: str, operation: Schema) -> str:
    rows = [
        _row(f"{each['name']} ({each['in']})", _type(each["schema"]), _text(each)) for each in operation["parameters"]
    ]
    if body := operation.get("requestBody"):
        rows.append(_row("body", *_content(body), ""))
    head = f"<h2 id={_quoted(f'{method} {path}')}><code>{method.upper()} {escape(path)}</code></h2>"
    answers = [
        _row(status, *_content(each), escape(each["description"])) for status, each in operation["responses"].items()
    ]
    return (
        f"<section>{head}<p>{escape(operation['summary'])}</p>"
        f"<table><thead><tr><th>parameter or answer</th><th>form</th><th>meaning</th></tr></thead>"
        f"<tbody>{''.join(rows + answers)}</tbody></table></section>"
    )


def _row(name: str, form: str, meaning: str) -> str:
    return f"<tr><td><code>{escape(name)}</code></td><td>{form}</td><td>{meaning}</td></tr>"


def _content(answer: Schema) -> tuple[str]:
    [(kind, content)] = answer["content"].items()
    return (f"{_type(content['schema'])} <small>{escape(kind)}</small>",)


def _type(schema: Schema) -> str:
    """Return what a value looks like, with links to schemas that have a name."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"<a href={_quoted('#' + name)}>{escape(name)}</a>"
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(map(_type, schema["anyOf"])))
    if schema.get("type") == "array":
        return f"{_type(schema['items'])}, also several times"
    if "enum" in schema:
        return ", ".join(f"<code>{escape(each)}</code>" for each in schema["enum"])
    limits = [f"{word} {schema[name]:g}" for name, word in (("minimum", "from"), ("maximum", "to")) if name in schema]
    return escape(" ".join([str(schema.get("type", "anything")), *limits]))


def _text(parameter: Schema) -> str:
    schema = parameter["schema"]
    said = [parameter.get("description") or schema.get("description", "")]
    said += ["needed"] if parameter["required"] else []
    said += [f"default {orjson.dumps(schema['default']).decode()}"] if "default" in schema else []
    return escape("; ".join(filter(None, said)))


def _pretty(schema: Schema) -> str:
    return escape(orjson.dumps(schema, option=orjson.OPT_INDENT_2).decode())


def _quoted(text: str) -> str:
    return f'"{escape(text)}"'
