"""``benefits backup`` and ``benefits restore``: copies of a SQLite file."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from benefit_programs.bootstrap import open_database
from benefit_programs.cli.exits import ExitCode, WrongUsage
from benefit_programs.cli.options import AsJson, DatabaseUrl, DataDir, database_settings
from benefit_programs.cli.output import print_json, print_line, progress_bar
from benefit_programs.cli.verify import contents_document, contents_line, document_of, print_report
from benefit_programs.config import SQLITE_URL, Settings
from benefit_programs.storage.backup import (
    FileTaken,
    Progress,
    copy_database,
    drop_log,
    new_file,
    open_at_rest,
    replaced,
)
from benefit_programs.storage.open_file import real_path
from benefit_programs.storage.schema import SchemaError, current_revision, refuse_unknown
from benefit_programs.storage.sqlite import SqliteStore, connect
from benefit_programs.storage.verification import Contents, Report, read_contents, verify

commands = typer.Typer()


@commands.command("backup")
def backup(
    file: Annotated[
        Path,
        typer.Argument(dir_okay=False, metavar="FILE", help="The file to make; it must be new."),
    ],
    *,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Copy a SQLite database into a new file, also beside a running server, and verify it.

    Ends with 6 if the database, and so the copy, breaks an invariant. The copy is kept.
    """
    settings = _sqlite_settings(data_dir, database_url, instead="pg_dump")
    with _taken_as_usage(), new_file(file) as draft, _copying() as show:
        report = asyncio.run(_back_up(settings, draft, show))
        drop_log(draft)
    if as_json:
        print_json({"file": str(file), **document_of(report)})
    else:
        print_report(report)
        print_line(f"Copied into {file}.")
    if not report.is_sound:
        raise typer.Exit(ExitCode.BROKEN)


@commands.command("restore")
def restore(
    file: Annotated[
        Path,
        typer.Argument(
            exists=True, dir_okay=False, readable=True, metavar="FILE", help="A copy of a database."
        ),
    ],
    *,
    force: Annotated[
        bool, typer.Option("--force", help="Keep nothing of the database that was there.")
    ] = False,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Replace the SQLite database by a copy. No server may have it open.

    The old database stays beside it, with the time in its name.
    """
    settings = _sqlite_settings(data_dir, database_url, instead="pg_restore")
    path = settings.sqlite_path
    if path.is_symlink():
        path = real_path(path)
    if path.exists() and path.samefile(file):
        raise WrongUsage(f"{file} is the database itself.")
    kept = None if force or not path.exists() else _name_of_old(path)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _taken_as_usage(), replaced(path, keep_as=kept) as draft, _copying() as show:
        with closing(open_at_rest(file)) as source:
            copy_database(source, draft, show)
        contents = asyncio.run(_contents_of(draft, file))
        drop_log(draft)
    if as_json:
        print_json({"kept": kept and str(kept), **contents_document(contents)})
        return
    print_line(contents_line(contents))
    print_line(f"Restored {path}{f'; the old one is {kept}' if kept else ''}.")


async def _back_up(settings: Settings, draft: Path, show: Progress) -> Report:
    async with open_database(settings):
        with closing(connect(settings.sqlite_path, read_only=True)) as source:
            copy_database(source, draft, show)
    async with open_database(_settings_of(draft)) as copy:
        return await verify(copy)


async def _contents_of(draft: Path, file: Path) -> Contents:
    """What a copy holds. Its schema may be older: the next start migrates it."""
    revision = await current_revision(_settings_of(draft).url)
    if revision is None:
        raise SchemaError(f"{file} is no database of this service.")
    refuse_unknown(revision)
    store = SqliteStore(draft, serve=False)
    try:
        tenants = await store.fetch("select id from tenants order by id", ())
        return await read_contents(store, [row[0] for row in tenants])
    finally:
        await store.close()


def _sqlite_settings(data_dir: str | None, database_url: str | None, *, instead: str) -> Settings:
    settings = database_settings(data_dir, database_url)
    if not settings.is_sqlite:
        raise WrongUsage(f"Only a SQLite database is one file: use {instead} on PostgreSQL.")
    return settings


def _settings_of(path: Path) -> Settings:
    return Settings(database_url=f"{SQLITE_URL}{path.absolute()}")


def _name_of_old(path: Path) -> Path:
    return path.with_name(f"{path.name}.{datetime.now(UTC):%Y%m%dT%H%M%S}Z.old")


@contextmanager
def _copying() -> Iterator[Progress]:
    with progress_bar(None) as show:
        yield lambda done, total: show(done, f"{done} of {total} pages")


@contextmanager
def _taken_as_usage() -> Iterator[None]:
    try:
        yield
    except FileTaken as error:
        raise WrongUsage(str(error)) from None
