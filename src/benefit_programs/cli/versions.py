"""``benefits migrate`` and ``benefits version``: the service and its schema."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Annotated, Any

import typer

from benefit_programs import __version__
from benefit_programs.cli.exits import ExitCode, WrongUsage
from benefit_programs.cli.options import AsJson, DatabaseUrl, DataDir, database_settings
from benefit_programs.cli.output import print_json, print_line
from benefit_programs.config import Settings
from benefit_programs.storage.leftovers import settle_leftovers
from benefit_programs.storage.schema import (
    current_revision,
    distribute,
    migrate,
    migration_script,
    newest_revision,
    pending_revisions,
)
from benefit_programs.storage.sqlite import FileLock

commands = typer.Typer()


@commands.command("migrate")
def migrate_database(
    *,
    check: Annotated[
        bool,
        typer.Option("--check", help="Only say what there is to migrate; end with 3 if anything."),
    ] = False,
    sql: Annotated[
        bool, typer.Option("--sql", help="Only print the SQL that would be run.")
    ] = False,
    finish: Annotated[
        bool,
        typer.Option(
            "--finish",
            help="Put in order what servers of the version before wrote after the migration, once "
            "the last of them has stopped.",
        ),
    ] = False,
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
    if sum((check, sql, finish, spread)) > 1:
        raise WrongUsage("--check, --sql, --finish and --distribute can't be used together")
    chosen = database_settings(data_dir, database_url)
    if check:
        _say_pending(chosen.url, as_json=as_json)
    elif sql:
        sys.stdout.write(asyncio.run(migration_script(chosen.url)))
    else:
        _migrate(chosen, spread=spread, finish=finish, as_json=as_json)


def _say_pending(url: str, *, as_json: bool) -> None:
    pending = asyncio.run(pending_revisions(url))
    if as_json:
        print_json({"pending": pending, "revision": newest_revision()})
    elif pending:
        print_line(f"To be applied: {', '.join(pending)}.")
    else:
        print_line(_NOTHING_TO_DO)
    if pending:
        raise typer.Exit(ExitCode.DATABASE)


def _migrate(chosen: Settings, *, spread: bool, finish: bool, as_json: bool) -> None:
    if chosen.is_sqlite:
        chosen.sqlite_path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    document: dict[str, Any] = {}
    with _kept_from_servers(chosen):
        applied = document["applied"] = asyncio.run(migrate(chosen.url))
    document["revision"] = newest_revision()
    lines = [f"Applied {', '.join(applied)}."] if applied else []
    if spread:
        distributed = document["distributed"] = asyncio.run(distribute(chosen.url))
        if distributed:
            lines.append(f"Distributed {len(distributed)} tables by tenant.")
    if finish:
        # A SQLite file has one server, so no other one wrote into it after a migration.
        settled = 0 if chosen.is_sqlite else asyncio.run(settle_leftovers(chosen.url))
        document["settled"] = settled
        if settled:
            lines.append(f"Put {settled} counts of rate limits in order.")
    if as_json:
        print_json(document)
        return
    for line in lines or [_NOTHING_TO_DO]:
        print_line(line)


@contextmanager
def _kept_from_servers(chosen: Settings) -> Iterator[None]:
    """Claim a SQLite file whose schema will change: a server of an older version may have it open.

    Raises FileInUse.
    """
    with ExitStack() as claimed:
        if chosen.is_sqlite and chosen.sqlite_path.exists():
            revision = asyncio.run(current_revision(chosen.url))
            if revision not in (None, newest_revision()):
                claimed.callback(FileLock(chosen.sqlite_path).release)
        yield


_NOTHING_TO_DO = f"Nothing to do: the schema has revision {newest_revision()}."


@commands.command("version")
def show_version(*, as_json: AsJson = False) -> None:
    """Show the version of the service and of its schema."""
    if as_json:
        print_json({"version": __version__, "schemaRevision": newest_revision()})
    else:
        print_line(f"benefits {__version__}, schema {newest_revision()}")
