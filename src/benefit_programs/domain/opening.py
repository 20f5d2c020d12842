"""How a pool comes to life: a copy of a definition, with a balance that its credits open."""

from __future__ import annotations

import msgspec

from benefit_programs.domain import happenings
from benefit_programs.domain.command import Context
from benefit_programs.domain.entities import (
    BalanceType,
    Operation,
    Pool,
    PoolDefinition,
    PoolOrigin,
    PoolStatus,
    Program,
    ProgramStatus,
    Snapshot,
    Transaction,
    TransactionDetails,
    beneficiary_columns,
)
from benefit_programs.domain.state import Changes

PROVISIONING_REASON = "Provisioning"
OPENED = "created+provisioned"


class Template(msgspec.Struct, frozen=True):
    """A pool definition at one revision: what a pool is made from.

    ``order_number`` is that of the newest order which this takes into account.
    """

    pool_definition_id: str
    revision: int
    snapshot: Snapshot
    order_number: int


def template_of(definition: PoolDefinition, snapshot: Snapshot, order_number: int) -> Template:
    """A pool definition as it is now, after the tenant's newest order."""
    return Template(definition.id, definition.revision, snapshot, order_number)


def settled_status(program: Program) -> ProgramStatus:
    """The status that a program has once the action that runs on it is done."""
    return program.target_status or program.status


def open_pool(
    changes: Changes[object],
    context: Context,
    *,
    program: Program,
    template: Template,
    origin: PoolOrigin,
) -> Pool:
    """Make a program's pool of one definition, and fill its balance. Contract: Provision."""
    pool_id, amount = context.new_id(), template.snapshot.details.credit_amount
    transaction_id = context.new_id() if amount else None
    paused = settled_status(program) is ProgramStatus.PAUSED
    pool = Pool(
        id=pool_id,
        revision=1,
        created=context.now,
        updated=context.now,
        program_id=program.id,
        program_external_id=program.external_id,
        pool_definition_id=template.pool_definition_id,
        pool_definition_revision=template.revision,
        snapshot_id=template.snapshot.id,
        status=PoolStatus.PAUSED if paused else PoolStatus.ACTIVE,
        origin=origin,
        namespace=program.namespace,
        available=amount,
        balance_revision=1,
        balance_updated=context.now,
        last_transaction_id=transaction_id,
        program_definition_id=program.program_definition_id,
        program_definition_external_id=program.program_definition_external_id,
        sequence=2,
        order_number=template.order_number,
        **beneficiary_columns(program.beneficiary),
    )
    changes.save(pool)
    if transaction_id:
        changes.save(_opening_transaction(pool, transaction_id, context))
    changes.events.append(
        happenings.tell_of_pool(context, pool, OPENED, transaction_id=transaction_id)
    )
    return pool


def _opening_transaction(pool: Pool, transaction_id: str, context: Context) -> Transaction:
    return Transaction(
        id=transaction_id,
        pool_id=pool.id,
        created=context.now,
        operation=Operation.PROVISION,
        amount=pool.available,
        source=BalanceType.EXTERNAL,
        target=BalanceType.AVAILABLE,
        available_after=pool.available,
        balance_revision=pool.balance_revision,
        snapshot_id=pool.snapshot_id,
        details=TransactionDetails(reason=PROVISIONING_REASON),
        correlation_id=transaction_id,
        party_type=context.caller.type,
        party_id=context.caller.id,
    )
