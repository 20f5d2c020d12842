"""``benefits audit``: who changed what, when and why."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import typer

from benefit_programs.cli.output import Answer
from benefit_programs.cli.remote import (
    ROWS_USUALLY,
    Limit,
    calls_service,
    conditions_of,
    instant_of,
    listing,
)
from benefit_programs.client import AuditEntry, BenefitPrograms
from benefit_programs.client.core.wire import to_wire

commands = typer.Typer(
    name="audit", no_args_is_help=True, help="Find out who changed what, when and why."
)

COLUMNS = ("WHEN", "WHO", "METHOD", "ENTITY", "ID", "REASON", "REQUEST")


def _of(name: str, what: str) -> Any:
    return typer.Option(f"--{name}", help=f"Only of {what}.", metavar="ID")


@calls_service(commands, "list")
def list_audit_entries(  # noqa: PLR0913 - an option each
    client: BenefitPrograms,
    *,
    program: Annotated[str | None, _of("program-id", "this program and its pools")] = None,
    pool: Annotated[str | None, _of("pool-id", "this pool and its transactions")] = None,
    member: Annotated[str | None, _of("member", "what this site member has")] = None,
    entity: Annotated[str | None, _of("entity-id", "this entity, such as a transaction")] = None,
    principal: Annotated[
        str | None,
        typer.Option("--principal", help="Only by this key, user or job.", metavar="ID"),
    ] = None,
    kind: Annotated[
        str | None,
        typer.Option("--kind", help="Only by this kind: API_KEY, CALENDAR.", metavar="KIND"),
    ] = None,
    method: Annotated[
        str | None, typer.Option("--method", help="Only this: redeemBenefit.", metavar="METHOD")
    ] = None,
    since: Annotated[
        str | None,
        typer.Option("--since", help="Not before this instant (ISO 8601).", metavar="DATE"),
    ] = None,
    before: Annotated[
        str | None,
        typer.Option("--before", help="Before this instant (ISO 8601).", metavar="DATE"),
    ] = None,
    limit: Limit = ROWS_USUALLY,
) -> Answer:
    """List changes, the newest first."""
    conditions = conditions_of(
        program_id=program,
        pool_id=pool,
        beneficiary__member_id=member,
        entity_id=entity,
        principal__id=principal,
        principal__kind=kind,
        method=method,
    )
    created = conditions_of(gte=instant_of("--since", since), lt=instant_of("--before", before))
    if created:
        conditions["created_date"] = {f"${sign}": each for sign, each in created.items()}
    rows = client.audit.query(conditions)
    return listing("auditEntries", COLUMNS, rows, _row, limit=limit)


def _row(row: AuditEntry) -> Sequence[Any]:
    who = row.principal
    named = who.name or who.id
    return (
        to_wire(row.created_date),
        f"{who.kind} {named}" if named else who.kind,
        row.method,
        row.entity_type,
        row.entity_id or f"{row.changed_count} entities",
        row.reason,
        row.request_id,
    )
