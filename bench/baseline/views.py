"""From rows to what travels."""

from bench.baseline.models import Balance, Pool, Program, ProgramDefinition
from bench.baseline.schemas import (
    BalanceAmount,
    BalancePoolInfo,
    BalanceView,
    DefinitionReference,
    Identity,
    PoolView,
    ProgramView,
)


def view_program(program: Program) -> ProgramView:
    """Show a program; its definition must be loaded."""
    definition = program.program_definition
    return ProgramView(
        id=program.id,
        revision=program.revision,
        created_date=program.created_date,
        updated_date=program.updated_date,
        program_definition_id=program.program_definition_id,
        status=program.status,
        beneficiary=Identity.of(program.beneficiary_type, program.beneficiary_id),
        display_name=program.display_name,
        namespace=program.namespace,
        external_id=program.external_id,
        program_definition=_refer_to(definition) if definition else None,
    )


def _refer_to(definition: ProgramDefinition) -> DefinitionReference:
    return DefinitionReference(id=definition.id, external_id=definition.external_id)


def view_pool(pool: Pool) -> PoolView:
    """Show a pool; its program must be loaded."""
    return PoolView(
        id=pool.id,
        revision=pool.revision,
        created_date=pool.created_date,
        updated_date=pool.updated_date,
        pool_definition_id=pool.pool_definition_id,
        pool_definition_revision=pool.pool_definition_revision,
        program_definition_id=pool.program.program_definition_id,
        program_id=pool.program_id,
        status=pool.status,
        origin=pool.origin,
        renewal_count=pool.renewal_count,
        beneficiary=Identity.of(pool.beneficiary_type, pool.beneficiary_id),
        details=pool.details,
        display_name=pool.display_name,
        description=pool.description,
        namespace=pool.namespace,
    )


def view_balance(balance: Balance) -> BalanceView:
    """Show a balance; its pool, and that pool's program and definition, must be loaded."""
    pool = balance.pool
    return BalanceView(
        id=balance.id,
        revision=balance.revision,
        created_date=balance.created_date,
        updated_date=balance.updated_date,
        beneficiary=Identity.of(pool.beneficiary_type, pool.beneficiary_id),
        amount=BalanceAmount(available=balance.available, reserved=balance.reserved),
        pool_info=_view_pool_info(pool),
        last_transaction_id=balance.last_transaction_id,
    )


def _view_pool_info(pool: Pool) -> BalancePoolInfo:
    definition = pool.program.program_definition
    credit_configuration = pool.details.get("creditConfiguration", {})
    return BalancePoolInfo(
        id=pool.id,
        pool_definition_id=pool.pool_definition_id,
        program_definition_id=pool.program.program_definition_id,
        external_program_definition_id=definition.external_id if definition else None,
        program_id=pool.program_id,
        external_program_id=pool.program.external_id,
        credit_amount=credit_configuration.get("amount"),
        credit_rollover_configuration=credit_configuration.get("rolloverConfiguration"),
        namespace=pool.namespace,
        status=pool.status,
    )
