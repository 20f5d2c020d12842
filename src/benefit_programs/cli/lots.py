"""``benefits lots``: credits that came together and share one fate."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import typer

from benefit_programs.cli.exits import WrongUsage
from benefit_programs.cli.output import Answer
from benefit_programs.cli.remote import (
    ROWS_USUALLY,
    IdempotencyKey,
    Limit,
    MemberId,
    Namespace,
    Reason,
    calls_service,
    conditions_of,
    instant_of,
    listing,
)
from benefit_programs.client import UNSET, BenefitPrograms, ChangedLot, Lot
from benefit_programs.client.core.wire import to_wire
from benefit_programs.domain.lots import PRIORITY_MAX

commands = typer.Typer(
    name="lots",
    no_args_is_help=True,
    help="Grant credits of their own, see when credits expire, and change that.",
)

PoolId = Annotated[str, typer.Argument(help="The id of the pool.", metavar="POOL")]
LotId = Annotated[str, typer.Argument(help="The id of the lot.", metavar="LOT")]
Expires = Annotated[
    str | None,
    typer.Option("--expires", help="Until when they can be spent (ISO 8601).", metavar="DATE"),
]
Priority = Annotated[
    int | None,
    typer.Option(
        "--priority",
        min=0,
        max=PRIORITY_MAX,
        help="The smaller, the sooner they are spent. Default: 100.",
        metavar="N",
    ),
]
Name = Annotated[str | None, typer.Option("--name", help="A name for people.")]
Reference = Annotated[
    str | None,
    typer.Option(
        "--external-reference", help="What they belong to elsewhere.", metavar="REFERENCE"
    ),
]
Kept = Annotated[
    bool | None,
    typer.Option("--kept-at-renewal/--renewed", help="Whether renewals leave them alone."),
]
COLUMNS = ("ID", "POOL", "NAME", "STATUS", "AVAILABLE", "RESERVED", "PRIORITY", "EXPIRES", "ORIGIN")


@calls_service(commands, "list")
def list_lots(client: BenefitPrograms, pool: PoolId, *, limit: Limit = ROWS_USUALLY) -> Answer:
    """List the lots of a pool that are live or still to come, as they will be spent."""
    return listing("lots", COLUMNS, client.lots.list(pool), _row, limit=limit)


@calls_service(commands, "query")
def query_lots(
    client: BenefitPrograms,
    *,
    namespace: Namespace = None,
    member: MemberId = None,
    pool: Annotated[
        str | None, typer.Option("--pool-id", help="Only of this pool.", metavar="ID")
    ] = None,
    status: Annotated[
        str | None,
        typer.Option("--status", help="FUTURE, LIVE, SPENT or EXPIRED.", metavar="STATUS"),
    ] = None,
    expires_before: Annotated[
        str | None,
        typer.Option(
            "--expires-before", help="Only what expires before then (ISO 8601).", metavar="DATE"
        ),
    ] = None,
    limit: Limit = ROWS_USUALLY,
) -> Answer:
    """Find lots of all pools, the newest first, or what expires before a date, soonest first."""
    before = instant_of("--expires-before", expires_before)
    conditions = conditions_of(
        namespace=namespace,
        beneficiary__member_id=member,
        pool_id=pool,
        status=status,
        expiration_date={"$lt": before} if before else None,
    )
    rows = client.lots.query(conditions, sort=("expiration_date",) if before else ())
    return listing("lots", COLUMNS, rows, _row, limit=limit)


@calls_service(commands, "show")
def show_lot(client: BenefitPrograms, lot: LotId) -> Answer:
    """Show a lot. The id of a pool stands for its standard lot."""
    found = client.lots.get(lot)
    return Answer(to_wire(found), COLUMNS, [_row(found)])


@calls_service(commands, "grant")
def grant_credits(  # noqa: PLR0913 - an option each
    client: BenefitPrograms,
    pool: PoolId,
    amount: Annotated[str, typer.Argument(help="The credits.", metavar="AMOUNT")],
    *,
    expires: Expires = None,
    expires_after: Annotated[
        str | None,
        typer.Option("--expires-after", help="How long they live: P30D, P1M.", metavar="DURATION"),
    ] = None,
    begins: Annotated[
        str | None,
        typer.Option("--begins", help="From when they count (ISO 8601).", metavar="DATE"),
    ] = None,
    priority: Priority = None,
    kept: Kept = None,
    name: Name = None,
    external_reference: Reference = None,
    reason: Reason = None,
    idempotency_key: IdempotencyKey = None,
) -> Answer:
    """Give a pool credits of their own. Without an option they never expire."""
    granted = client.lots.grant(
        pool,
        amount,
        expiration_date=instant_of("--expires", expires),
        expires_after=expires_after,
        effective_date=instant_of("--begins", begins),
        priority=priority,
        kept_at_renewal=kept,
        display_name=name,
        external_reference=external_reference,
        reason=reason,
        idempotency_key=idempotency_key,
    )
    return _changed(granted)


@calls_service(commands, "update")
def update_lot(  # noqa: PLR0913 - an option each
    client: BenefitPrograms,
    lot: LotId,
    *,
    expires: Expires = None,
    never_expires: Annotated[
        bool, typer.Option("--never-expires", help="Let it live for ever.")
    ] = False,
    priority: Priority = None,
    kept: Kept = None,
    name: Name = None,
    external_reference: Reference = None,
    reason: Reason = None,
) -> Answer:
    """Change what options name."""
    if never_expires and expires:
        raise WrongUsage("--expires and --never-expires contradict each other: use one")
    given: dict[str, Any] = {
        "expiration_date": instant_of("--expires", expires),
        "priority": priority,
        "kept_at_renewal": kept,
        "display_name": name,
        "external_reference": external_reference,
    }
    changed: dict[str, Any] = {
        field: UNSET if value is None else value for field, value in given.items()
    }
    if never_expires:
        changed["expiration_date"] = None
    if all(value is UNSET for value in changed.values()):
        raise WrongUsage("change what? Name it with an option")
    updated = client.lots.update(
        lot, revision=client.lots.get(lot).revision, reason=reason, **changed
    )
    return Answer(to_wire(updated), COLUMNS, [_row(updated)])


@calls_service(commands, "expire")
def expire_lot(
    client: BenefitPrograms,
    lot: LotId,
    *,
    reason: Reason = None,
    idempotency_key: IdempotencyKey = None,
) -> Answer:
    """End a lot now: what is available lapses, what is reserved can still be spent."""
    return _changed(client.lots.expire(lot, reason=reason, idempotency_key=idempotency_key))


def _changed(changed: ChangedLot) -> Answer:
    row = (*_row(changed.lot), to_wire(changed.balance.available), changed.transaction_id)
    return Answer(to_wire(changed), (*COLUMNS, "BALANCE", "TRANSACTION"), [row])


def _row(row: Lot) -> Sequence[Any]:
    return (
        row.id,
        row.pool_id,
        "(standard)" if row.is_standard else row.display_name,
        row.status,
        to_wire(row.available),
        to_wire(row.reserved),
        row.priority,
        to_wire(row.expiration_date),
        row.origin,
    )
