"""How a pool comes to life: a copy of a definition, with a balance that its credits open."""

from __future__ import annotations

import msgspec

from benefit_programs.domain.account import Account
from benefit_programs.domain.context import Context
from benefit_programs.domain.entities import (
    LotOrigin,
    Operation,
    Pool,
    PoolDefinition,
    PoolOrigin,
    PoolStatus,
    Program,
    ProgramStatus,
    Snapshot,
)
from benefit_programs.domain.events import record_created
from benefit_programs.domain.lots import own_fate
from benefit_programs.domain.program_dates import stops_clock
from benefit_programs.domain.state import Changes
from benefit_programs.domain.values import Instant
from benefit_programs.domain.watching import begin_to_watch

PROVISIONED = "provisioned"


class Template(msgspec.Struct, frozen=True):
    """A pool definition at one revision: what a pool is made from.

    ``order_number`` is that of the newest order which this takes into account.
    """

    pool_definition_id: str
    revision: int
    snapshot: Snapshot
    order_number: int


def template_of(definition: PoolDefinition, snapshot: Snapshot, order_number: int) -> Template:
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
    at: Instant | None = None,
) -> Pool:
    """Make a program's pool of one definition, and fill its balance. Contract: Provision.

    It happens ``at`` an instant if a renewal that is booked late brings it.
    """
    paused = settled_status(program) is ProgramStatus.PAUSED
    at = context.now if at is None else at
    pool = Pool(
        id=context.new_id(),
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
        available=0,
        balance_revision=1,
        balance_updated=context.now,
        program_definition_id=program.program_definition_id,
        program_definition_external_id=program.program_definition_external_id,
        order_number=template.order_number,
        program_due=program.due,
        stopped=at if paused and stops_clock(program) else None,
        anonymous_visitor_id=program.anonymous_visitor_id,
        member_id=program.member_id,
        wix_user_id=program.wix_user_id,
    )
    account = Account(pool, context)
    account.at = at
    details = template.snapshot.details
    configuration = details.credit_configuration
    if configuration is not None and configuration.amount:
        fate = own_fate(configuration, LotOrigin.PROVISION, at, context.settings.time_zone)
        changes.save(account.grant(Operation.PROVISION, configuration.amount, fate))
        account.save_beside(changes)
    if details.alerts:
        begin_to_watch(account, details, program)
    pool = account.pool
    pool = record_created(
        changes, context, pool, PROVISIONED, transaction_id=pool.last_transaction_id
    )
    return account.tell(changes, pool)
