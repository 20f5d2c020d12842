"""``benefits import-programs`` and ``benefits export-programs``: members' programs and files."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Annotated, Any, TypeVar

import msgspec
import typer

from benefit_programs.bootstrap import open_database, open_engine, search_garbage_seldom
from benefit_programs.cli.exits import ExitCode, WrongUsage
from benefit_programs.cli.operator import operator
from benefit_programs.cli.options import (
    TENANT_ID_MAX,
    AsJson,
    DatabaseUrl,
    DataDir,
    TenantId,
    database_settings,
)
from benefit_programs.cli.output import print_json, print_line, print_table, progress_bar
from benefit_programs.config import Settings
from benefit_programs.domain.clocks import THE_CLOCK, Clock
from benefit_programs.domain.lookups import CLOCK
from benefit_programs.domain.values import Instant
from benefit_programs.engine.engine import read_clock
from benefit_programs.storage.directory import DEFAULT_TENANT_ID, Directory, Tenant
from benefit_programs.transfer.commands import IMPORTER
from benefit_programs.transfer.exporting import Exporter, ExportReport, LeftOut, NotCarried
from benefit_programs.transfer.files import FileFormat, Source, WrongFile, format_of, open_target
from benefit_programs.transfer.importing import Execute, Finding, Importer, ImportReport, Outcome
from benefit_programs.transfer.lookups import Lookups
from benefit_programs.transfer.matching import matching_ids, with_ids
from benefit_programs.transfer.totals import Totals
from benefit_programs.wire.codec import amount_text, decoder_for, encoder_for

T = TypeVar("T")

commands = typer.Typer()

FINDINGS_DEFAULT = 50
FINDINGS_MAX = 100_000
"""How many findings one call shows at the most; they are kept in memory until the end."""

Format = Annotated[
    FileFormat | None,
    typer.Option(
        "--format", help="csv or jsonl. Default: by the name of the file.", metavar="FORMAT"
    ),
]

DefinitionsOf = Annotated[
    int | None,
    typer.Option(
        "--definitions-of",
        min=1,
        max=TENANT_ID_MAX,
        metavar="ID",
        help="The tenant of the same database whose definitions the file names; those of the same"
        " names are taken here.",
    ),
]

_NOT_CARRIED = {
    NotCarried.EXTENDED_FIELDS: "have extended fields",
    NotCarried.POOL_DETAILS: "have pools with details that their definitions don't have",
    NotCarried.OTHER_POOLS: "have other pools than their definitions give",
    NotCarried.RESERVATIONS: "have open reservations, whose credits are in the balances",
    NotCarried.LOTS: "have more lots than a row may state",
}
_LEFT_OUT = {
    LeftOut.ENDED: "have ended",
    LeftOut.WITHOUT_POOLS: "have no pools",
}


@commands.command("import-programs")
def import_programs(  # noqa: PLR0913 - an option each
    file: Annotated[
        Path,
        typer.Argument(
            exists=True,
            dir_okay=False,
            readable=True,
            metavar="FILE",
            help="The file: .csv, or .jsonl with one JSON object a line.",
        ),
    ],
    *,
    tenant_id: TenantId = DEFAULT_TENANT_ID,
    file_format: Format = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only report what would be done.")
    ] = False,
    errors_max: Annotated[
        int,
        typer.Option(
            "--errors-max",
            min=0,
            max=FINDINGS_MAX,
            metavar="N",
            help="How many errors and differences to show; all are counted.",
        ),
    ] = FINDINGS_DEFAULT,
    definitions_of: DefinitionsOf = None,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Create the programs of a file with their balances. Run it again to continue after a stop.

    Ends with 1 if a row can't be used, or if its program exists and differs. A SQLite file must
    not be served meanwhile, except for a dry run.
    """
    settings = database_settings(data_dir, database_url)
    with _wrong_file_as_usage():
        chosen = format_of(file, file_format)
        with file.open("rb") as opened, progress_bar(file.stat().st_size) as show:
            source = Source(opened, chosen)

            async def run() -> ImportReport:
                async with _import_into(settings, tenant_id, dry_run=dry_run) as opened_store:
                    store, tenant, execute = opened_store
                    importer = Importer(
                        store,
                        tenant.id,
                        decode=_RowDecoder(tenant),
                        execute=execute,
                        now=await _now_of(store, tenant),
                        findings_max=errors_max,
                        progress=lambda report: show(source.position, f"{report.rows} rows"),
                    )
                    if definitions_of is None:
                        return await importer.run(source)
                    ids = await matching_ids(store, definitions_of, tenant.id)
                    return await importer.run(with_ids(source, ids))

            search_garbage_seldom()
            report = asyncio.run(run())
    if as_json:
        print_json(_import_document(report, dry_run=dry_run))
    else:
        _print_import(report, dry_run=dry_run)
    if not report.is_clean:
        raise typer.Exit(ExitCode.FAILED)


