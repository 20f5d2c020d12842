"""Writes the pages of docs/reference: ``python -m benefit_programs.cli.reference FOLDER``."""

from __future__ import annotations

import sys
from pathlib import Path

from benefit_programs.api.openapi import openapi_json
from benefit_programs.cli.apply.schema import schema_json
from benefit_programs.cli.events_page import events_page
from benefit_programs.cli.exits import MEANINGS
from benefit_programs.cli.metrics_page import metrics_page
from benefit_programs.cli.queries_page import queries_page
from benefit_programs.cli.reference_pages import (
    commands_page,
    errors_page,
    methods_page,
    types_page,
)
from benefit_programs.config import FILE_VARIABLE, references, secret_file_variable

_SECRET_FILES = "\n".join(
    f"- `{secret_file_variable(each.name)}`" for each in references() if each.secret
)

_HEAD = f"""\
# Settings

<!-- Generated from the code by `make docs`: change src/benefit_programs/config.py instead. -->

This page is for operators. Set a value with an option of the command, with a variable of the
environment, or in a file; an option overrides a variable, and a variable the file. The file is TOML
with the names below, and `{FILE_VARIABLE}` says where it is. A wrong value or an unknown name in
the file stops the start with one line that names the setting. A server or worker warns of other
variables that begin with `BENEFITS_`.

A secret may be in a file of its own, so that no environment shows it. These name such files:

{_SECRET_FILES}

White space around the secret doesn't count. An empty file is refused.

OpenTelemetry's own variables say where traces and metrics go: [observe](../how-to/observe.md).

| Setting | Environment | Default | What it does |
| --- | --- | --- | --- |
"""

_CODES_HEAD = """
## Exit codes

Every command ends with one of these codes:

| Code | Meaning |
| --- | --- |
"""


def settings_page() -> str:
    rows = (
        f"| `{each.name}` | `{each.variable}` | {each.default} | {each.about} |"
        for each in references()
    )
    codes = (f"| {code.value} | {about} |" for code, about in MEANINGS.items())
    return "\n".join([_HEAD + "\n".join(rows), _CODES_HEAD + "\n".join(codes), ""])


def generated_files() -> dict[str, bytes]:
    pages = {
        "settings.md": settings_page(),
        "methods.md": methods_page(),
        "types.md": types_page(),
        "queries.md": queries_page(),
        "errors.md": errors_page(),
        "events.md": events_page(),
        "metrics.md": metrics_page(),
        "cli.md": commands_page(),
    }
    return {name: page.encode() for name, page in pages.items()} | {
        "openapi.json": openapi_json(),
        "definitions.schema.json": schema_json(),
    }


def main() -> None:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in generated_files().items():
        (folder / name).write_bytes(content)


if __name__ == "__main__":
    main()
