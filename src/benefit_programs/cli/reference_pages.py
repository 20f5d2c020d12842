"""The pages of docs/reference about types, errors and commands."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import typer.main

from benefit_programs.api.errors import STATUS_BY_ERROR
from benefit_programs.api.methods import METHODS
from benefit_programs.api.openapi import openapi_document
from benefit_programs.api.reference.page import COLUMNS, chosen_of, facts_of, type_of
from benefit_programs.api.reference.refusals import answered
from benefit_programs.cli.application import application, load_command
from benefit_programs.cli.markdown import GENERATED, joined, table
from benefit_programs.cli.method_pages import link_to, said_of

Document = dict[str, Any]


def types_page() -> str:
    schemas: Document = openapi_document()["components"]["schemas"]
    parts = ["# Types", GENERATED]
    for name, schema in schemas.items():
        parts += [f"## {name}", schema.get("description", "")]
        if "enum" in schema:
            parts.append(", ".join(f"`{each}`" for each in schema["enum"]))
        parts += [chosen_of(schema, lambda name: f"`{name}`"), table(COLUMNS, _field_rows(schema))]
    return joined(parts)


def _field_rows(schema: Document) -> Iterator[tuple[str, ...]]:
    required = schema.get("required", ())
    for name, inner in schema.get("properties", {}).items():
        facts = facts_of(inner, required=name in required)
        yield f"`{name}`", _type_of(inner), inner.get("description", ""), "; ".join(facts)


def _type_of(schema: Document) -> str:
    return type_of(schema, lambda name: f"[{name}](types.md#{name.lower()})")


def errors_page() -> str:
    rows = []
    for refusal in answered():
        methods = [link_to(each) for each in METHODS.values() if refusal in each.refuses]
        rows.append(
            (
                str(STATUS_BY_ERROR[refusal]),
                f"`{refusal.code}`",
                *said_of(refusal),
                ", ".join(methods),
            )
        )
    shape = "`{message, details}`, where `details` holds `applicationError` or `validationError`"
    columns = ("Status", "Code", "What happened", "Data", "Methods")
    return joined(
        [
            "# Errors",
            GENERATED,
            f"Every error has the form {shape} (see [Error](types.md#error)).",
            "Any method may answer a code without methods.",
            table(columns, rows),
        ]
    )


def commands_page() -> str:
    group: Any = typer.main.get_command(application)
    parts = [
        "# Commands",
        GENERATED,
        group.help,
        "Exit codes: see [Settings](settings.md#exit-codes).",
    ]
    group.commands = {name: load_command(name) for name in group.commands}
    for words, command in _commands("benefits", group):
        parts += [
            f"## {words}",
            command.help or "",
            table(("Option", "Meaning"), _options(command)),
        ]
    return joined(parts)


def _commands(words: str, group: Any) -> Iterator[tuple[str, Any]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from _commands(f"{words} {name}", command)
        else:
            yield f"{words} {name}", command


def _options(command: Any) -> Iterator[tuple[str, ...]]:
    for each in command.params:
        is_argument = each.param_type_name == "argument"
        name = (each.metavar or each.name.upper()) if is_argument else ", ".join(each.opts)
        value = f" {each.metavar}" if each.metavar and not is_argument else ""
        needed = " Required." if each.required else ""
        yield f"`{name}{value}`", f"{each.help or ''}{needed}"
