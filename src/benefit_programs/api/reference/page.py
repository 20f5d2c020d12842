"""The reference as one page of HTML that needs nothing but itself."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from html import escape
from importlib.resources import files
from typing import Any

from benefit_programs.api.openapi import openapi_document
from benefit_programs.wire.schemas import PLACE

_CODE = re.compile(r"`([^`]+)`")
COLUMNS = ("Name", "Type", "Meaning", "Rules")


@cache
def reference_page() -> bytes:
    document = openapi_document()
    operations = [
        (verb.upper(), path, operation)
        for path, verbs in document["paths"].items()
        for verb, operation in verbs.items()
    ]
    schemas: dict[str, Any] = document["components"]["schemas"]
    info = document["info"]
    main = [
        f"<h1>{escape(info['title'])} {escape(info['version'])}</h1>",
        *(f"<p>{_prose(part)}</p>" for part in info["description"].strip().split("\n\n")),
        '<p>The same for machines: <a href="openapi.json">openapi.json</a>.</p>',
        "<h2>Methods</h2>",
        *(_method(*each) for each in operations),
        "<h2>Types</h2>",
        *(_type(name, schema) for name, schema in schemas.items()),
    ]
    page = _PAGE.format(
        title=escape(info["title"]),
        style=_resource("page.css"),
        script=_resource("page.js"),
        contents="".join(_contents(document["tags"], operations)),
        main="".join(main),
    )
    return page.encode()


_PAGE = """\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>{style}</style>
<nav><input type="search" placeholder="Find a method or type" aria-label="Find">{contents}</nav>
<main>{main}</main>
<script>{script}</script>
</html>
"""


def _resource(name: str) -> str:
    return files(__package__).joinpath(name).read_text("utf-8")


def _prose(text: str) -> str:
    return _CODE.sub(r"<code>\1</code>", escape(text))


def _contents(
    tags: list[dict[str, str]], operations: list[tuple[str, str, dict[str, Any]]]
) -> Iterator[str]:
    for tag in tags:
        yield f"<h2>{escape(tag['name'])}</h2><ul>"
        for _, path, operation in operations:
            if tag["name"] in operation["tags"]:
                name = operation["operationId"]
                words = f"{name} {path}".lower()
                yield f'<li data-words="{escape(words)}"><a href="#{name}">{name}</a></li>'
        yield "</ul>"


def _section(name: str, words: str, parts: Iterable[str]) -> str:
    opening = f'<section id="{escape(name)}" data-words="{escape(words.lower())}">'
    return opening + "".join(parts) + "</section>"


def _method(verb: str, path: str, operation: dict[str, Any]) -> str:
    name = operation["operationId"]
    parts = [
        f"<h3>{escape(name)}</h3><p><code><span class=verb>{verb}</span> {escape(path)}</code></p>",
        f"<p>{_prose(operation['summary'])}</p>",
        *(
            f"<p>{_prose(note)}</p>"
            for note in operation.get("description", "").split("\n\n")
            if note
        ),
        f'<p class="note">Needs <code>{escape(operation["x-scope"])}</code>.</p>',
        _table(COLUMNS, _parameter_rows(operation["parameters"])),
    ]
    if "requestBody" in operation:
        body = operation["requestBody"]["content"]["application/json"]["schema"]
        parts.append(f"<p>Request: {_type_of(body)}</p>")
    answer = operation["responses"]["200"]["content"]["application/json"]["schema"]
    parts.append(f"<p>Answer: {_type_of(answer)}</p>")
    parts.append(_table(("Status", "Errors of the method"), _error_rows(operation["responses"])))
    return _section(name, f"{name} {path}", parts)


def _parameter_rows(parameters: list[dict[str, Any]]) -> Iterator[tuple[str, ...]]:
    for each in parameters:
        if "$ref" not in each:
            facts = facts_of(each["schema"], required=each.get("required", False))
            holds = "; ".join([f"in the {each['in']}", *facts])
            yield _name(each["name"]), _type_of(each["schema"]), _said_of(each), holds


def _error_rows(responses: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    for status, response in responses.items():
        if status != "200" and "$ref" not in response:
            lines = response["description"].split("\n")
            errors = "<br>".join(_prose(line.removeprefix("- ")) for line in lines)
            data = ", ".join(map(_type_of, response.get("x-data", {}).values()))
            yield status, errors + (f"<br>Data: {data}" if data else "")


def _type(name: str, schema: dict[str, Any]) -> str:
    parts = [f"<h3>{escape(name)}</h3>", f"<p>{_prose(schema.get('description', ''))}</p>"]
    if "enum" in schema:
        parts.append("<p>" + ", ".join(map(_name, schema["enum"])) + "</p>")
    if chosen := chosen_of(schema, _name):
        parts.append(f"<p>{chosen}</p>")
    required = schema.get("required", ())
    rows = (
        (
            _name(field),
            _type_of(inner),
            _said_of(inner),
            "; ".join(facts_of(inner, required=field in required)),
        )
        for field, inner in schema.get("properties", {}).items()
    )
    return _section(name, name, [*parts, _table(COLUMNS, rows)])


def chosen_of(schema: dict[str, Any], name_of: Callable[[str], str]) -> str:
    """Which fields exclude each other, if any do."""
    choices = schema.get("oneOf", ())
    names = [name_of(name) for each in choices for name in each.get("required", ())]
    many = "Exactly one" if all("required" in each for each in choices) else "At most one"
    return f"{many} of {', '.join(names)}." if names else ""


def _name(name: str) -> str:
    return f"<code>{escape(name)}</code>"


def type_of(schema: dict[str, Any], link: Callable[[str], str]) -> str:
    """What a value is, with a link for a type that has a name."""
    if "$ref" in schema:
        return link(schema["$ref"].removeprefix(PLACE))
    if schema.get("type") == "array":
        return f"list of {type_of(schema['items'], link)}"
    if "contentSchema" in schema:
        return f"{type_of(schema['contentSchema'], link)} as JSON"
    return str(schema.get("format") or schema.get("type") or "any of several forms")


def _type_of(schema: dict[str, Any]) -> str:
    return type_of(schema, lambda name: f'<a href="#{escape(name)}">{escape(name)}</a>')


_FACTS = {
    "minLength": ("at least {} character", "at least {} characters"),
    "maxLength": ("at most {} character", "at most {} characters"),
    "minimum": ("at least {}", "at least {}"),
    "maximum": ("at most {}", "at most {}"),
    "minItems": ("at least {} entry", "at least {} entries"),
    "maxItems": ("at most {} entry", "at most {} entries"),
}
"""Limits of a schema in words: of one, and of any other number."""
_MARKS = {
    "readOnly": "set by the service",
    "x-immutable": "never changes",
    "x-undocumented": "not in the published reference",
    "x-addition": "an addition to the contract",
    "x-judged-one-by-one": "each entry succeeds or fails alone",
}


def facts_of(schema: dict[str, Any], *, required: bool) -> list[str]:
    """What holds of a field beside its description, in words."""
    found = ["required"] if required else []
    found += [f"with {name}" for name in schema.get("required", ()) if "$ref" in schema]
    found += [
        (one if schema[key] == 1 else many).format(schema[key])
        for key, (one, many) in _FACTS.items()
        if key in schema
    ]
    found += [text for key, text in _MARKS.items() if schema.get(key)]
    found += [f"also called {name}" for name in schema.get("x-aliases", ())]
    return found


def _said_of(described: dict[str, Any]) -> str:
    return _prose(described.get("description", ""))


def _table(columns: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    head = "".join(f"<th>{column}</th>" for column in columns)
    return f"<table><tr>{head}</tr>{body}</table>" if body else ""
