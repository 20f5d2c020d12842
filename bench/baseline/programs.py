"""Provision programs."""

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from http import HTTPStatus

from fastapi import APIRouter
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import selectinload

from bench.baseline.auth import Sessions, TenantId
from bench.baseline.errors import ApplicationError, violated_constraint
from bench.baseline.events import make_event
from bench.baseline.models import (
    PROGRAM_EXTERNAL_ID_KEY,
    Balance,
    Event,
    Job,
    Pool,
    PoolDefinition,
    Program,
    ProgramDefinition,
    Transaction,
)
from bench.baseline.schemas import (
    PoolDefinitionLookup,
    ProgramView,
    ProvisionProgramRequest,
    ProvisionProgramResponse,
)
from bench.baseline.views import view_balance, view_pool, view_program

router = APIRouter()


@router.post("/programs/provision", response_model_exclude_none=True)
async def provision_program(
    request: ProvisionProgramRequest, tenant_id: TenantId, sessions: Sessions
) -> ProvisionProgramResponse:
    """Contract: ProvisionProgram."""
    try:
        async with sessions.begin() as session:
            return await _provision(session, tenant_id, request)
    except IntegrityError as error:
        if violated_constraint(error) != PROGRAM_EXTERNAL_ID_KEY:
            raise
        raise ApplicationError(
            HTTPStatus.CONFLICT,
            "PROGRAM_ALREADY_EXISTS",
            externalProgramId=request.external_program_id,
            namespace=request.namespace,
        ) from error


async def _provision(
    session: AsyncSession, tenant_id: uuid.UUID, request: ProvisionProgramRequest
) -> ProvisionProgramResponse:
    now = datetime.now(UTC)
    definition, pool_definitions = await _load_definitions(
        session, tenant_id, request.pool_definition_lookup_id
    )
    program = _build_program(request, tenant_id=tenant_id, definition=definition, at=now)
    program.pools = [_build_pool(program, each) for each in pool_definitions]
    job = _build_job(program)
    view = view_program(program)
    session.add_all([program, job, *_build_events(program, view)])
    return ProvisionProgramResponse(job_id=job.id, program=view)


async def _load_definitions(
    session: AsyncSession, tenant_id: uuid.UUID, lookup: PoolDefinitionLookup
) -> tuple[ProgramDefinition | None, Sequence[PoolDefinition]]:
    if lookup.pool_definition_id:
        pool_definition = await session.scalar(
            select(PoolDefinition).where(
                PoolDefinition.tenant_id == tenant_id,
                PoolDefinition.id == lookup.pool_definition_id,
            )
        )
        if pool_definition is None:
            raise ApplicationError(
                HTTPStatus.NOT_FOUND,
                "POOL_DEFINITION_NOT_FOUND",
                poolDefinitionId=str(lookup.pool_definition_id),
            )
        return None, [pool_definition]
    definition = await session.scalar(
        select(ProgramDefinition)
        .where(
            ProgramDefinition.tenant_id == tenant_id,
            ProgramDefinition.id == lookup.program_definition_id,
        )
        .options(selectinload(ProgramDefinition.pool_definitions))
    )
    if definition is None:
        raise ApplicationError(
            HTTPStatus.NOT_FOUND,
            "PROGRAM_DEFINITION_NOT_FOUND",
            programDefinitionId=str(lookup.program_definition_id),
        )
    return definition, definition.pool_definitions


def _build_program(
    request: ProvisionProgramRequest,
    *,
    tenant_id: uuid.UUID,
    definition: ProgramDefinition | None,
    at: datetime,
) -> Program:
    return Program(
        id=uuid.uuid4(),
        tenant_id=tenant_id,
        revision=1,
        created_date=at,
        updated_date=at,
        namespace=request.namespace,
        external_id=request.external_program_id,
        display_name=request.display_name,
        status=request.program_status,
        beneficiary_type=request.beneficiary.identity_type,
        beneficiary_id=request.beneficiary.identity_id,
        program_definition_id=definition.id if definition else None,
        program_definition=definition,
    )


def _build_pool(program: Program, definition: PoolDefinition) -> Pool:
    pool = Pool(
        id=uuid.uuid4(),
        tenant_id=program.tenant_id,
        revision=1,
        created_date=program.created_date,
        updated_date=program.created_date,
        program=program,
        program_id=program.id,
        pool_definition_id=definition.id,
        pool_definition_revision=definition.revision,
        namespace=program.namespace,
        display_name=definition.display_name,
        description=definition.description,
        status=program.status,
        origin="PROVISION",
        renewal_count=0,
        beneficiary_type=program.beneficiary_type,
        beneficiary_id=program.beneficiary_id,
        details=definition.details,
    )
    pool.balance = _open_balance(pool)
    return pool


def _open_balance(pool: Pool) -> Balance:
    credit_configuration = pool.details.get("creditConfiguration", {})
    amount = Decimal(credit_configuration.get("amount", "0"))
    balance = Balance(
        id=pool.id,
        tenant_id=pool.tenant_id,
        revision=1,
        created_date=pool.created_date,
        updated_date=pool.created_date,
        available=amount,
        reserved=Decimal(0),
    )
    if amount > 0:
        opening = _build_opening(pool, amount)
        balance.transactions = [opening]
        balance.last_transaction_id = opening.id
    return balance


def _build_opening(pool: Pool, amount: Decimal) -> Transaction:
    transaction_id = uuid.uuid4()
    return Transaction(
        id=transaction_id,
        tenant_id=pool.tenant_id,
        revision=1,
        created_date=pool.created_date,
        updated_date=pool.created_date,
        pool_id=pool.id,
        amount=amount,
        source="EXTERNAL",
        target="AVAILABLE",
        status="COMPLETED",
        correlation_id=transaction_id,
        beneficiary_type=pool.beneficiary_type,
        beneficiary_id=pool.beneficiary_id,
        details={"reason": "Provisioning"},
    )


def _build_job(program: Program) -> Job:
    return Job(
        id=uuid.uuid4(),
        tenant_id=program.tenant_id,
        status="FINISHED",
        created_date=program.created_date,
        updated_date=program.created_date,
        total=1,
        success_count=1,
        fail_count=0,
        details={"programId": str(program.id)},
    )


def _build_events(program: Program, view: ProgramView) -> list[Event]:
    at = program.created_date
    provisioned = {"actionEvent": {"body": {"program": view.to_wire()}}}
    events = [make_event(program, "provisioned", provisioned, at=at)]
    for pool in program.pools:
        provisioned = {"actionEvent": {"body": {"pool": view_pool(pool).to_wire()}}}
        created = {"createdEvent": {"entity": view_balance(pool.balance).to_wire()}}
        events += [
            make_event(pool, "provisioned", provisioned, at=at),
            make_event(pool.balance, "created", created, at=at),
        ]
    return events
