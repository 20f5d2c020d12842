"""A namespace as the file that ``benefits apply`` reads: JSON, which is YAML too."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec

from benefit_programs.console.details import bare
from benefit_programs.console.queries import query
from benefit_programs.console.visit import Visit
from benefit_programs.domain.calendars import TERMS
from benefit_programs.domain.errors import FieldViolation, Invalid
from benefit_programs.transfer.matching import KEY_NAMESPACE
from benefit_programs.wire.codec.naming import to_camel

DEFINITIONS_MAX = 1_000
"""How many definitions of each kind a file may have that a page writes."""

ITEMS_MAX = 10_000
"""How many items such a file may have."""

_NAMES = ("displayName", "description")

Document = dict[str, Any]


async def definitions_file(visit: Visit, namespace: str) -> bytes:
    """All definitions and items of a namespace. Raises Invalid if they are too many."""
    programs, pools = await asyncio.gather(
        _all(visit, "queryProgramDefinitions", {"namespace": namespace}, DEFINITIONS_MAX),
        _all(visit, "queryPoolDefinitions", {"namespace": namespace}, DEFINITIONS_MAX),
    )
    items: dict[str, list[Document]] = {}
    for item in await _all(visit, "queryItems", {"namespace": namespace}, ITEMS_MAX):
        items.setdefault(item["itemSetId"], []).append(_item(item))
    document = {
        "namespace": namespace,
        "programDefinitions": [_program_definition(each) for each in programs],
        "poolDefinitions": [_pool_definition(each, items) for each in pools],
    }
    return msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"


async def _all(visit: Visit, method: str, filter_: Document, maximum: int) -> list[Document]:
    found: list[Document] = []
    cursor = None
    while True:
        answer = await query(visit, method, filter_, limit=100, cursor=cursor)
        (rows,) = (value for name, value in answer.items() if name != "metadata")
        found += rows
        cursor = answer["metadata"]["cursors"].get("next")
        if not cursor:
            return found
        if len(found) >= maximum:
            said = f"has more than {maximum} of a kind; use `benefits export`"
            raise Invalid((FieldViolation("namespace", said),))


def _program_definition(definition: Document) -> Document:
    names = (*_NAMES, *map(to_camel, TERMS))
    return {"externalId": definition["externalId"], **_some(definition, names), **_own(definition)}


def _pool_definition(definition: Document, items: dict[str, list[Document]]) -> Document:
    own = _own(definition)
    key = own.get("extendedFields", {}).pop(KEY_NAMESPACE, {}).get("key")
    if not own.get("extendedFields"):
        own = {}
    details = definition["details"]
    benefits = [
        {**bare(each), "items": items.get(each.get("itemSetId"), [])}
        for each in details.get("benefits", ())
    ]
    return {
        **({"key": key} if key else {"id": definition["id"]}),
        **_some(definition, _NAMES),
        **own,
        "programDefinitions": [
            each["externalId"] for each in definition.get("programDefinitions", ())
        ],
        **bare(details),
        "benefits": benefits,
    }


def _item(item: Document) -> Document:
    return {"externalId": item["externalId"], **_some(item, ("category", *_NAMES)), **_own(item)}


def _some(document: Document, names: tuple[str, ...]) -> Document:
    return {name: document[name] for name in names if document.get(name) is not None}


def _own(document: Document) -> Document:
    namespaces = (document.get("extendedFields") or {}).get("namespaces")
    return {"extendedFields": dict(namespaces)} if namespaces else {}
