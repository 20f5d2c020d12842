"""``benefits reservations``: credits that are held for items."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import typer

from benefit_programs.cli.output import Answer
from benefit_programs.cli.pools import Category, Item, TargetDate, benefit_item
from benefit_programs.cli.remote import (
    COUNT_MAX,
    ROWS_USUALLY,
    Count,
    IdempotencyKey,
    Limit,
    Reason,
    calls_service,
    conditions_of,
    entity,
    instant_of,
    listing,
)
from benefit_programs.client import BenefitPrograms, Reservation
from benefit_programs.client.core.wire import to_wire

commands = typer.Typer(
    name="reservations",
    no_args_is_help=True,
    help="Hold credits for items, and spend or release them later.",
)

ReservationId = Annotated[
    str, typer.Argument(help="The id of the reservation.", metavar="RESERVATION")
]


@calls_service(commands, "list")
def list_reservations(
    client: BenefitPrograms,
    *,
    pool: Annotated[
        str | None, typer.Option("--pool-id", help="Only of this pool.", metavar="ID")
    ] = None,
    member: Annotated[
        str | None, typer.Option("--member", help="Only of this site member.", metavar="ID")
    ] = None,
    status: Annotated[
        str | None, typer.Option("--status", help="Only with this status.", metavar="STATUS")
    ] = None,
    reference: Annotated[
        str | None,
        typer.Option(
            "--external-reference", help="Only with this external reference.", metavar="TEXT"
        ),
    ] = None,
    limit: Limit = ROWS_USUALLY,
) -> Answer:
    """List reservations, the newest first."""
    conditions = conditions_of(
        pool_id=pool,
        beneficiary__member_id=member,
        status=status,
        external_reference=reference,
    )
    columns = ("ID", "STATUS", "HELD", "CAPTURED", "BENEFIT", "ITEM", "EXPIRES", "BENEFICIARY")
    rows = client.reservations.query(conditions)
    return listing("reservations", columns, rows, _row, limit=limit)


@calls_service(commands, "show")
def show_reservation(client: BenefitPrograms, reservation: ReservationId) -> Answer:
    """Show a reservation."""
    return entity(client.reservations.get(reservation))


@calls_service(commands, "reserve")
def reserve_benefit(  # noqa: PLR0913 - an option each
    client: BenefitPrograms,
    pool_id: Annotated[str, typer.Argument(help="The id of the pool.", metavar="POOL")],
    benefit: Annotated[str, typer.Argument(help="The key of the benefit.", metavar="BENEFIT")],
    *,
    item: Item,
    category: Category = None,
    count: Count = None,
    target_date: TargetDate = None,
    expires_after: Annotated[
        str | None,
        typer.Option(
            "--expires-after",
            help="How long it lasts, such as PT2H or P3D. Default: a setting of the tenant.",
            metavar="DURATION",
        ),
    ] = None,
    expiration_date: Annotated[
        str | None,
        typer.Option("--expiration-date", help="When it lapses (ISO 8601), instead."),
    ] = None,
    external_reference: Annotated[
        str | None,
        typer.Option("--external-reference", help="What it belongs to elsewhere.", metavar="TEXT"),
    ] = None,
    reason: Reason = None,
    idempotency_key: IdempotencyKey = None,
) -> Answer:
    """Hold credits of a pool for an item of one of its benefits."""
    pool, reference = benefit_item(client, pool_id, benefit, item, category)
    reserved = client.reservations.reserve(
        pool.id,
        benefit_key=benefit,
        item_reference=reference,
        namespace=pool.namespace,
        count=count,
        target_date=instant_of("--target-date", target_date),
        expires_after=expires_after,
        expiration_date=instant_of("--expiration-date", expiration_date),
        external_reference=external_reference,
        reason=reason,
        idempotency_key=idempotency_key,
    )
    return _after(client, reserved.transaction_id, reserved.transaction_id)


@calls_service(commands, "capture")
def capture_reservation(
    client: BenefitPrograms,
    reservation: ReservationId,
    *,
    count: Annotated[
        int | None,
        typer.Option(
            "--count",
            min=1,
            max=COUNT_MAX,
            help="The number of items. Default: all that it holds.",
            metavar="N",
        ),
    ] = None,
    keep_rest: Annotated[
        bool, typer.Option("--keep-rest", help="Go on holding the rest, for further captures.")
    ] = False,
    reason: Reason = None,
    idempotency_key: IdempotencyKey = None,
) -> Answer:
    """Spend what a reservation holds; the rest goes back."""
    captured = client.reservations.capture(
        reservation,
        count=count,
        keep_rest=keep_rest,
        reason=reason,
        idempotency_key=idempotency_key,
    )
    return _after(client, captured.transaction_id, reservation)


@calls_service(commands, "cancel")
def cancel_reservation(
    client: BenefitPrograms,
    reservation: ReservationId,
    *,
    reason: Reason = None,
    idempotency_key: IdempotencyKey = None,
) -> Answer:
    """Give back all that a reservation holds."""
    canceled = client.reservations.cancel(
        reservation, reason=reason, idempotency_key=idempotency_key
    )
    return _after(client, canceled.transaction_id, reservation)


def _after(client: BenefitPrograms, transaction_id: str, reservation_id: str) -> Answer:
    """A transaction, and its reservation and balance after it."""
    reservation = client.reservations.get(reservation_id)
    available = to_wire(client.balances.get(reservation.pool_id).available)
    document = {
        "transactionId": transaction_id,
        "reservation": to_wire(reservation),
        "available": available,
    }
    columns = ("TRANSACTION", "RESERVATION", "STATUS", "HELD", "EXPIRES", "CREDITS LEFT")
    row = (
        transaction_id,
        reservation.id,
        reservation.status,
        to_wire(reservation.held),
        to_wire(reservation.expiration_date),
        available,
    )
    return Answer(document, columns, [row])


def _row(row: Reservation) -> Sequence[Any]:
    return (
        row.id,
        row.status,
        f"{row.held_count} of {row.count}",
        row.captured_count,
        row.benefit_key,
        row.item_reference.external_id,
        to_wire(row.expiration_date),
        row.beneficiary.id,
    )
