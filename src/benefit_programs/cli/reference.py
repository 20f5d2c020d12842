"""Writes the pages of docs/reference: ``python -m benefit_programs.cli.reference FOLDER``."""

from __future__ import annotations

import sys
from pathlib import Path

from benefit_programs.api.openapi import openapi_json
from benefit_programs.cli.apply.schema import schema_json
from benefit_programs.cli.events_page import events_page
from benefit_programs.cli.exits import ExitCode
from benefit_programs.cli.reference_pages import (
    commands_page,
    errors_page,
    methods_page,
    types_page,
)
from benefit_programs.config import FILE_VARIABLE, references

_HEAD = f"""\
# Settings

<!-- Generated from the code by `make docs`: change src/benefit_programs/config.py instead. -->

A setting comes from its default, else from a file, else from the environment, else from an option
of the command; the last one that says something counts. The file is TOML with the names below, and
`{FILE_VARIABLE}` says where it is. A value that can't be used stops the start with one line that
names the setting, and so does an unknown name in the file. Other variables that begin with
`BENEFITS_` are named in a warning as a server or worker starts.

| Setting | Environment | Default | What it does |
| --- | --- | --- | --- |
"""

_CODES_HEAD = """
## Exit codes

What every command ends with:

| Code | Meaning |
| --- | --- |
"""

_CODES = {
    ExitCode.DONE: "Done.",
    ExitCode.FAILED: "Something went wrong that no other code stands for.",
    ExitCode.WRONG_USAGE: "An argument, an option or a setting can't be used as it is.",
    ExitCode.DATABASE: "The database can't be used: unreachable, busy, served by another process, "
    "or with another schema.",
    ExitCode.ADDRESS: "The address can't be listened on, for example because the port is in use.",
    ExitCode.NOT_FOUND: "What was named doesn't exist.",
    ExitCode.BROKEN: "The database breaks an invariant; see `benefits verify`.",
    ExitCode.REFUSED: "The service refused: the state of things doesn't allow it, such as too few "
    "credits.",
    ExitCode.NO_ANSWER: "No answer of the service came: wrong address, not running, too slow, or "
    "throttled.",
    ExitCode.DENIED: "The API key is unknown, or doesn't allow this.",
}


def settings_page() -> str:
    """The reference of all settings, in Markdown."""
    rows = (
        f"| `{each.name}` | `{each.variable}` | {each.default} | {each.about} |"
        for each in references()
    )
    codes = (f"| {code.value} | {about} |" for code, about in _CODES.items())
    return "\n".join([_HEAD + "\n".join(rows), _CODES_HEAD + "\n".join(codes), ""])


def generated_files() -> dict[str, bytes]:
    """The content of every file that is generated, by its name."""
    pages = {
        "settings.md": settings_page(),
        "methods.md": methods_page(),
        "types.md": types_page(),
        "errors.md": errors_page(),
        "events.md": events_page(),
        "cli.md": commands_page(),
    }
    return {name: page.encode() for name, page in pages.items()} | {
        "openapi.json": openapi_json(),
        "definitions.schema.json": schema_json(),
    }


def main() -> None:
    """Write the generated references into the folder that the argument names."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in generated_files().items():
        (folder / name).write_bytes(content)


if __name__ == "__main__":
    main()
