"""Turns stored rows into types of the wire."""

from __future__ import annotations

from collections.abc import Mapping

from benefit_programs.domain.details import Details
from benefit_programs.domain.entities import (
    Item,
    Job,
    JobItem,
    Pool,
    PoolDefinition,
    Program,
    ProgramDefinition,
    RenewalActionType,
    Snapshot,
    Transaction,
    TransactionDetails,
)
from benefit_programs.domain.explanations import (
    BalanceAmount,
    ProgramDefinitionInfo,
    ProgramInfo,
)
from benefit_programs.domain.pool_definitions import DescribedPoolDefinition
from benefit_programs.domain.values import Identity, IdentityType
from benefit_programs.wire import calendar_views
from benefit_programs.wire.types import (
    async_jobs,
    balances,
    items,
    pool_definitions,
    pools,
    program_definitions,
    programs,
    transactions,
)
from benefit_programs.wire.types.common import (
    ApplicationError,
    ExtendedFields,
    IdentificationData,
)

JOB_CREATORS = {
    IdentityType.APP: "APP",
    IdentityType.MEMBER: "MEMBER",
    IdentityType.WIX_USER: "USER",
}


def _extended(namespaces: dict[str, object] | None) -> ExtendedFields | None:
    return ExtendedFields(namespaces=namespaces) if namespaces else None


def program_definition(row: ProgramDefinition) -> program_definitions.ProgramDefinition:
    return program_definitions.ProgramDefinition(
        id=row.id,
        revision=row.revision,
        created_date=row.created,
        updated_date=row.updated,
        display_name=row.display_name,
        description=row.description,
        namespace=row.namespace,
        extended_fields=_extended(row.extended_fields),
        external_id=row.external_id,
        **calendar_views.terms(row.terms),
    )


def program_definition_info(row: ProgramDefinition) -> ProgramDefinitionInfo:
    return ProgramDefinitionInfo(
        id=row.id,
        external_id=row.external_id,
        display_name=row.display_name,
        description=row.description,
    )


def pool_definition(described: DescribedPoolDefinition) -> pool_definitions.PoolDefinition:
    joined = tuple(program_definition_info(each) for each in described.program_definitions)
    return pool_definition_in(described.definition, described.snapshot, joined)


def pool_definition_in(
    row: PoolDefinition, snapshot: Snapshot, joined: tuple[ProgramDefinitionInfo, ...]
) -> pool_definitions.PoolDefinition:
    """A pool definition with what is told of the program definitions that it is in."""
    return pool_definitions.PoolDefinition(
        id=row.id,
        revision=row.revision,
        created_date=row.created,
        updated_date=row.updated,
        display_name=snapshot.display_name,
        description=snapshot.description,
        program_definition_ids=tuple(each.id for each in joined if each.id is not None),
        details=snapshot.details,
        namespace=row.namespace,
        extended_fields=_extended(row.extended_fields),
        program_definitions=joined,
    )


def item(row: Item) -> items.Item:
    return items.Item(
        id=row.id,
        revision=row.revision,
        created_date=row.created,
        updated_date=row.updated,
        external_id=row.external_id,
        category=row.category or None,
        item_set_id=row.item_set_id,
        display_name=row.display_name,
        provider_app_id=row.provider_app_id,
        extended_fields=_extended(row.extended_fields),
        namespace=row.namespace,
    )


def program(row: Program) -> programs.Program:
    return programs.Program(
        id=row.id,
        revision=row.revision,
        created_date=row.created,
        updated_date=row.updated,
        program_definition_id=row.program_definition_id,
        status=row.status,
        beneficiary=IdentificationData.of(row.beneficiary),
        display_name=row.display_name,
        namespace=row.namespace,
        extended_fields=_extended(row.extended_fields),
        external_id=row.external_id,
        program_definition=_kept_info(row),
        target_status=row.target_status,
        **calendar_views.dates(row),
    )


