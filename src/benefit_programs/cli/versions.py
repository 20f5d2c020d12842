"""``benefits migrate`` and ``benefits version``: the service and its schema."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from benefit_programs import __version__
from benefit_programs.cli.options import AsJson, DatabaseUrl, DataDir, database_settings
from benefit_programs.cli.output import print_json, print_line
from benefit_programs.storage.schema import distribute, migrate, newest_revision

commands = typer.Typer()


@commands.command("migrate")
def migrate_database(
    *,
    spread: Annotated[
        bool,
        typer.Option(
            "--distribute",
            help="Then distribute the tables over the nodes of a Citus cluster, by tenant.",
        ),
    ] = False,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Migrate the database to the schema of this version. Several may run at once."""
    chosen = database_settings(data_dir, database_url)
    if chosen.is_sqlite:
        chosen.sqlite_path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    applied = asyncio.run(migrate(chosen.url))
    distributed = asyncio.run(distribute(chosen.url)) if spread else []
    if as_json:
        more = {"distributed": distributed} if spread else {}
        print_json({"applied": applied, "revision": newest_revision(), **more})
    elif applied or distributed:
        if applied:
            print_line(f"Applied {', '.join(applied)}.")
        if distributed:
            print_line(f"Distributed {len(distributed)} tables by tenant.")
    else:
        print_line(f"Nothing to do: the schema has revision {newest_revision()}.")


@commands.command("version")
def show_version(*, as_json: AsJson = False) -> None:
    """Show the version of the service and of its schema."""
    if as_json:
        print_json({"version": __version__, "schemaRevision": newest_revision()})
    else:
        print_line(f"benefits {__version__}, schema {newest_revision()}")
