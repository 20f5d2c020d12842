"""``benefits doctor``: all checks one after the other, and what they found."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterable
from contextlib import AbstractAsyncContextManager
from typing import Annotated, Any, NamedTuple

import typer

from benefit_programs.bootstrap import config_logging
from benefit_programs.cli.doctor import of_postgres, of_schema, of_settings, of_sqlite, of_work
from benefit_programs.cli.doctor.findings import (
    Case,
    DatabaseCheck,
    Status,
    Verdict,
    fail,
    ok,
    skipped,
)
from benefit_programs.cli.exits import ExitCode
from benefit_programs.cli.failures import code_of, line_of
from benefit_programs.cli.options import AsJson, DatabaseUrl, DataDir
from benefit_programs.cli.output import print_json, print_line
from benefit_programs.config import LogFormat, Settings, WrongSetting, read_settings
from benefit_programs.domain.store import StoreUnavailable
from benefit_programs.engine.engine import read_clock
from benefit_programs.storage.examining import Examined, examine_file, examine_postgres
from benefit_programs.storage.schema import newest_revision

commands = typer.Typer()

_SIGNS = {Status.OK: "ok", Status.WARN: "WARN", Status.FAIL: "FAIL", Status.SKIPPED: "-"}


class Named(NamedTuple):
    """What the check with this name found."""

    name: str
    verdict: Verdict


@commands.command("doctor")
def examine_installation(
    *,
    strict: Annotated[bool, typer.Option("--strict", help="End with 1 for warnings, too.")] = False,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Say what is wrong with settings, database and work, and what to do. Changes nothing."""
    config_logging(LogFormat.CONSOLE)
    found = asyncio.run(examine({"data_dir": data_dir, "database_url": database_url}))
    counts = {status: sum(each.verdict.status is status for each in found) for status in Status}
    is_well = not counts[Status.FAIL] and not (strict and counts[Status.WARN])
    if as_json:
        print_json({"well": is_well, "counts": counts, "checks": [*map(_document, found)]})
    else:
        _print(found)
        print_line(", ".join(f"{number} {status}" for status, number in counts.items()) + ".")
    if not is_well:
        raise typer.Exit(ExitCode.FAILED)


def _document(each: Named) -> dict[str, Any]:
    verdict = each.verdict
    return {
        "name": each.name,
        "status": verdict.status,
        "finding": verdict.finding,
        "remedy": verdict.remedy or None,
    }


def _print(found: Iterable[Named]) -> None:
    for name, verdict in found:
        print_line(f"{_SIGNS[verdict.status]:<5} {name}: {verdict.finding}")
        if verdict.remedy:
            print_line(f"      -> {verdict.remedy}")


async def examine(options: dict[str, object]) -> list[Named]:
    """Make all checks. Raises nothing: whatever is wrong is found by one of them."""
    environment = os.environ
    found = [Named("variables", of_settings.look_at_variables(environment))]
    try:
        settings = read_settings(options)
    except WrongSetting as wrong:
        verdict = fail(f"{line_of(wrong)}.", "Correct it; docs/reference/settings.md.")
        why = skipped("The settings can't be read.")
        return [*found, Named("settings", verdict), Named("database", why)]
    found.append(Named("settings", ok("All settings can be read.")))
    found += [Named(each.name, each.look(settings)) for each in of_settings.CHECKS]
    files = of_settings.look_at_secret_files(environment, settings)
    found.append(Named("secret files", files))
    return found + [each async for each in _examine_database(settings)]


async def _examine_database(settings: Settings) -> AsyncIterator[Named]:
    of_engine = of_sqlite.CHECKS if settings.is_sqlite else of_postgres.CHECKS
    checks = (*of_engine, *of_schema.CHECKS, *of_work.CHECKS)
    opened: AbstractAsyncContextManager[Examined] = (
        examine_file(settings.sqlite_path) if settings.is_sqlite else examine_postgres(settings.url)
    )
    try:
        async with opened as database:
            yield Named("database", ok("The database answers."))
            case = Case(settings, database, read_clock())
            is_usable = await _has_own_schema(database)
            for check in checks:
                yield Named(check.name, await _look(check, case, is_usable=is_usable))
    except StoreUnavailable as error:
        remedy = (
            "Name the folder of the data with --data-dir, or make a database: `benefits migrate`."
            if settings.is_sqlite
            else "Start PostgreSQL, and check the URL, the password and the network."
        )
        yield Named(
            "database", fail(f"The database can't be used: {line_of_cause(error)}.", remedy)
        )


async def _has_own_schema(database: Examined) -> bool:
    """Whether the tables are those of this version, so that statements about them make sense."""
    try:
        return await of_schema.read_revision(database) == newest_revision()
    except Exception:  # noqa: BLE001 - the check of the schema tells why
        return False


async def _look(check: DatabaseCheck, case: Case, *, is_usable: bool) -> Verdict:
    """What a check finds. Whatever keeps it from looking is no failure of the command."""
    if check.of_rows and not is_usable:
        return skipped("The schema isn't that of this version.")
    try:
        return await check.look(case)
    except Exception as error:  # noqa: BLE001 - the others may still be looked at
        # Errors that no command has a line for may say anything.
        said = line_of_cause(error) if code_of(error) is not None else type(error).__name__
        return skipped(f"It couldn't be looked at: {said}.", "Look at the database by hand.")


def line_of_cause(error: Exception) -> str:
    """The reason alone; what can't be used is said before it."""
    return line_of(error).removeprefix("The database can't be used: ").rstrip(".")
