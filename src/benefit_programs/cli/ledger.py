"""``benefits balances`` and ``benefits transactions``: credits, and the record of their changes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import typer

from benefit_programs.cli.output import Answer
from benefit_programs.cli.remote import (
    ROWS_USUALLY,
    IdempotencyKey,
    Limit,
    calls_service,
    conditions_of,
    entity,
    listing,
)
from benefit_programs.client import (
    AdjustBalance,
    Balance,
    BenefitPrograms,
    ChangeDetails,
    SetBalance,
    Transaction,
)
from benefit_programs.client.core.wire import to_wire

balances = typer.Typer(
    name="balances", no_args_is_help=True, help="Look at balances, and change them by hand."
)
transactions = typer.Typer(
    name="transactions", no_args_is_help=True, help="Look at the record of changes."
)

PoolId = Annotated[str, typer.Argument(help="The id of the pool.", metavar="POOL")]
Reason = Annotated[str | None, typer.Option("--reason", help="The reason, for the transaction.")]
COLUMNS = ("POOL", "AVAILABLE", "RESERVED", "BENEFICIARY", "PROGRAM", "STATUS")


@calls_service(balances, "show")
def show_balance(client: BenefitPrograms, pool: PoolId) -> Answer:
    """Show the credits of a pool."""
    balance = client.balances.get(pool)
    return Answer(to_wire(balance), COLUMNS, [_balance_row(balance)])


@calls_service(balances, "adjust", context_settings={"ignore_unknown_options": True})
def adjust_balance(
    client: BenefitPrograms,
    pool: PoolId,
    amount: Annotated[
        str,
        typer.Argument(help="The credits to add; negative to subtract: -2.5.", metavar="AMOUNT"),
    ],
    *,
    reason: Reason = None,
    idempotency_key: IdempotencyKey = None,
) -> Answer:
    """Add credits to a balance, or subtract some."""
    return _change(client, pool, AdjustBalance(value=amount), reason, idempotency_key)


@calls_service(balances, "set")
def set_balance(
    client: BenefitPrograms,
    pool: PoolId,
    amount: Annotated[str, typer.Argument(help="The new amount of credits.")],
    *,
    reason: Reason = None,
    idempotency_key: IdempotencyKey = None,
) -> Answer:
    """Set a balance to an amount."""
    return _change(client, pool, SetBalance(value=amount), reason, idempotency_key)


@calls_service(transactions, "list")
def list_transactions(
    client: BenefitPrograms,
    *,
    pool: Annotated[
        str | None, typer.Option("--pool-id", help="Only of this pool.", metavar="ID")
    ] = None,
    member: Annotated[
        str | None, typer.Option("--member", help="Only of this site member.", metavar="ID")
    ] = None,
    limit: Limit = ROWS_USUALLY,
) -> Answer:
    """List transactions, the newest first."""
    conditions = conditions_of(pool__id=pool, beneficiary__member_id=member)
    rows = client.transactions.query(conditions)
    columns = ("ID", "CREATED", "AMOUNT", "FROM", "TO", "BENEFIT", "ITEM", "REASON")
    return listing("transactions", columns, rows, _transaction_row, limit=limit)


@calls_service(transactions, "show")
def show_transaction(
    client: BenefitPrograms,
    transaction: Annotated[str, typer.Argument(help="Its id.", metavar="TRANSACTION")],
) -> Answer:
    """Show a transaction."""
    return entity(client.transactions.get(transaction))


def _change(
    client: BenefitPrograms,
    pool: str,
    change: AdjustBalance | SetBalance,
    reason: str | None,
    idempotency_key: str | None,
) -> Answer:
    changed = client.balances.change(
        pool,
        change,
        transaction_details=ChangeDetails(reason=reason) if reason else None,
        idempotency_key=idempotency_key,
    )
    row = (*_balance_row(changed.balance), changed.transaction_id)
    return Answer(to_wire(changed), (*COLUMNS, "TRANSACTION"), [row])


def _balance_row(row: Balance) -> Sequence[Any]:
    return (
        row.id,
        to_wire(row.amount.available),
        to_wire(row.amount.reserved),
        row.beneficiary.id,
        row.pool_info.external_program_id,
        row.pool_info.status,
    )


def _transaction_row(row: Transaction) -> Sequence[Any]:
    item = row.details.item
    return (
        row.id,
        to_wire(row.created_date),
        to_wire(row.amount),
        row.source,
        row.target,
        row.details.benefit_key,
        item.external_id if item else None,
        row.details.reason,
    )
