"""``benefits verify``: checks the invariants of the database."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

import typer

from benefit_programs.bootstrap import open_database
from benefit_programs.cli.exits import ExitCode
from benefit_programs.cli.options import (
    TENANT_ID_MAX,
    AsJson,
    DatabaseUrl,
    DataDir,
    database_settings,
)
from benefit_programs.cli.output import instant, print_json, print_line, progress_bar
from benefit_programs.config import Settings
from benefit_programs.storage.directory import UnknownTenant
from benefit_programs.storage.verification import (
    INVARIANTS,
    PROGRESS_WHOLE,
    Contents,
    Progress,
    Report,
    verify,
)

commands = typer.Typer()


@commands.command("verify")
def verify_database(
    *,
    tenant_id: Annotated[
        int | None,
        typer.Option(
            "--tenant",
            min=1,
            max=TENANT_ID_MAX,
            help="The id of one tenant. Default: all tenants.",
            metavar="ID",
        ),
    ] = None,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Check every invariant of the ledger, also beside a running server; changes nothing."""
    settings = database_settings(data_dir, database_url)
    with progress_bar(PROGRESS_WHOLE) as show:
        report = asyncio.run(_verify(settings, tenant_id, show))
    if as_json:
        print_json(document_of(report))
    else:
        print_report(report)
    if not report.is_sound:
        raise typer.Exit(ExitCode.BROKEN)


async def _verify(settings: Settings, tenant_id: int | None, progress: Progress) -> Report:
    async with open_database(settings) as store:
        if tenant_id is None:
            return await verify(store, progress=progress)
        if not await store.fetch("select 1 from tenants where id = $1", (tenant_id,)):
            raise UnknownTenant(f"There is no tenant {tenant_id}.")
        return await verify(store, tenant_ids=[tenant_id], progress=progress)


def document_of(report: Report) -> dict[str, Any]:
    return {
        "sound": report.is_sound,
        "tenants": report.tenants,
        **contents_document(report.contents),
        "invariants": [
            {"id": number, "promise": promise, "broken": report.broken.get(number, 0)}
            for number, promise in INVARIANTS.items()
        ],
        "violations": [
            {
                "invariant": each.invariant,
                "tenantId": each.tenant_id,
                "entity": each.entity,
                "id": each.id,
                "detail": each.detail,
            }
            for each in report.violations
        ],
    }


def contents_document(contents: Contents) -> dict[str, Any]:
    newest = contents.newest
    return {
        "rows": contents.rows,
        "newestTransaction": newest and {"id": newest.id, "createdDate": instant(newest.created)},
    }


def contents_line(contents: Contents) -> str:
    """The number of rows, and the newest transaction, in a line."""
    counts = ", ".join(f"{name.replace('_', ' ')} {n}" for name, n in contents.rows.items())
    newest = contents.newest
    end = f"the newest transaction is {newest.id} of {instant(newest.created)}" if newest else ""
    return f"Rows: {counts}; {end or 'no transaction'}."


def print_report(report: Report) -> None:
    for number, count in report.broken.items():
        print_line(f"{number} is broken {count} times: {INVARIANTS[number]}.")
    for violation in report.violations:
        print_line(f"  {violation}")
    print_line(contents_line(report.contents))
    tenants = "1 tenant" if report.tenants == 1 else f"{report.tenants} tenants"
    end = "every invariant holds" if report.is_sound else "see docs/invariants.md"
    print_line(f"Checked {len(INVARIANTS)} invariants of {tenants}: {end}.")
