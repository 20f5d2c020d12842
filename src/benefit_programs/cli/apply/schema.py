"""The JSON Schema of the file, for editors."""

from __future__ import annotations

import json
from typing import Any

from benefit_programs.cli.apply.file import BenefitsFile
from benefit_programs.wire.schemas import PLACE, Schemas

Schema = dict[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"
HERE = "#/$defs/"


def file_schema() -> Schema:
    """The schema of a file; what the service sets by itself is not in it."""
    schemas = Schemas([BenefitsFile], given={}, full={})
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
