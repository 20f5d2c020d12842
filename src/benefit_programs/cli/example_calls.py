"""One request of a method, as it is written for curl, in Python and in JavaScript."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

import msgspec

from benefit_programs.api.method import Method

Document = dict[str, Any]


class ExampleCall(NamedTuple):
    """A call, in a language that has a title for people and a name for highlighters."""

    title: str
    language: str
    code: str


def calls_of(method: Method, example: Document) -> Iterator[ExampleCall]:
    """A call in each language that the example has."""
    yield ExampleCall("curl", "sh", _curl(method, example["request"]))
    for title, name in (("Python", "python"), ("JavaScript", "javascript")):
        if name in example:
            yield ExampleCall(title, name, example[name])


def _curl(method: Method, request: Document) -> str:
    path = method.path
    for dotted in method.path_parameters:
        path = path.replace("{" + dotted + "}", quote(_value_at(request, dotted), safe=""))
    lines = [f'curl "$BENEFITS_URL{path}{_query(method, request)}"']
    if method.verb not in {"GET", "POST"}:
        lines[0] = lines[0].replace("curl", f"curl -X {method.verb}", 1)
    lines.append('-H "Authorization: $BENEFITS_API_KEY"')
    if method.request_in == "body":
        body = msgspec.json.format(msgspec.json.encode(request), indent=2).decode()
        lines.append('-H "Content-Type: application/json"')
        lines.append(f"-d '{body}'")
    return " \\\n  ".join(lines)


def _value_at(request: Document, dotted: str) -> str:
    value: Any = request
    for name in dotted.split("."):
        value = value[name]
    return str(value)


def _query(method: Method, request: Document) -> str:
    if method.request_in == "body":
        return ""
    pairs = [pair for pair in _pairs(request) if pair[0] not in method.path_parameters]
    return f"?{urlencode(pairs)}" if pairs else ""


def _pairs(document: Document, prefix: str = "") -> Iterator[tuple[str, str]]:
    for name, value in document.items():
        if isinstance(value, dict):
            yield from _pairs(value, f"{prefix}{name}.")
        else:
            values = value if isinstance(value, list) else [value]
            yield from ((prefix + name, str(each)) for each in values)
