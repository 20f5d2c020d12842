"""The JSON Schema of the file, for editors."""

from __future__ import annotations

import json
from typing import Any

from benefit_programs.cli.apply.file import (
    BenefitsFile,
    FileBenefit,
    FilePoolDefinition,
    FileProgramDefinition,
    FileWebhook,
)
from benefit_programs.wire.descriptions import description_of
from benefit_programs.wire.descriptions.calendar_fields import OF_DEFINITION
from benefit_programs.wire.schemas import PLACE, Schemas

Schema = dict[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"
HERE = "#/$defs/"

DESCRIPTIONS: dict[type[Any], dict[str, str]] = {
    BenefitsFile: {
        "cascade": "The cascade of what has none of its own. Default: FUTURE_PROVISIONS.",
        "namespace": "The namespace that the file is for.",
        "pool_definitions": "The pool definitions of the namespace.",
        "program_definitions": "The program definitions of the namespace.",
        "webhooks": "The endpoints that are told of its events. Absent: they stay as they are.",
    },
    FileWebhook: {
        "active": "Whether it is told of events. Default: true, and a paused one goes on.",
        "description": "What it is for, for people.",
        "event_types": "Only events of these types. Absent or empty: all.",
        "format": "What it gets: JSON signed by Standard Webhooks, or a signed JWT.",
        "namespaces": "Only events of these namespaces. Absent: of the file's. Empty: of all.",
        "url": "Where events are sent, and its name in the file.",
    },
    FileProgramDefinition: {
        **OF_DEFINITION,
        "external_id": "Its name in the file, unique within the namespace.",
    },
    FilePoolDefinition: {
        "additional_data": "Values of your own, which pools get.",
        "alerts": "What to tell of by events: a low balance, or something that will happen soon.",
        "benefits": "What the credits can be spent on.",
        "id": "Its id, for a pool definition that has no key yet.",
        "key": "Its name in the file.",
        "policy_expression": "When its benefits may be redeemed. Absent: always.",
        "program_definitions": "The external ids of the program definitions that it belongs to.",
    },
    FileBenefit: {"items": "What can be bought with it. Absent: items stay as they are."},
}
"""What the fields say that are not the contract's, or mean something else in a file."""


def _description_of(type_: type[Any], attribute: str) -> str | None:
    return DESCRIPTIONS.get(type_, {}).get(attribute) or description_of(type_, attribute)


def file_schema() -> Schema:
    """The schema of a file, without the fields that the service sets."""
    schemas = Schemas([BenefitsFile], given={}, full={}, describe=_description_of)
    found = {
        "$schema": DIALECT,
        "title": "Definitions and items of a namespace of benefit-programs",
        **schemas.reference(BenefitsFile),
        "$defs": {name: _strict(schema) for name, schema in schemas.all().items()},
    }
    moved: Schema = json.loads(json.dumps(found).replace(PLACE, HERE))
    return moved


def schema_json() -> bytes:
    return (json.dumps(file_schema(), indent=2) + "\n").encode()


def _strict(schema: Schema) -> Schema:
    """Without what only the service sets, and with no other names than these."""
    if "properties" not in schema:
        return schema
    properties = {
        name: _writable(each)
        for name, each in schema["properties"].items()
        if not each.get("readOnly")
    }
    return {**schema, "properties": properties, "additionalProperties": False}


def _writable(schema: Schema) -> Schema:
    """Amounts may be written as numbers too: the file is read as it is written."""
    if schema.get("format") != "decimal":
        return {name: each for name, each in schema.items() if not name.startswith("x-")}
    return {"type": ["string", "number"], "description": schema["description"]}
