"""Record an example of each method for the reference: ``python -m tools.record_examples``.

A service in this process answers the requests with which the tests call all methods, each in a new
tenant with the same small world. Ids, keys and dates are replaced by fixed ones, so that the same
code records the same examples.
"""

# ruff: noqa: INP001 - a script, not a package

from __future__ import annotations

import ast
import asyncio
import json
import logging
import re
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import NAMESPACE_OID, uuid5

import structlog

from benefit_programs.api.methods import METHODS
from benefit_programs.client.core.wire import camel
from tests.conformance.world import REQUESTS, UNLIKE, World, prepare, settle
from tests.support.inprocess import new_tenant, open_application

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.support.inprocess import Service

ROOT = Path(__file__).resolve().parent.parent
FILE = ROOT / "docs" / "reference" / "examples.json"
CALLS_IN_PYTHON = ROOT / "tests" / "conformance" / "calls_in_python.py"
CALLS_IN_JAVASCRIPT = ROOT / "tests" / "e2e" / "js" / "calls.mjs"
NOW = 1_796_115_600_000
"""The instant of all examples, in milliseconds: 2026-12-01T09:00:00Z."""

Document = dict[str, Any]

NAMES = {
    "program_definition_external": "gold",
    "program_external": "order-1843",
    "item_external": "towel",
}
"""Names of the world that aren't ids of the service."""

COLUMNS_MAX = 64
"""How wide calls in Python are, where they stand beside the text of a method."""

NEXT_CALL = "\n# ...\n"

TRANSACTIONS = {"redemption", "change"}
"""Ids of the world that are called transaction ids in calls."""

SHOWN: dict[str, Any] = {
    "cursor": "...",
    "duration": 2,
    "next": "...",
    "prev": "...",
    "publicKey": "-----BEGIN PUBLIC KEY-----\n...\n-----END PUBLIC KEY-----\n",
    "rank": "...",
    "requestId": "9f7c41c2a1b0d3e5-1",
    "signInPath": "/console/sign-in?token=...",
    "secret": "...",
}
"""What is shown in place of what differs each time, by the names of fields."""

ENTRIES_MAX = 2
"""How many entries of a list are shown."""

_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_OF_WORLD = re.compile(r"\bit\.(\w+)")
_CALL_IN_JAVASCRIPT = re.compile(
    r"^  (\w+): \(client(?:, it)?\) =>\s+(.*?),$(?=\n  \w|\n})", re.MULTILINE | re.DOTALL
)
_LOWER_BEFORE_UPPER = re.compile(r"(?<=[a-z])(?=[A-Z])")


SANDBOXES = {"getClock", "setClock"}
"""What only a tenant with a clock of its own is answered."""


async def record() -> dict[str, Document]:
    """Of each method by its name: ``request``, and the ``status`` and the ``answer`` to it.

    ``python`` and ``javascript`` are the calls that make the request; not all have the latter.
    """
    calls = {"python": python_calls(), "javascript": javascript_calls()}
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/examples.sqlite3"
        async with open_application(url, clock=lambda: NOW) as (running, client):
            return {
                name: await _example(
                    await new_tenant(running, client, is_sandbox=name in SANDBOXES), name
                )
                | {language: known[name] for language, known in calls.items() if name in known}
                for name in METHODS
            }


async def _example(service: Service, name: str) -> Document:
    world = (await settle(service))._replace(site=service.tenant.site_id)
    await prepare(service, world, name)
    await service.running.runner.settle()
    request = REQUESTS[name](world) | UNLIKE.get(name, {})
    response = await service.send(name, request)
    example = {
        "request": request,
        "status": response.status_code,
        "answer": _short(response.json()),
    }
    return _fixed(example, name, world)


def python_calls() -> dict[str, str]:
    """The call of each method in Python, by the name of the method."""
    source = CALLS_IN_PYTHON.read_text("utf-8")
    assigned = (each.value for each in ast.parse(source).body if isinstance(each, ast.AnnAssign))
    (table,) = (value for value in assigned if isinstance(value, ast.Dict))
    found = {}
    for key, value in zip(table.keys, table.values, strict=True):
        assert isinstance(key, ast.Constant)
        assert isinstance(value, ast.Lambda)
        written = ast.get_source_segment(source, value.body) or ""
        found[str(key.value)] = _named(written, camels=False)
    return dict(zip(found, _formatted(found.values()), strict=True))


def _formatted(calls: Iterable[str]) -> list[str]:
    """Calls in Python as the formatter writes them where there is room for fewer columns."""
    command = [sys.executable, "-m", "ruff", "format", "--isolated"]
    done = subprocess.run(  # noqa: S603 - our own arguments
        [*command, "--line-length", str(COLUMNS_MAX), "-"],
        input=NEXT_CALL.join(calls),
        capture_output=True,
        text=True,
        check=True,
    )
    return [call.strip() for call in done.stdout.split(NEXT_CALL)]


def javascript_calls() -> dict[str, str]:
    """The call of each method that the official SDK has, as it is written."""
    source = CALLS_IN_JAVASCRIPT.read_text("utf-8")
    return {
        name: _named(f"await {textwrap.dedent('    ' + call)};", camels=True)
        for name, call in _CALL_IN_JAVASCRIPT.findall(source)
    }


def _named(call: str, *, camels: bool) -> str:
    """A call with names of ids, as the language writes them, in place of those of the world."""

    def named(match: re.Match[str]) -> str:
        field = _LOWER_BEFORE_UPPER.sub("_", match[1]).lower()
        if field in NAMES:
            return json.dumps(NAMES[field])
        name = f"{'transaction' if field in TRANSACTIONS else field}_id"
        return camel(name) if camels else name

    return _OF_WORLD.sub(named, call)


def _fixed(example: Document, method: str, world: World) -> Document:
    """The example with the same ids each time, those of the world alike in all examples."""
    known = {
        value: NAMES.get(name) or str(uuid5(NAMESPACE_OID, name))
        for name, value in zip(world._fields, world, strict=True)
    }

    def fixed(match: re.Match[str]) -> str:
        return known.setdefault(match[0], str(uuid5(NAMESPACE_OID, f"{method} {len(known)}")))

    found: Document = json.loads(_ID.sub(fixed, json.dumps(example)), object_hook=_shown)
    return found


def _short(answer: Any) -> Any:
    """An answer with the first of many entries alone."""
    if isinstance(answer, dict):
        return {name: _short(value) for name, value in answer.items()}
    if isinstance(answer, list):
        return [_short(each) for each in answer[:ENTRIES_MAX]]
    return answer


def _shown(document: Document) -> Document:
    told = {
        name: SHOWN[name]
        for name, value in document.items()
        if name in SHOWN and value not in (None, "")
    }
    return document | told


def main() -> None:
    """Write the file of examples."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    FILE.write_text(json.dumps(asyncio.run(record()), indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    main()
