"""Name the files of all modules that the service loads, one a line: these are compiled.

What nothing loads stays as its source. Whoever imports it all the same waits a little longer.
"""

from __future__ import annotations

import importlib
import pkgutil
import sys

import benefit_programs

NOT_ALONE = ("__main__", "migrations.env")
"""Modules that are run by others, and fail by themselves; they are compiled with all of ours."""

BY_NAME = (
    "alembic.command",
    "alembic.ext.checkconstraint_byname",
    "argparse",
    "encodings.idna",
    "encodings.latin_1",
    "mako.exceptions",
    "mako.template",
    "rich._emoji_codes",
    "rich.traceback",
    "typer._adapters",
    "typer.rich_utils",
    "uvicorn.lifespan.on",
    "uvicorn.loops.uvloop",
    "uvicorn.protocols.http.httptools_impl",
)
"""What libraries import only when they are at it."""


def main() -> None:
    """Import all modules of the service, and print where they and what they import are."""
    prefix = f"{benefit_programs.__name__}."
    for found in pkgutil.walk_packages(benefit_programs.__path__, prefix):
        if not found.name.endswith(NOT_ALONE):
            importlib.import_module(found.name)
    for name in BY_NAME:
        importlib.import_module(name)
    files = {getattr(module, "__file__", None) for module in sys.modules.values()}
    sources = sorted(each for each in files if each and each.endswith(".py"))
    sys.stdout.write("".join(f"{each}\n" for each in sources))


if __name__ == "__main__":
    main()
