"""Requests that are made around one field, and the violations that they are answered with."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote

import httpx

from benefit_programs.api.method import Method
from benefit_programs.api.methods import METHODS
from tests.support.calls import guid

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.calls import Caller

Document = dict[str, Any]

ABSENT = object()
_STEP = re.compile(r"\w+|\[0\]")


class Request(NamedTuple):
    """A request to a method: what its address holds, and the rest."""

    method: Method
    address: dict[str, str]
    document: Document


def request_with(name: str, path: str, value: Any, base: Document | None = None) -> Request:
    """A request of a method that has a value at a path, and else as little as can be.

    Everything that holds the field is there; so are the ids of the address, and the base.
    """
    method = METHODS[name]
    document: Document = {"cascade": "FUTURE_PROVISIONS", **(base or {})}
    address = dict.fromkeys(method.path_parameters, guid())
    if path in address:
        address[path] = value
    for parameter, held in address.items():
        if "." in parameter:
            _put(document, parameter, held)
    if path not in address:
        _put(document, path, value)
    return Request(method, address, document)


def _put(document: Any, path: str, value: Any) -> None:
    """Set a value, and make what holds it; an operator on policies has two of them."""
    steps = _STEP.findall(path)
    for step, following in zip(steps, [*steps[1:], None], strict=True):
        key = 0 if step == "[0]" else step
        if following is None:
            if value is ABSENT:
                document.pop(key, None)
            else:
                document[key] = value
        elif following == "[0]":
            document = document.setdefault(key, [{}, {}] if key == "expressions" else [{}])
        elif isinstance(document, list):
            document[0] = document[0] or {}
            document = document[0]
        else:
            document = document.setdefault(key, {})


async def violations_of(caller: Caller, request: Request) -> list[Document]:
    """What a request breaks: as a whole, or with an entry of a bulk request."""
    response = await _send(caller, request)
    assert response.status_code < httpx.codes.INTERNAL_SERVER_ERROR, (request, response.text)
    body = response.json()
    if response.status_code == httpx.codes.OK:
        return [each for entry in body.get("results", ()) for each in _violations_in(entry)]
    return list(body["details"].get("validationError", {}).get("fieldViolations", ()))


def _violations_in(entry: Document) -> list[Document]:
    error = entry.get("itemMetadata", {}).get("error", {})
    return list(error.get("data", {}).get("fieldViolations", ()))


async def _send(caller: Caller, request: Request) -> httpx.Response:
    method = request.method
    path = method.path
    for name, value in request.address.items():
        path = path.replace("{" + name + "}", quote(value, safe=""))
    if method.request_in == "query":
        parameters = list(as_parameters(request.document))
        return await caller.request(method.verb, path, params=parameters)
    return await caller.request(method.verb, path, json=request.document)


def as_parameters(document: Document, prefix: str = "") -> Iterator[tuple[str, str]]:
    """A document as parameters: dotted names, lists by repetition, objects in lists as JSON."""
    for name, value in document.items():
        if isinstance(value, dict) and value:
            yield from as_parameters(value, f"{prefix}{name}.")
            continue
        for each in value if isinstance(value, list) else [value]:
            yield prefix + name, each if isinstance(each, str) else json.dumps(each)