def _kept_info(row: Program | Pool) -> ProgramDefinitionInfo | None:
    """What a row keeps of its program definition, even when that was deleted."""
    if row.program_definition_id is None:
        return None
    return ProgramDefinitionInfo(
        id=row.program_definition_id, external_id=row.program_definition_external_id
    )


def pool(
    row: Pool,
    snapshots: Mapping[str, Snapshot],
    *,
    program: Program | None = None,
    definition: ProgramDefinition | None = None,
) -> pools.Pool:
    """A pool as it is answered; its program and program definition give their names."""
    snapshot = snapshots[row.snapshot_id]
    return pools.Pool(
        id=row.id,
        revision=row.revision,
        created_date=row.created,
        updated_date=row.updated,
        pool_definition_id=row.pool_definition_id,
        program_definition_id=row.program_definition_id,
        program_id=row.program_id,
        status=row.status,
        beneficiary=IdentificationData.of(row.beneficiary),
        details=snapshot.details,
        display_name=snapshot.display_name,
        description=snapshot.description,
        namespace=row.namespace,
        extended_fields=_extended(row.extended_fields),
        program_definition=(program_definition_info(definition) if definition else _kept_info(row)),
        program=ProgramInfo(
            id=row.program_id,
            external_id=row.program_external_id,
            display_name=program.display_name if program else None,
        ),
        pool_definition_revision=row.pool_definition_revision,
        renewal_count=row.renewal_count,
        previous_status=row.previous_status,
        origin=row.origin,
        renewal_action=_renewal_action(row, snapshots),
    )


def _renewal_action(row: Pool, snapshots: Mapping[str, Snapshot]) -> pools.PoolRenewalAction | None:
    if row.renewal_action is None:
        return None
    if row.renewal_action is RenewalActionType.END:
        return pools.PoolRenewalAction(type=row.renewal_action)
    assert row.renewal_snapshot_id is not None
    snapshot = snapshots[row.renewal_snapshot_id]
    return pools.PoolRenewalAction(
        type=row.renewal_action,
        update_options=pools.RenewalUpdate(
            details=snapshot.details,
            display_name=snapshot.display_name,
            description=snapshot.description,
        ),
        pool_definition_revision=row.renewal_revision,
    )


def balance(row: Pool, snapshot: Snapshot) -> balances.Balance:
    return balances.Balance(
        id=row.id,
        revision=row.balance_revision,
        created_date=row.created,
        updated_date=row.balance_updated,
        beneficiary=IdentificationData.of(row.beneficiary),
        amount=BalanceAmount(available=row.available, reserved=row.reserved),
        pool_info=balances.PoolInfo(
            id=row.id,
            pool_definition_id=row.pool_definition_id,
            program_definition_id=row.program_definition_id,
            program_id=row.program_id,
            credit_amount=_credit_amount(snapshot.details),
            namespace=row.namespace,
            external_program_definition_id=row.program_definition_external_id,
            external_program_id=row.program_external_id,
            credit_rollover_configuration=_rollover(snapshot.details),
            status=row.status,
        ),
        last_transaction_id=row.last_transaction_id,
    )


def _credit_amount(details: Details) -> int | None:
    return details.credit_configuration.amount if details.credit_configuration else None


def _rollover(details: Details) -> balances.RolloverConfigurationInfo | None:
    configuration = details.credit_configuration
    rollover = configuration.rollover_configuration if configuration else None
    if rollover is None:
        return None
    return balances.RolloverConfigurationInfo(
        enabled=rollover.enabled, balance_cap=rollover.balance_cap
    )


