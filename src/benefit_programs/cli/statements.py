"""``benefits statement``, ``statements`` and ``members``: what became of credits."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import Annotated, Any, Literal

import typer

from benefit_programs.cli.exits import WrongUsage
from benefit_programs.cli.output import Answer
from benefit_programs.cli.people import name_of
from benefit_programs.cli.remote import Namespace, calls_service, instant_of
from benefit_programs.client import (
    BenefitPrograms,
    Member,
    Overview,
    StatementFigures,
    StatementPeriod,
    StatementRow,
    StatementSummary,
)
from benefit_programs.client.core.wire import camel, to_wire
from benefit_programs.storage.query.spec import LIMIT_MAX_OF_ITEMS

top = typer.Typer()
"""Commands that stand directly below ``benefits``."""

members = typer.Typer(name="members", no_args_is_help=True, help="Look at what members have.")

PoolId = Annotated[str, typer.Argument(help="The id of the pool.", metavar="POOL")]
From = Annotated[
    str | None,
    typer.Option("--from", help="When it begins (ISO 8601). Default: with the pool."),
]
To = Annotated[
    str | None, typer.Option("--to", help="When it ends (ISO 8601), exclusive. Default: now.")
]
AsCsv = Annotated[bool, typer.Option("--csv", help="Print CSV.")]

_FIGURES = StatementFigures.__struct_fields__
_ROW = (
    *("date", "figure", "amount", "reserved_amount", "available_after", "reserved_after"),
    *("reason", "benefit_key", "item_external_id", "external_reference", "transaction_id"),
)


@calls_service(top, "statement")
def show_statement(
    client: BenefitPrograms,
    pool: PoolId,
    *,
    since: From = None,
    to: To = None,
    as_csv: AsCsv = False,
) -> Answer | None:
    """Show what a pool's credits came from and went to; as CSV, each transaction."""
    period = instant_of("--from", since), instant_of("--to", to)
    if as_csv:
        rows = client.statements.rows(pool, *period).limit(LIMIT_MAX_OF_ITEMS)
        _print_csv(map(camel, _ROW), map(_line, rows))
        return None
    found = client.statements.get(pool, *period)
    return Answer(to_wire(found), ("", "CREDITS"), list(_lines(found.summary)))


@calls_service(top, "statements")
def show_statements(
    client: BenefitPrograms,
    *,
    since: Annotated[str, typer.Option("--from", help="When the first begins (ISO 8601).")],
    to: To = None,
    by: Annotated[
        Literal["DAY", "WEEK", "MONTH"], typer.Option("--by", help="How long the periods are.")
    ] = "MONTH",
    namespace: Namespace = None,
    program_definition: Annotated[
        str | None,
        typer.Option("--program-definition-id", help="Only pools of this one.", metavar="ID"),
    ] = None,
    pool_definition: Annotated[
        str | None,
        typer.Option("--pool-definition-id", help="Only pools of this one.", metavar="ID"),
    ] = None,
    as_csv: AsCsv = False,
) -> Answer | None:
    """Show what became of the credits of many pools, by periods."""
    begin = instant_of("--from", since)
    if begin is None:
        raise WrongUsage("--from: must be there")
    found = client.statements.of_pools(
        begin,
        instant_of("--to", to),
        by=by,
        namespace=namespace,
        program_definition_id=program_definition,
        pool_definition_id=pool_definition,
    )
    columns = ("fromDate", "toDate", "opening", *_FIGURES, "closing")
    rows = [_period_line(each) for each in found.periods]
    if as_csv:
        _print_csv(columns, rows)
        return None
    outstanding = to_wire(found.outstanding.amount.available)
    pools = found.outstanding.pool_count
    line = f"Outstanding now: {outstanding} credits of {pools} pools."
    return Answer(to_wire(found), [each.upper() for each in columns], rows, line)


@calls_service(members, "show")
def show_member(
    client: BenefitPrograms,
    member: Annotated[str, typer.Argument(help="The id of the member.", metavar="MEMBER")],
    *,
    namespace: Namespace = None,
) -> Answer:
    """Show what a member has: pools, credits, and what they pay for."""
    found = client.beneficiaries.overview(Member(member), namespace)
    columns = ("PROGRAM", "POOL", "STATUS", "AVAILABLE", "RESERVED", "NEXT EXPIRY", "PAYS FOR")
    line = "There is more than is shown." if found.has_more else ""
    person = found.person or next(iter(client.people.look_up([Member(member)]).provided), None)
    if person is not None:
        line = f"{name_of(person)}\n{line}".rstrip()
    return Answer(to_wire(found), columns, list(_pool_rows(found)), line)


def _pool_rows(found: Overview) -> Iterator[Sequence[Any]]:
    for program in found.programs:
        for pool in program.pools:
            expiry = pool.next_expiry
            yield (
                program.external_id,
                pool.id,
                pool.status,
                to_wire(pool.amount.available),
                to_wire(pool.amount.reserved),
                to_wire(expiry.date) if expiry else None,
                ", ".join(each.benefit_key for each in pool.benefits if each.is_usable),
            )


def _lines(summary: StatementSummary) -> Iterator[tuple[str, Any]]:
    yield "opening", to_wire(summary.opening.available)
    for name in _FIGURES:
        yield name, to_wire(getattr(summary.figures, name))
    yield "closing", to_wire(summary.closing.available)


def _line(row: StatementRow) -> list[Any]:
    return [to_wire(getattr(row, name)) for name in _ROW]


def _period_line(period: StatementPeriod) -> list[Any]:
    figures = [getattr(period.figures, name) for name in _FIGURES]
    dates = period.from_date, period.to_date
    amounts = period.opening.available, *figures, period.closing.available
    return [to_wire(each) for each in (*dates, *amounts)]


def _print_csv(columns: Iterable[str], rows: Iterable[Sequence[Any]]) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