@commands.command("export-programs")
def export_programs(
    file: Annotated[
        Path,
        typer.Argument(
            dir_okay=False, metavar="FILE", help="The file to make: .csv or .jsonl; it must be new."
        ),
    ],
    *,
    tenant_id: TenantId = DEFAULT_TENANT_ID,
    file_format: Format = None,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Write the programs that haven't ended into a file, with their balances; changes nothing."""
    settings = database_settings(data_dir, database_url)

    async def run() -> ExportReport:
        async with open_database(settings) as store:
            tenant = await Directory(store, clock=read_clock).tenant(tenant_id)
            now = await _now_of(store, tenant)
            exporter = Exporter(store, tenant.id, encode=_encode, now=now)
            total, columns = await exporter.count(), await exporter.more_columns()
            with (
                open_target(file, chosen, columns) as target,
                progress_bar(total) as show,
            ):
                return await exporter.run(
                    target.write, lambda report: show(report.seen, f"{report.seen} programs")
                )

    with _wrong_file_as_usage():
        chosen = format_of(file, file_format)
        report = asyncio.run(run())
    if as_json:
        print_json(_export_document(report))
    else:
        _print_export(report)


@asynccontextmanager
async def _import_into(
    settings: Settings, tenant_id: int, *, dry_run: bool
) -> AsyncIterator[tuple[Lookups, Tenant, Execute | None]]:
    """The store, the tenant, and what takes commands; nothing does in a dry run."""
    if dry_run:
        async with open_database(settings) as store:
            yield store, await Directory(store, clock=read_clock).tenant(tenant_id), None
        return
    importing = operator("import")
    async with open_engine(settings) as (engine, store):
        tenant = await Directory(store, clock=read_clock).tenant(tenant_id)
        yield (
            store,
            tenant,
            lambda commands: engine.execute_together(
                commands,
                tenant_id=tenant.id,
                caller=IMPORTER,
                settings=tenant.settings,
                actor=importing,
            ),
        )


async def _now_of(store: Lookups, tenant: Tenant) -> Callable[[], Instant]:
    """What tells the tenant's time: a sandbox has a clock of its own."""
    clocks: list[Clock] = []
    if tenant.settings.is_sandbox:
        clocks = await store.look_up(tenant.id, CLOCK, [(THE_CLOCK,)])
    return lambda: clocks[0].now(read_clock()) if clocks else read_clock()


class _RowDecoder:
    """Reads what a row holds, with the ids that the tenant's setting allows."""

    def __init__(self, tenant: Tenant) -> None:
        self._ids = tenant.settings.id_mode

    def __call__(self, type_: type[T], document: Mapping[str, Any], /) -> T:
        return decoder_for(type_).decode(document, ids=self._ids).value


def _encode(part: msgspec.Struct) -> dict[str, Any]:
    return encoder_for(type(part))(part)


@contextmanager
def _wrong_file_as_usage() -> Iterator[None]:
    try:
        yield
    except WrongFile as error:
        raise WrongUsage(str(error)) from None


def _import_document(report: ImportReport, *, dry_run: bool) -> dict[str, Any]:
    return {
        "dryRun": dry_run,
        "rows": report.rows,
        **{str(outcome).lower(): count for outcome, count in report.outcomes.items()},
        "totals": _totals_document(report.totals),
        "findings": [_finding_document(finding) for finding in report.findings],
        "findingsLeftOff": report.findings_left_off,
    }


def _totals_document(totals: Totals) -> dict[str, Any]:
    return {
        "programs": totals.programs,
        "pools": totals.pools,
        "credits": amount_text(totals.credits),
        "byPoolDefinition": [
            {"poolDefinitionId": key, "pools": each.pools, "credits": amount_text(each.credits)}
            for key, each in sorted(totals.by_definition.items())
        ],
    }


def _finding_document(finding: Finding) -> dict[str, Any]:
    document: dict[str, Any] = {
        "line": finding.line,
        "outcome": finding.outcome,
        "externalProgramId": finding.external_id,
        "field": finding.field,
    }
    if finding.difference is not None:
        stored, given = finding.difference.stored, finding.difference.given
        return document | {"stored": _shown(stored), "given": _shown(given)}
    return document | {"rule": finding.rule, "description": finding.description}


def _shown(value: str | int | None) -> str | None:
    return amount_text(value) if isinstance(value, int) else value


def _print_import(report: ImportReport, *, dry_run: bool) -> None:
    for finding in report.findings:
        print_line(_finding_line(finding))
    if report.findings_left_off:
        print_line(f"... and {report.findings_left_off} more")
    counts = report.outcomes
    made = "would be created" if dry_run else "created"
    print_line(
        f"{report.rows} rows: {counts[Outcome.CREATED]} {made}, "
        f"{counts[Outcome.UNCHANGED]} there already, "
        f"{counts[Outcome.DIFFERENT]} there and different, {counts[Outcome.INVALID]} invalid"
    )
    _print_totals(report.totals)


def _finding_line(finding: Finding) -> str:
    place = f"line {finding.line}"
    if finding.external_id is not None:
        place += f" ({finding.external_id})"
    if finding.difference is not None:
        stored, given = finding.difference.stored, finding.difference.given
        return f"{place}: {finding.field} is {_shown(stored)!r}, the file says {_shown(given)!r}"
    field = f"{finding.field} " if finding.field else ""
    return f"{place}: {field}{finding.description} [{finding.rule}]"


def _print_totals(totals: Totals) -> None:
    print_line(
        f"Control totals: {totals.programs} programs, {totals.pools} pools, "
        f"{amount_text(totals.credits)} credits"
    )
    if totals.by_definition:
        rows = [
            (key, each.pools, amount_text(each.credits))
            for key, each in sorted(totals.by_definition.items())
        ]
        print_table(("POOL DEFINITION", "POOLS", "CREDITS"), rows)


def _export_document(report: ExportReport) -> dict[str, Any]:
    return {
        "totals": _totals_document(report.totals),
        "leftOut": {str(reason): count for reason, count in report.left_out.items()},
        "notCarried": {str(loss): count for loss, count in report.not_carried.items()},
    }


def _print_export(report: ExportReport) -> None:
    _print_totals(report.totals)
    for reason, count in report.left_out.items():
        if count:
            print_line(f"Left out: {count} programs that {_LEFT_OUT[reason]}")
    for loss, count in report.not_carried.items():
        if count:
            print_line(f"Not carried over: {count} programs {_NOT_CARRIED[loss]}")
    print_line("Transactions, renewals and used rate limits are not in the file.")