def transaction(row: Transaction, pool: Pool, snapshot: Snapshot) -> transactions.Transaction:
    """A transaction as it is answered; the snapshot is what its pool gave at that time."""
    details = row.details
    benefit = snapshot.details.benefit(details.benefit_key) if details.benefit_key else None
    return transactions.Transaction(
        id=row.id,
        revision=1,
        created_date=row.created,
        updated_date=row.created,
        pool=transactions.PoolInfo(
            id=pool.id,
            pool_definition_id=pool.pool_definition_id,
            program_definition_id=pool.program_definition_id,
            external_program_definition_id=pool.program_definition_external_id,
            program_id=pool.program_id,
            external_program_id=pool.program_external_id,
            credit_amount=_credit_amount(snapshot.details),
            namespace=pool.namespace,
            display_name=snapshot.display_name,
            benefit_display_name=benefit.display_name if benefit else None,
        ),
        amount=row.amount,
        source=row.source,
        target=row.target,
        idempotency_key=row.idempotency_key,
        related_transaction_id=row.related_transaction_id,
        correlation_id=row.correlation_id,
        superseded_transaction_id=row.superseded_transaction_id,
        beneficiary=IdentificationData.of(pool.beneficiary),
        instructing_party=_party(row),
        status=transactions.TransactionStatus.COMPLETED,
        details=_transaction_details(row),
        requested_values=_requested(row),
        external_reference=row.external_reference,
        lots=_drawn(details),
        due_date=details.due,
        reservation_id=details.reservation_id,
    )


def _drawn(details: TransactionDetails) -> tuple[transactions.DrawnLot, ...] | None:
    """How the amount is shared out; None where all of it is the standard lot's."""
    shown = (
        transactions.DrawnLot(lot_id=each.lot_id, amount=each.amount, into_lot_id=each.into)
        for each in details.draws
    )
    return tuple(shown) or None


def _party(row: Transaction) -> IdentificationData | None:
    """Who instructed a transaction. What happened by itself has nobody."""
    if row.party_type in (None, IdentityType.UNKNOWN) or row.party_id is None:
        return None
    return IdentificationData.of(Identity(IdentityType(row.party_type), row.party_id))


def _requested(row: Transaction) -> transactions.RequestedValues | None:
    if row.requested_amount is None:
        return None
    return transactions.RequestedValues(
        amount=row.requested_amount, source=row.source, target=row.target
    )


def _transaction_details(row: Transaction) -> transactions.TransactionDetails:
    details, item = row.details, row.details.item
    return transactions.TransactionDetails(
        item=(
            transactions.TransactionItem(
                id=item.id,
                external_id=item.external_id,
                category=item.category or None,
                item_set_id=item.item_set_id,
                display_name=item.display_name,
                provider_app_id=item.provider_app_id,
            )
            if item
            else None
        ),
        item_count=details.item_count,
        effective_date=details.effective_date,
        reason=details.reason,
        origin=details.origin,
        benefit_key=details.benefit_key,
        forfeited=details.forfeited or None,
        moved_from_transaction_id=details.moved_from,
        moved_to_transaction_id=details.moved_to,
    )


def job(row: Job) -> async_jobs.Job:
    is_app = row.created_by_type is IdentityType.APP
    return async_jobs.Job(
        id=row.id,
        metadata={"kind": row.kind, "subjectId": row.subject_id}
        | ({"reason": row.reason} if row.reason else {}),
        status=row.status,
        created_date=row.created,
        updated_date=row.updated,
        created_by=async_jobs.JobCreator(
            type=JOB_CREATORS.get(row.created_by_type, str(row.created_by_type)),
            app_id_options=async_jobs.JobCreatorApp(app_id=row.created_by_id) if is_app else None,
        ),
        counts=async_jobs.JobCounts(
            total=row.total,
            success_count=row.success_count,
            fail_count=row.fail_count,
            error_by_code_count=dict(row.errors or {}),
        ),
    )


def job_item(row: JobItem, job: Job) -> async_jobs.JobItem:
    """The result of a job for one entity."""
    failed = row.error_code is not None
    status = async_jobs.JobItemStatus.FAILURE if failed else async_jobs.JobItemStatus.SUCCESS
    return async_jobs.JobItem(
        id=row.id,
        job_id=job.id,
        status=status,
        created_date=job.created,
        updated_date=job.updated,
        metadata={"entity": row.entity},
        error=(
            ApplicationError(code=row.error_code, description=row.error_description)
            if failed
            else None
        ),
    )
