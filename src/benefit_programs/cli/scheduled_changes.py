"""``benefits scheduled-changes``: what waits for its date."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import typer

from benefit_programs.cli.output import Answer
from benefit_programs.cli.remote import (
    ROWS_USUALLY,
    Limit,
    Reason,
    calls_service,
    conditions_of,
    entity,
    listing,
)
from benefit_programs.client import BenefitPrograms, ScheduledChange
from benefit_programs.client.core.wire import to_wire

commands = typer.Typer(
    name="scheduled-changes",
    no_args_is_help=True,
    help="Look at changes that wait for their date, and withdraw them.",
)

ChangeId = Annotated[str, typer.Argument(help="The id of the change.", metavar="CHANGE")]
COLUMNS = ("ID", "DATE", "KIND", "STATUS", "UNTIL", "OF", "REASON")


@calls_service(commands, "list")
def list_scheduled_changes(
    client: BenefitPrograms,
    *,
    program: Annotated[
        str | None, typer.Option("--program-id", help="Only of this program.", metavar="ID")
    ] = None,
    pool_definition: Annotated[
        str | None,
        typer.Option("--pool-definition-id", help="Only of this pool definition.", metavar="ID"),
    ] = None,
    program_definition: Annotated[
        str | None,
        typer.Option(
            "--program-definition-id", help="Only of this program definition.", metavar="ID"
        ),
    ] = None,
    kind: Annotated[
        str | None,
        typer.Option("--kind", help="PAUSE, RESUME, END or CASCADE.", metavar="KIND"),
    ] = None,
    status: Annotated[
        str | None,
        typer.Option("--status", help="WAITING, DONE, REFUSED or WITHDRAWN.", metavar="STATUS"),
    ] = None,
    limit: Limit = ROWS_USUALLY,
) -> Answer:
    """List changes with a date, the next one first."""
    conditions = conditions_of(
        program_id=program,
        pool_definition_id=pool_definition,
        program_definition_id=program_definition,
        kind=kind,
        status=status,
    )
    rows = client.scheduled_changes.query(conditions)
    return listing("scheduledChanges", COLUMNS, rows, _row, limit=limit)


@calls_service(commands, "show")
def show_scheduled_change(client: BenefitPrograms, change: ChangeId) -> Answer:
    """Show a change with a date."""
    return entity(client.scheduled_changes.get(change))


@calls_service(commands, "withdraw")
def withdraw_scheduled_change(
    client: BenefitPrograms, change: ChangeId, *, reason: Reason = None
) -> Answer:
    """Withdraw a change that waits for its date."""
    return entity(client.scheduled_changes.withdraw(change, reason=reason))


def change_answer(change: ScheduledChange) -> Answer:
    """A change that waits, as an answer of a command."""
    return Answer({"scheduledChange": to_wire(change)}, COLUMNS, [_row(change)])


def _row(row: ScheduledChange) -> Sequence[Any]:
    return (
        row.id,
        to_wire(row.date),
        row.kind,
        row.status,
        to_wire(row.until_date),
        row.program_id or row.pool_definition_id or row.program_definition_id,
        row.reason,
    )
