"""Record an example of each method for the reference: ``python -m tools.record_examples``.

A service in this process answers the requests with which the tests call all methods, each in a new
tenant with the same small world. Ids, keys and dates are replaced by fixed ones, so that the same
code records the same examples.
"""

# ruff: noqa: INP001 - a script, not a package

from __future__ import annotations

import asyncio
import json
import logging
import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import NAMESPACE_OID, uuid5

import structlog

from benefit_programs.api.methods import METHODS
from tests.conformance.world import REQUESTS, UNLIKE, World, prepare, settle
from tests.support.inprocess import new_tenant, open_application

if TYPE_CHECKING:
    from tests.support.inprocess import Service

FILE = Path(__file__).resolve().parent.parent / "docs" / "reference" / "examples.json"
NOW = 1_796_115_600_000
"""The instant of all examples, in milliseconds: 2026-12-01T09:00:00Z."""

Document = dict[str, Any]

NAMES = {
    "program_definition_external": "gold",
    "program_external": "order-1843",
    "item_external": "towel",
}
"""Names of the world that aren't ids of the service."""

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


SANDBOXES = {"getClock", "setClock"}
"""What only a tenant with a clock of its own is answered."""


async def record() -> dict[str, Document]:
    """Of each method by its name: ``request``, and the ``status`` and the ``answer`` to it."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/examples.sqlite3"
        async with open_application(url, clock=lambda: NOW) as (running, client):
            return {
                name: await _example(
                    await new_tenant(running, client, is_sandbox=name in SANDBOXES), name
                )
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
